"""A search of 40 proposals whose driver is killed, time and again; without a pruner and with one.

python -m tests.chaos.searching [--kills 10] [--seed 0] [--log searching.log]

Without: proposals, values and winners are those of an undisturbed run. With a pruner, what is
stopped depends on what has ended when, but no decision of a killed driver is lost or made anew, and
nothing that was stopped begins again.
"""

import argparse
import logging
import random
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from rotlab.tracking.journal import Journal
from rotlab.tracking.query import results
from rotlab.tracking.uri import default_tracking_uri
from tests.chaos.nodes import LOG
from tests.rotlab.execution.processes import finish, kill_once, start_driver

_ENDS_S = 900.0
_PROPOSALS = 40


def decisions(store: Path) -> dict[str, str]:
    """Return every decision as it lies there."""
    folder = store / "searches"
    return {str(path.relative_to(folder)): path.read_text() for path in folder.glob("*/*.json")}


def proposals(store: Path) -> int:
    """Return how many proposals were made."""
    return sum(Path(name).stem.isdecimal() for name in decisions(store))


def run(scenario: str, store: Path) -> None:
    """Run a study to its end."""
    store.parent.mkdir(exist_ok=True)
    outcome = finish(start_driver(scenario, store), _ENDS_S)
    assert outcome.status == 0, outcome


def run_killed(scenario: str, store: Path, kills: int, seed: int) -> None:
    """Kill its driver, and all below it, at so many numbers of proposals; then run to the end."""
    chance = random.Random(seed)  # noqa: S311
    whens = sorted(chance.sample(range(_PROPOSALS // 10, _PROPOSALS - 5), kills))
    store.parent.mkdir()
    stood: list[tuple[float, dict[str, str]]] = []
    for number, least in enumerate(whens, 1):
        driver = start_driver(scenario, store)
        kill_once(driver, partial(_have_come, store, least), _ENDS_S)
        stood.append((time.time(), decisions(store)))
        LOG.info("%s: kill %d, after %d proposals", scenario, number, proposals(store))
    run(scenario, store)
    events = [event for path in store.glob("studies/*/*.jsonl") for event in Journal(path).read()]
    begun = [(one["time"], one["key"]) for one in events if one["event"] == "stage_started"]
    for when, before in stood:
        assert before.items() <= decisions(store).items()
        stopped = {name.stem.removeprefix("pruned-") for name in map(Path, _pruned(before))}
        assert not stopped & {key for at, key in begun if at > when}


def _have_come(store: Path, least: int) -> bool:
    return proposals(store) >= least


def _pruned(made: Iterable[str]) -> list[str]:
    return [name for name in made if "/pruned-" in name]


def main() -> None:
    """Run both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=10, help="[10]")
    parser.add_argument("--seed", type=int, default=0, help="of when [0]")
    parser.add_argument("--log", type=Path, default=Path("searching.log"), help="[searching.log]")
    args = parser.parse_args()
    handlers = (logging.StreamHandler(), logging.FileHandler(args.log, mode="w"))
    logging.basicConfig(format="%(message)s", handlers=handlers)
    LOG.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        calm, hit, pruned = (Path(folder, name, "store") for name in ("calm", "hit", "pruned"))
        run("long search", calm)
        assert proposals(calm) == _PROPOSALS
        run_killed("long search", hit, args.kills, args.seed)
        assert decisions(hit) == decisions(calm)
        tables = [results("bowls", default_tracking_uri(store)) for store in (calm, hit)]
        assert tables[0].drop(columns="state").equals(tables[1].drop(columns="state"))
        LOG.info(
            "killed %d times: the same %d proposals, values and winners", args.kills, _PROPOSALS
        )
        run_killed("long climbs", pruned, args.kills, args.seed)
        made = [text for name, text in decisions(pruned).items() if Path(name).stem.isdecimal()]
        assert len(made) == len(set(made)) == _PROPOSALS
        assert len(results("climbs", default_tracking_uri(pruned))) == 4
        LOG.info(
            "killed %d times with a pruner: %d proposals, no two alike; %d stopped for good",
            args.kills,
            len(made),
            len(_pruned(decisions(pruned))),
        )


if __name__ == "__main__":
    main()
