"""On a local Ray: a budget stops a study, and a larger one goes on."""

from pathlib import Path

import pytest

from rotlab.store.store import Store
from tests.rotlab.execution.drive import long
from tests.rotlab.execution.processes import finish, start_driver

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_a_budget_stops_a_study_and_a_larger_one_goes_on_from_its_checkpoints(
    tmp_path: Path,
) -> None:
    outcome = finish(start_driver("long", tmp_path, "6"), 120)
    assert outcome.status == 1, outcome
    assert "the budget is used up: " in outcome.out
    assert "stopped, with 0 of 3 stages in the store" in outcome.out
    assert "failed" not in outcome.out
    outcome = finish(start_driver("long", tmp_path, "600"), 120)
    assert outcome.status == 0, outcome
    records = Store(tmp_path).records(long().stages.values()).values()
    assert all(r.metrics["resumed_at"] > 0 for r in records if r.kind == "count")
