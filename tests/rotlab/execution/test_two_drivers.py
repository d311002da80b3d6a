"""Two drivers of one study in one store, one of them stopped for a while."""

import signal
from pathlib import Path

import pytest

from rotlab.execution.store import Store
from tests.rotlab.execution.drive import wide
from tests.rotlab.execution.processes import (
    descendants,
    finish,
    signal_all,
    start_driver,
    wait_until,
)

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_work_is_shared_and_that_of_one_that_stands_still_is_taken_over(tmp_path: Path) -> None:
    store, plan = Store(tmp_path), wide()
    sleeper, other = (start_driver("wide", tmp_path) for _ in range(2))
    wait_until(lambda: len(store.records(plan.stages.values())) > 4, 180)
    asleep = [sleeper.pid, *descendants(sleeper.pid)]
    try:
        signal_all(asleep, signal.SIGSTOP)
        outcome = finish(other, 180)
        assert outcome.status == 0, outcome
        records = store.records(plan.stages.values())
        assert len(records) == 40
    finally:
        signal_all(reversed(asleep), signal.SIGCONT)
    late = finish(sleeper, 180)
    assert late.status == 0, late
    assert store.records(plan.stages.values()) == records
    assert sum("is being run by" in each.out for each in (outcome, late)) == 1
