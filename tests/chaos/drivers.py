"""Two drivers of one study in one store; one is stopped past its leases, and goes on afterwards.

python -m tests.chaos.drivers [--times 3] [--log drivers.log]
"""

import argparse
import logging
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from tests.chaos.nodes import LOG
from tests.rotlab.execution.drive import wide
from tests.rotlab.execution.processes import (
    Outcome,
    descendants,
    finish,
    signal_all,
    start_driver,
    wait_until,
)

_ENDS_S = 600.0
_BEFORE = 4  # records, before one driver is stopped


@dataclass(frozen=True)
class Together:
    """How two drivers of the study `wide` ended.

    Args:
        awake: the one that was not stopped.
        late: the one that was.
        records: when the first had ended.
        wasted: attempts that worked at a stage, and did not make its record.
        held: how often a stage was held by the other.
    """

    awake: Outcome
    late: Outcome
    records: Mapping[str, Record]
    wasted: int
    held: int


def run_together(store: Store) -> Together:
    """Start two drivers at once, stop one for as long as the other runs, and let it go on."""
    stages = wide().stages.values()
    sleeper, other = (start_driver("wide", store.root) for _ in range(2))
    wait_until(lambda: len(store.records(stages)) > _BEFORE, _ENDS_S)
    asleep = [sleeper.pid, *descendants(sleeper.pid)]
    try:
        signal_all(asleep, signal.SIGSTOP)
        awake = finish(other, _ENDS_S)
        records = store.records(stages)
    finally:
        signal_all(reversed(asleep), signal.SIGCONT)
    late = finish(sleeper, _ENDS_S)
    events = [event for path in store.journals("wide") for event in Journal(path).read()]
    worked = {event["attempt"] for event in events if event["event"] == "stage_metrics"}
    held = sum(event["event"] == "stage_held" for event in events)
    wasted = worked - {record.attempt for record in records.values()}
    return Together(awake, late, records, len(wasted), held)


def check(together: Together, store: Store) -> None:
    """Both ended well, and there is one record for each stage, which nothing has touched since."""
    stages = wide().stages
    assert together.awake.status == 0, together.awake
    assert together.late.status == 0, together.late
    assert together.records.keys() == stages.keys()
    assert store.records(stages.values()) == together.records
    assert len(list(store.root.glob("*/*/record.json"))) == len(stages)
    for record in together.records.values():
        assert [path.name for path in store.result_folder(record).parent.iterdir()] == [
            record.attempt
        ]


def main() -> None:
    """Do it some times, and count what was done twice."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=3, help="[3]")
    parser.add_argument("--log", type=Path, default=Path("drivers.log"), help="[drivers.log]")
    args = parser.parse_args()
    handlers = (logging.StreamHandler(), logging.FileHandler(args.log, mode="w"))
    logging.basicConfig(format="%(message)s", handlers=handlers)
    LOG.setLevel(logging.INFO)
    total = len(wide().stages)
    for number in range(args.times):
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder) / "store")
            together = run_together(store)
            check(together, store)
        LOG.info(
            "%d of %d: two drivers, %d records for %d stages; %d attempts wasted; "
            "%d times a stage was held by the other",
            number + 1,
            args.times,
            len(together.records),
            total,
            together.wasted,
            together.held,
        )


if __name__ == "__main__":
    main()
