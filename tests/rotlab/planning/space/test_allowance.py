"""Searches that have hours: how many tries those are, what is foreseen, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotlab.planning.cost.cost import Timed
from rotlab.planning.cost.foreseen import foresee
from rotlab.planning.cost.prices import Prices
from rotlab.planning.kinds import load_kinds
from rotlab.planning.outline.outline import outline, outline_json
from rotlab.planning.plan.decisions import Decisions, Ended, Proposal, Tuning
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import Planned, plan_file
from rotlab.planning.plan.serial import plan_from_json, plan_to_json
from rotlab.planning.plan.serial_searches import ended_from_json, ended_to_json
from rotlab.planning.space.allowance import MOST_TRIES, Allowance, Hours
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD

HELD_OUT = "finetune: {val_fraction: 0.25, final: train+val}\n"
HOURS = (
    "search: {settings: {finetune.lr: {low: 0.001, high: 0.1, log: true}}, "
    "budget: {cpu_hours: 2}, at_once: 2}\n"
)


def tries(hours: list[float], allowance: Allowance) -> int:
    """How many proposals are made if each ends before the next may know of it."""
    made = 0
    while not allowance.is_used_up(made, hours[:made]):
        made += 1
    return made


@given(
    hours=st.lists(st.floats(0.1, 3), min_size=200, max_size=200),
    budget=st.floats(0.1, 10),
    at_once=st.integers(1, 5),
)
def test_a_search_goes_over_its_hours_by_what_is_under_way_and_no_more(
    hours: list[float], budget: float, at_once: int
) -> None:
    made = tries(hours, Allowance(budget, "gpu_hours", at_once))
    assert sum(hours[: made + 1 - at_once]) >= budget
    assert sum(hours[: made - at_once]) < budget


@given(
    hours=st.lists(st.floats(0.1, 3), min_size=200, max_size=200),
    budgets=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)),
    at_once=st.integers(1, 5),
)
def test_with_more_hours_no_fewer_tries_are_made(
    hours: list[float], budgets: tuple[float, float], at_once: int
) -> None:
    less, more = (tries(hours, Allowance(one, "cpu_hours", at_once)) for one in sorted(budgets))
    assert less <= more


def test_nothing_is_decided_by_tries_that_have_not_ended() -> None:
    one = Allowance(1, "cpu_hours", at_once=2)
    assert not one.is_used_up(3, [5.0, None, 5.0])  # the fourth would know of the second
    assert one.is_used_up(3, [5.0, 0.0, None])


def test_a_search_of_fewer_hours_than_it_has_used_keeps_what_it_tried() -> None:
    made = [Proposal("t", number, {"finetune.lr": 0.1 * number}) for number in range(1, 8)]
    used: dict[int, Hours] = {one.number: {"gpu_hours": 1.0, "cpu_hours": 0.0} for one in made}
    tuning = Tuning(
        "t", ("finetune.lr",), (), "demo", "rgb", 1000, allowance=Allowance(2, "gpu_hours")
    )
    assert tuning.ends_after(made, used) == 7


def planned(folder: Path, text: str = HOURS) -> Planned:
    path = folder / "space.yaml"
    path.write_text(HEAD + HELD_OUT + "axes: {init: [rotation, scratch]}\n" + text)
    return plan_file(path, folder / "none")


def timed(plan: Plan, hours: dict[str, float]) -> list[Timed]:
    """Stages of a plan as if each had run, for as many hours as its kind takes."""
    return [
        Timed(stage, 3600 * hours[stage.kind], "cpu")
        for stage in plan.stages.values()
        if stage.kind in hours
    ]


def test_a_plan_foresees_how_many_tries_the_hours_are(tmp_path: Path) -> None:
    one = planned(tmp_path)
    ran = timed(
        one.imagined(Decisions(), tries=dict.fromkeys(one.plan.tunings, 20)).plan,
        {"pretrain": 0.5, "finetune": 0.25},
    )
    found = foresee(one, Decisions(), ran, Prices(), "cpu")
    numbers = {
        next(iter(found.plan.tunings[key].arms))["init"]: number
        for key, number in found.foreseen.items()
    }
    # 8 of a quarter, or 6 beside the pretraining, and the one that is under way when those end
    assert numbers == {"scratch": 9, "rotation": 7}
    assert len(found.plan.proposed) == 16
    said = outline(found, {})
    assert "2 searches of 2 core-hours each (some 7 to 9 proposals), 2 at once" in said
    each = outline_json(found, {})["searches"]
    assert sorted(one["proposals_foreseen"] for one in each) == [7, 9]
    assert found.plan.warnings == ()


def test_a_plan_warns_of_hours_that_one_try_uses_up(tmp_path: Path) -> None:
    one = planned(tmp_path)
    ran = timed(one.imagined(Decisions()).plan, {"pretrain": 4, "finetune": 0.5})
    found = foresee(one, Decisions(), ran, Prices(), "cpu")
    (warning,) = found.plan.warnings
    assert warning.startswith(
        "line 6 search.budget: one try is thought to take 4.5 core-hours, what it shares with "
        "others among them, and each search has 2; it makes 2 and no more"
    )


def test_a_plan_warns_of_hours_of_what_there_is_none(tmp_path: Path) -> None:
    found = foresee(
        planned(tmp_path, HOURS.replace("cpu_hours", "gpu_hours")), Decisions(), [], Prices(), "cpu"
    )
    (warning,) = found.plan.warnings
    assert "search.budget.gpu_hours: on cpu tries take none, and `run` refuses that" in warning
    assert "give cpu_hours" in warning
    assert "nobody knows yet" in outline(found, {})


def test_what_was_used_counts_before_what_is_foreseen(tmp_path: Path) -> None:
    one = planned(tmp_path, HOURS.replace(", at_once: 2", ""))
    ran = timed(
        one.imagined(Decisions(), tries=dict.fromkeys(one.plan.tunings, 20)).plan,
        {"pretrain": 0.5, "finetune": 0.25},
    )
    key = next(k for k, t in one.plan.tunings.items() if t.arms[0]["init"] == "scratch")
    made = Decisions(
        {key: (Proposal(key, 1, {"finetune.lr": 0.01}),)},
        hours={key: {1: {"cpu_hours": 1.5, "gpu_hours": 0.0}}},
    )
    assert foresee(one, made, ran, Prices(), "cpu").foreseen[key] == 3


def test_proposals_may_stand_beside_the_hours_and_hold_too(tmp_path: Path) -> None:
    one = planned(tmp_path, HOURS.replace("at_once: 2", "at_once: 2, proposals: 4"))
    ran = timed(
        one.imagined(Decisions(), tries=dict.fromkeys(one.plan.tunings, 20)).plan,
        {"pretrain": 0.1, "finetune": 0.05},
    )
    assert set(foresee(one, Decisions(), ran, Prices(), "cpu").foreseen.values()) == {4}
    alone = planned(tmp_path).plan.tunings.values()
    assert {tuning.proposals for tuning in alone} == {MOST_TRIES}


def test_searches_are_the_same_whatever_hours_they_have(plan: MakePlan) -> None:
    """So what was tried with fewer, or by number, is gone on from."""
    by_number = HOURS.replace("budget: {cpu_hours: 2}", "proposals: 3")
    spaces = (HOURS, HOURS.replace("cpu_hours: 2", "gpu_hours: 3"), by_number)
    keys = [set(plan(HEAD + HELD_OUT + text).tunings) for text in spaces]
    assert keys[0] == keys[1] == keys[2]


def test_hours_are_kept_with_the_plan_and_with_what_has_ended(plan: MakePlan) -> None:
    made = plan(HEAD + HELD_OUT + HOURS)
    again = plan_from_json(plan_to_json(made), load_kinds())
    assert again.tunings == made.tunings
    assert "allowance" not in str(plan_to_json(plan(HEAD)))
    for ended in (
        Ended("a", 1, 0.5, hours={"gpu_hours": 0.25, "cpu_hours": 2.0}),
        Ended("a", 2, None, ("b",)),
    ):
        assert ended_from_json(ended_to_json(ended)) == ended
    assert "hours" not in ended_to_json(Ended("a", 1, 0.5))


@pytest.mark.parametrize(
    ("given_as", "said"),
    [
        ("3", "search.budget: must be a mapping (gpu_hours, cpu_hours), got 3"),
        ("{}", "search.budget: needs one of gpu_hours and cpu_hours, got {}"),
        ("{gpu_hours: 1, cpu_hours: 1}", "search.budget: needs one of gpu_hours and cpu_hours"),
        ("{cpu_hours: 0}", "budget.cpu_hours: must be a finite number greater than 0, got 0"),
        ("{cpu_hours: -2}", "must be a finite number greater than 0, got -2"),
        ("{gpu_hours: .inf}", "must be a finite number greater than 0, got inf"),
        ("{gpu_hours: true}", "must be a finite number greater than 0, got true"),
        ("{gpu_hour: 1}", "budget.gpu_hour: unknown limit of a search 'gpu_hour'; did you"),
        ("{hours: 1}", "search.budget.hours: unknown limit of a search 'hours'"),
    ],
)  # fmt: skip
def test_hours_that_are_none_are_refused_with_the_reason(
    plan: MakePlan, given_as: str, said: str
) -> None:
    found = refused(plan, HEAD + HELD_OUT + HOURS.replace("{cpu_hours: 2}", given_as))
    assert any(said in one for one in found), found
    assert len(found) == 1
