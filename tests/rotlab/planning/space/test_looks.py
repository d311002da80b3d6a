"""Looks in a search space: what is read, what is refused, and how the plan grows by them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotlab.cli import main
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import find_all, plan_file
from rotlab.planning.plan.planner import Planner
from rotlab.planning.plan.serial import grown, plan_from_json, plan_to_json
from rotlab.planning.space.looks import Family, Look, Outcome, Verdict, imagined, is_over, seeds_of
from rotlab.planning.space.spec import Spec
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD

HELD_OUT = "finetune: {val_fraction: 0.25}\n"
AXES = "axes: {init: [rotation, scratch]}\n"
LOOKS = "replicates: {until: decided, looks: [3, 5, 7, 10]}\n"
Read = Callable[[str], Spec]


def planner(read: Read, text: str) -> Planner:
    spec = read(HEAD + HELD_OUT + text)
    return Planner(spec, load_kinds(), find_all(spec, spec.path.parent / "none"))


def taken(one: Planner, *outcomes: Sequence[Outcome]) -> Decisions:
    """Every family has been looked at, with these outcomes of its differences."""
    looks = {
        key: tuple(
            Look(key, number, tuple(map(Verdict, each)), ())
            for number, each in enumerate(outcomes, start=1)
        )
        for key in one.families
    }
    return Decisions(looks=looks)


def seeds(plan: Plan) -> dict[str, int]:
    """How many seeds each arm has."""
    found: dict[str, set[int]] = {}
    for cell in plan.cells:
        found.setdefault(str(dict(cell.arm)), set()).add(cell.replicate["seed"])
    return {arm: len(each) for arm, each in found.items()}


def test_every_arm_begins_with_the_seeds_of_the_first_look(read: Read) -> None:
    one = planner(read, AXES + LOOKS)
    plan = one.plan(Decisions())
    assert set(seeds(plan).values()) == {3}
    assert not plan.is_decided
    (family,) = plan.families.values()
    assert (family.metric, family.pairs, family.at) == ("val_accuracy", ((0, 1),), (3, 5, 7, 10))


def test_what_is_open_goes_on_with_its_baseline_and_what_is_settled_does_not(read: Read) -> None:
    text = "axes: {init: [rotation, scratch], pretext.rotations: [2, 4]}\n" + LOOKS
    one = planner(read, text)
    plan = one.plan(taken(one, ["open", "shown"]))
    assert list(seeds(plan).values()) == [5, 3, 5]
    plan = one.plan(taken(one, ["open", "hopeless"], ["not shown", "hopeless"]))
    assert list(seeds(plan).values()) == [5, 3, 5]
    assert plan.is_decided


def test_a_baseline_has_as_many_seeds_as_any_arm_against_it(read: Read) -> None:
    text = "axes: {init: [rotation, scratch], modality: [rgb, dif]}\n" + LOOKS
    one = planner(read, text)
    plan = one.plan(taken(one, ["open", "shown"], ["open", "shown"]))
    by_arm = {
        tuple(sorted(arm.items())): 0 for family in plan.families.values() for arm in family.arms
    }
    for cell in plan.cells:
        by_arm[tuple(sorted(cell.arm.items()))] += 1
    assert by_arm == {
        (("init", "rotation"), ("modality", "rgb")): 7,
        (("init", "scratch"), ("modality", "rgb")): 7,
        (("init", "rotation"), ("modality", "dif")): 3,
        (("init", "scratch"), ("modality", "dif")): 3,
    }


def test_with_all_looks_open_the_stages_are_those_of_a_list_of_seeds(
    read: Read, plan: MakePlan
) -> None:
    one = planner(read, AXES + LOOKS)
    whole = one.plan(taken(one, ["open"], ["open"], ["open"], ["not shown"]))
    fixed = plan(HEAD + HELD_OUT + AXES + f"replicates: {{seed: {list(range(10))}}}\n")
    assert [cell.result for cell in whole.cells] == [cell.result for cell in fixed.cells]
    assert whole.stages.keys() == fixed.stages.keys()


def test_seeds_given_are_taken_in_their_order(read: Read) -> None:
    text = "replicates: {until: decided, looks: [3, 4], seed: [20, 7, 9, 1], split: [1, 2]}\n"
    plan = planner(read, AXES + text).plan(Decisions())
    assert [cell.replicate["seed"] for cell in plan.cells][:6] == [20, 20, 7, 7, 9, 9]


def test_splits_of_a_seed_are_one_value_and_belong_to_one_look(read: Read) -> None:
    one = planner(read, AXES + LOOKS.replace("until", "split: [1, 2, 3], until"))
    (key,) = one.families
    assert {len(seed.judged) for arm in one.samples(key) for seed in arm} == {3}
    assert len(one.plan(Decisions()).cells) == 2 * 3 * 3


def test_what_is_looked_at_is_never_a_stage_that_is_given_test_videos(read: Read) -> None:
    one = planner(read, AXES + LOOKS)
    stages = one.plan(taken(one, ["open"], ["open"], ["open"], ["not shown"])).stages
    (key,) = one.families
    judged = {stage for arm in one.samples(key) for seed in arm for stage in seed.judged}
    assert {stages[one].kind for one in judged} == {"finetune"}
    assert all(ref.role != "test" for one in judged for ref in stages[one].data)


def test_a_baseline_that_axes_vary_around_is_what_arms_are_looked_at_against(read: Read) -> None:
    text = (
        "axes: {init: [rotation], pretext.rotations: [2, 4, 8]}\nablate: {pretext.rotations: 4}\n"
    )
    (family,) = planner(read, text + LOOKS).families.values()
    assert family.pairs == ((0, 1), (2, 1))


def test_each_target_and_measure_is_a_family_of_its_own(read: Read) -> None:
    text = (AXES + LOOKS).replace("axes", "measure: [finetune]\naxes")
    spec = HEAD.replace("target: weizmann", "target: [weizmann, ucf101]") + HELD_OUT + text
    made = read(spec)
    one = Planner(made, load_kinds(), find_all(made, made.path.parent / "none"))
    assert [family.target for family in one.families.values()] == ["weizmann", "ucf101"]


def test_two_networks_that_are_joined_are_looked_at_by_a_proxy_and_that_is_said(
    read: Read,
) -> None:
    one = planner(read, "axes: {init: [rotation, scratch]}\nmodality: fusion\n" + LOOKS)
    (key,) = one.families
    assert {len(seed.judged) for arm in one.samples(key) for seed in arm} == {2}
    (warning,) = one.plan(Decisions()).warnings
    assert "replicates.looks: two networks that are joined are looked at by the mean" in warning


def test_a_plan_with_looks_is_read_back_as_it_was(read: Read) -> None:
    one = planner(read, AXES + LOOKS)
    decisions = taken(one, ["open"], ["shown"])
    plan = one.plan(decisions)
    assert plan_from_json(plan_to_json(plan), load_kinds()) == plan
    before = one.plan(Decisions())
    event = grown(before, plan, 0.0)
    assert len(event["cells"]) == 4
    assert [look["number"] for look in event["looks"]] == [1, 2]


def test_another_list_of_looks_or_another_arm_is_another_design(read: Read) -> None:
    keys = {
        tuple(planner(read, text).families)
        for text in (
            AXES + LOOKS,
            AXES + LOOKS.replace("10", "12"),
            AXES.replace("rotation", "rotation, pace") + LOOKS,
            AXES + LOOKS.replace("until", "split: [2], until"),
        )
    }
    assert len(keys) == 4


@given(data=st.data())
def test_seeds_only_grow_and_no_arm_has_more_than_its_baseline(data: st.DataObject) -> None:
    arms = data.draw(st.integers(2, 6))
    family = Family("f", "", "", "", ({},) * arms, tuple((a, 0) for a in range(1, arms)), (3, 4, 6))
    looks: list[Look] = []
    before = seeds_of(family, looks)
    outcomes: list[Outcome] = ["open"] * (arms - 1)
    while not is_over(looks):
        last = len(looks) + 1 == len(family.at)
        kinds: list[Outcome] = ["shown", "not shown"] if last else ["shown", "hopeless", "open"]
        outcomes = [data.draw(st.sampled_from(kinds)) if one == "open" else one for one in outcomes]
        looks.append(Look("f", len(looks) + 1, tuple(map(Verdict, outcomes)), ()))
        now = seeds_of(family, looks)
        assert all(a <= b for a, b in zip(before, now, strict=True))
        assert max(now) == now[0] <= family.at[-1]
        before = now


@pytest.mark.parametrize(("most", "last"), [(True, 10), (False, 5)])
def test_what_may_come_is_imagined_at_its_most_and_its_least(
    read: Read, most: bool, last: int
) -> None:
    one = planner(read, AXES + LOOKS)
    decisions = taken(one, ["open"])
    looks = {
        key: imagined(family, decisions.looks[key], most=most)
        for key, family in one.families.items()
    }
    plan = one.plan(replace(decisions, looks=looks))
    assert set(seeds(plan).values()) == {last}
    assert plan.is_decided


def test_what_was_imagined_leaves_no_trace_in_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(HEAD + HELD_OUT + AXES + LOOKS)
    planned = plan_file(path, tmp_path / "none")
    assert len(planned.imagined(Decisions()).plan.cells) == 20
    assert len(planned.imagined(Decisions(), most=False).plan.cells) == 6
    assert planned.decided(Decisions()).plan == planned.plan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{until: decided, looks: [2, 5]}", "looks: must be at least 3, got 2: of fewer seeds"),
        ("{until: decided, looks: [3, 7, 5]}", "must be more than the look before it, 7, got 5"),
        ("{until: decided, looks: [3, 3]}", "3 stands there twice"),
        ("{until: decided, looks: [5]}", "looks: has one look, which adds nothing"),
        ("{until: decided, looks: []}", "looks: is empty"),
        ("{until: decided, looks: 10}", "looks: must be a list of values"),
        ("{until: decided, looks: [3, 2000]}", "must be at least 1 and less than 1001, got 2000"),
        ("{until: decided}", "until: needs looks beside it"),
        ("{looks: [3, 5]}", "looks: needs `until: decided` beside it"),
        ("{until: deciced, looks: [3, 5]}", "unknown end of replicates 'deciced'; did you mean"),
        ("{until: decided, looks: [3, 5], seed: [0, 1, 2]}", "seed: must be as many as the last"),
        (
            "{until: decided, looks: [3, 5], seed: {finetune: [0, 1]}}",
            "seed: looks add seeds of the whole chain",
        ),
    ],
)
def test_what_is_wrong_with_looks_is_one_problem_with_its_line(
    plan: MakePlan, text: str, expected: str
) -> None:
    (only,) = refused(plan, HELD_OUT + AXES + f"replicates: {text}\n")
    assert only.startswith("6 replicates.")
    assert expected in only


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HELD_OUT + LOOKS, "nothing with init=scratch, all else equal, stands against the one arm"),
        (HELD_OUT + "axes: {clip.frames: [8, 16]}\n" + LOOKS, "against clip.frames=8; clip.frames"),
        (AXES + LOOKS, "finetune.val_fraction must be greater than 0 to judge"),
        (
            "finetune: {val_fraction: 0.25, final: train+val}\n" + AXES + LOOKS,
            "finetune.final must be train, got train+val: looks judge by videos",
        ),
        (HELD_OUT + AXES + "measure: linear\n" + LOOKS, "linear has no metric on held-out videos"),
        (
            HELD_OUT
            + AXES
            + LOOKS
            + "search: {settings: {finetune.lr: {low: 0.1, high: 1}}, proposals: 2}\n",
            "a search tunes on the held-out videos that looks would judge by",
        ),
    ],
)
def test_what_looks_cannot_judge_is_refused_with_the_way_out(
    plan: MakePlan, text: str, expected: str
) -> None:
    (only,) = refused(plan, text)
    assert "replicates.looks: " in only
    assert expected in only


def test_the_plan_tells_the_least_and_the_most_that_it_may_come_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(HEAD + HELD_OUT + AXES + LOOKS)
    asked = ["plan", str(path), "--data", str(tmp_path), "--store", str(tmp_path / "store")]
    assert main([*asked, "--simulate", "cpus=4"]) == 0
    told = capsys.readouterr().out
    assert "looks: at 3, 5, 7 and 10 seeds, by val_accuracy of finetune on held-out" in told
    assert "from 6 to 20 cells; planned as if nothing open were ever settled" in told
    assert "at least, if the next look settles all: 15 stages, " in told
    assert "simulated as if all seeds up to the last look were asked for at once" in told
    assert main([*asked, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["cells"], values["least"]["cells"]) == (20, 6)
    least, most = values["least"]["costs"]["total"], values["costs"]["total"]
    assert 0 < least["missing"]["cpu_hours"] < most["missing"]["cpu_hours"]
    assert values["looks"][0]["differences"][0]["looks"] == []
    assert main(["diff", *asked[1:]]) == 0
    told = capsys.readouterr().out
    assert "15 of 15 stages would run, and what its looks then ask for" in told
    assert "0 of 4 taken, 1 of 1 difference open; the next at 3 seeds" in told
