"""Searches with a budget of hours, as their study runs: what counts, and when they end."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from rotlab.execution.conduct.budget import spent
from rotlab.execution.conduct.effort import Effort
from rotlab.execution.search.searches import Searches
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.planned import find_all
from rotlab.planning.plan.planner import Planner
from rotlab.planning.space.allowance import Hours
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import Resources, Stage
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_stage
from tests.rotlab.execution.search.trials import TEXT, run

HOURS = TEXT.replace("proposals: 6", "budget: {cpu_hours: 3}")
EACH = {"pretrain": 1.0, "finetune": 0.5}


class Told:
    """Stages of each kind take so many hours of a core."""

    def __init__(self, each: Mapping[str, float]) -> None:
        self.each = each

    def hours(self, stage: Stage) -> Hours:
        return {"gpu_hours": 0.0, "cpu_hours": self.each[stage.kind]}

    whole = hours


def searches(folder: Path, text: str = HOURS, each: Mapping[str, float] = EACH) -> Searches:
    folder.mkdir(exist_ok=True)
    path = folder / "space.yaml"
    path.write_text(text)
    spec = load_spec(path)
    planner = Planner(spec, load_kinds(), find_all(spec, folder / "none"))
    assert spec.search is not None
    book = DecisionBook(folder / "store")
    return Searches(planner, spec.search, book, taken=Told(each))


def made(found: Searches) -> dict[str, int]:
    """How many proposals each arm has made."""
    numbers: dict[str, int] = {}
    for one in found.plan.proposed:
        init = found.plan.tunings[one.proposal.tuning].arms[0]["init"]
        numbers[init] = numbers.get(init, 0) + 1
    return numbers


def tried(found: Searches) -> list[tuple[str, int, object]]:
    return [
        (one.proposal.tuning, one.proposal.number, one.proposal.settings)
        for one in found.plan.proposed
    ]


def test_each_arm_tries_until_its_hours_are_used_and_then_runs_its_cells(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    # scratch: 6 of half an hour; rotation: 4 beside its pretraining, which counts once; and in both
    # the one that is under way then
    assert made(found) == {"scratch": 7, "rotation": 5}
    assert not found.undecided()
    assert not found.plan.awaited


def test_whatever_ends_first_the_same_is_tried(tmp_path: Path) -> None:
    each = []
    for seed in range(3):
        found = searches(tmp_path / str(seed))
        run(found, np.random.default_rng(seed))
        each.append((tried(found), [cell.result for cell in found.plan.cells]))
    assert each[0] == each[1] == each[2]


def test_broken_off_at_any_moment_it_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = searches(tmp_path / "whole")
    number = run(whole, np.random.default_rng(0))
    for most in range(1, number, 3):
        run(searches(tmp_path / str(most)), np.random.default_rng(most), most=most)
        again = searches(tmp_path / str(most))
        run(again, np.random.default_rng(most + 1))
        assert tried(again) == tried(whole)
        assert [c.result for c in again.plan.cells] == [c.result for c in whole.plan.cells]


def test_what_was_counted_stays_counted(tmp_path: Path) -> None:
    """A store whose journals are gone, so that nothing is known to have taken anything."""
    whole = searches(tmp_path)
    run(whole, np.random.default_rng(0))
    again = searches(tmp_path, each={"pretrain": 0.0, "finetune": 0.0})
    assert again.catch_up(lambda _: {}).is_decided
    assert tried(again) == tried(whole)


def test_more_hours_go_on_from_what_was_tried_and_fewer_undo_nothing(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    more = searches(tmp_path, HOURS.replace("cpu_hours: 3", "cpu_hours: 4"))
    assert len(more.plan.awaited) == 2
    run(more, np.random.default_rng(0))
    assert made(more) == {"scratch": 9, "rotation": 7}
    assert set(map(str, tried(found))) < set(map(str, tried(more)))
    fewer = searches(tmp_path, HOURS.replace("cpu_hours: 3", "cpu_hours: 1"))
    assert made(fewer) == made(more)
    assert not fewer.undecided()
    assert [c.result for c in fewer.plan.cells] == [c.result for c in more.plan.cells]


def test_fewer_hours_amid_a_search_end_it_with_what_is_under_way(tmp_path: Path) -> None:
    run(searches(tmp_path), np.random.default_rng(0), most=6)
    fewer = searches(tmp_path, HOURS.replace("cpu_hours: 3", "cpu_hours: 0.1"))
    before = made(fewer)
    run(fewer, np.random.default_rng(1))
    assert made(fewer) == {init: max(number, 2) for init, number in before.items()}
    assert not fewer.undecided()


def test_what_failed_counts_and_a_search_that_only_fails_ends(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    for _ in range(20):
        found.lost({key for one in found.plan.proposed for key in one.results})
        found.decide()
    assert made(found) == {"scratch": 7, "rotation": 5}
    assert sorted(found.undecided().values()) == [
        "all 5 proposals failed",
        "all 7 proposals failed",
    ]


def test_it_ends_with_the_last_settings_that_there_are(tmp_path: Path) -> None:
    text = HOURS.replace("{low: 0.001, high: 1, log: true}", "[0.01, 0.03, 0.1]")
    found = searches(tmp_path, text)
    run(found, np.random.default_rng(0))
    assert made(found) == {"scratch": 3, "rotation": 3}
    assert not found.undecided()


class Past:
    """A study's store, in which stages ran as its journal tells."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store")
        self.journal = Journal(self.store.journal_path("lab"))
        self.effort = Effort(self.store, "lab", KINDS, {"count": Resources(3, gpus=0)})

    def tell(self, event: str, hour: float, **values: object) -> None:
        self.journal.append({"event": event, "time": 3600 * hour, **values})

    def held(self, key: str, attempt: str, begin: float, end: float, state: str) -> None:
        self.tell("stage_started", begin, key=key, attempt=attempt, cpus=2, gpus=0.5)
        self.tell("stage_ended", end, key=key, attempt=attempt, state=state)


def test_all_attempts_at_a_stage_count_whatever_became_of_them(tmp_path: Path) -> None:
    past, stage = Past(tmp_path), make_stage("count", name="a")
    past.held(stage.key, "1", 0, 1, "FAILED")
    past.held(stage.key, "2", 2, 2.5, "PRUNED")
    past.held("another", "3", 2, 9, "FINISHED")
    assert past.effort.hours(stage)["cpu_hours"] == pytest.approx(3.0)
    past.held(stage.key, "4", 9, 10, "FINISHED")
    assert past.effort.hours(stage)["cpu_hours"] == pytest.approx(5.0)
    assert past.effort.hours(stage)["gpu_hours"] == pytest.approx(1.25)


def test_attempts_of_a_driver_that_was_killed_count_until_it_was_last_heard(tmp_path: Path) -> None:
    past, stage = Past(tmp_path), make_stage("count", name="a")
    past.tell("study_started", 0)
    past.tell("stage_started", 0, key=stage.key, attempt="1", cpus=1, gpus=0)
    past.tell("stage_metrics", 2, key=stage.key, attempt="1", step=1, metrics={})
    assert past.effort.hours(stage)["cpu_hours"] == pytest.approx(2.0)
    past.tell("study_started", 50)
    past.held(stage.key, "2", 50, 51, "FINISHED")
    assert past.effort.hours(stage)["cpu_hours"] == pytest.approx(4.0)


def test_a_result_that_others_made_counts_as_if_it_were_made_here(tmp_path: Path) -> None:
    past, stage = Past(tmp_path), make_stage("count", name="a", seconds=0.05)
    work = Work({stage.key: stage}, KINDS, {}, past.store.root, {"count": 1})
    record = perform(stage.key, work, Unwatched())
    found = past.store.record(stage.key, "count")
    assert found is not None
    assert record.metrics == found.metrics
    hours = past.effort.hours(stage)["cpu_hours"]
    assert hours == pytest.approx(3 * found.seconds / 3600)  # three cores, as it is asked for here
    assert past.effort.hours(stage)["gpu_hours"] == 0
    past.held(stage.key, found.attempt, 0, 1, "FINISHED")  # it was made here, after all
    assert past.effort.hours(stage)["cpu_hours"] == pytest.approx(2.0)


def test_what_stages_used_adds_up_to_what_the_study_used(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.tell("study_started", 0)
    for number in range(4):
        past.held(f"stage {number % 2}", str(number), number, number + 0.5, "FINISHED")
    past.tell("stage_started", 5, key="stage 3", attempt="9", cpus=2, gpus=0)
    past.tell("stage_metrics", 5.5, key="stage 3", attempt="9", step=1, metrics={})
    past.tell("study_ended", 6)
    each = [
        Stage(f"stage {n}", "count", make_stage("count", name="a").config, {}) for n in range(4)
    ]
    hours = [past.effort.hours(stage)["cpu_hours"] for stage in each]
    assert hours == pytest.approx([2.0, 2.0, 0.0, 1.0])
    assert sum(hours) == pytest.approx(spent([past.journal.read()]).cpu_hours)
