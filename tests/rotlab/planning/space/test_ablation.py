"""One thing at a time around a baseline."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.problems import SpecError

MakePlan = Callable[[str], Plan]


def arms(plan: Plan) -> list[dict[str, object]]:
    return [dict(cell.arm) for cell in plan.cells]


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), which=st.randoms())
def test_there_are_as_many_arms_as_values_less_one_an_axis_and_one(
    plan: MakePlan, sizes: list[int], which: Any
) -> None:
    names = ["clip.frames", "clip.stride", "finetune.batch_size", "evaluate.clips"][: len(sizes)]
    axes = {name: list(range(1, size + 1)) for name, size in zip(names, sizes, strict=True)}
    baseline = {name: which.choice(values) for name, values in axes.items()}
    made = plan(f"axes: {axes}\nablate: {baseline}\n")
    assert made.num_arms == 1 + sum(size - 1 for size in sizes)
    assert made.baseline == baseline
    off = [sum(cell.arm[name] != baseline[name] for name in names) for cell in made.cells]
    assert sorted(off) == [0] + [1] * (made.num_arms - 1)
    assert [made.is_baseline(cell.arm) for cell in made.cells] == [not one for one in off]


def test_its_arms_are_among_those_of_the_grid(plan: MakePlan) -> None:
    axes = "axes: {clip.frames: [4, 8, 16], init: [rotation, scratch], finetune.lr: [0.1, 0.2]}\n"
    whole = plan(axes)
    made = plan(axes + "ablate: {clip.frames: 8, init: rotation, finetune.lr: 0.1}\n")
    assert made.num_arms == 5
    cells = [(dict(cell.arm), cell.stages) for cell in whole.cells]
    assert all((dict(cell.arm), cell.stages) in cells for cell in made.cells)


def test_axes_that_the_baseline_does_not_name_are_crossed_with_all(plan: MakePlan) -> None:
    made = plan(
        "axes: {modality: [rgb, dif], clip.frames: [4, 8, 16], init: [rotation, scratch]}\n"
        "ablate: {clip.frames: 8, init: rotation}\n"
    )
    assert made.num_arms == 2 * (1 + 2 + 1)
    assert [cell.arm["modality"] for cell in made.cells if made.is_baseline(cell.arm)] == [
        "rgb",
        "dif",
    ]


def test_axes_in_step_are_one_thing(plan: MakePlan) -> None:
    zipped = (
        "zip: [{clip.frames: [4, 8, 16], clip.stride: [4, 2, 1]}]\naxes: {finetune.lr: [0.1, 1]}\n"
    )
    made = plan(zipped + "ablate: {clip.stride: 2, finetune.lr: 0.1}\n")
    assert made.num_arms == 1 + 2 + 1
    assert made.baseline == {"clip.frames": 8, "clip.stride": 2, "finetune.lr": 0.1}


def test_an_axis_that_only_other_arms_have_takes_the_baselines_value_there(plan: MakePlan) -> None:
    made = plan(
        "axes:\n  init: [scratch, rotation]\n"
        "  finetune.freeze: {values: [0, 2], when: {init: rotation}}\n"
        "ablate: {init: scratch, finetune.freeze: 2}\n"
    )
    assert arms(made) == [{"init": "scratch"}, {"init": "rotation", "finetune.freeze": 2}]


def test_a_baselines_value_that_a_branch_has_not_is_the_branchs_first(plan: MakePlan) -> None:
    made = plan(
        "axes:\n  modality: [rgb, dif]\n"
        "  pretrain.lr: [{values: [3, 4], when: {modality: dif}}, {values: [1, 2]}]\n"
        "ablate: {modality: rgb, pretrain.lr: 2}\n"
    )
    assert arms(made) == [
        {"modality": "rgb", "pretrain.lr": 1.0},
        {"modality": "rgb", "pretrain.lr": 2.0},
        {"modality": "dif", "pretrain.lr": 3.0},
    ]


def test_many_axes_make_few_arms(plan: MakePlan) -> None:
    names = ["epochs", "batch_size", "lr", "weight_decay", "gamma", "freeze"]
    values = {name: [3, 4] if name == "freeze" else list(range(3, 43)) for name in names}
    axes = "".join(f"  finetune.{name}: {values[name]}\n" for name in names)
    baseline = ", ".join(f"finetune.{name}: 3" for name in names)
    assert plan(f"axes:\n{axes}ablate: {{{baseline}}}\n").num_arms == 1 + 5 * 39 + 1


def test_a_baseline_has_the_axes_that_its_arm_has_and_none_where_it_is_left_out(
    plan: MakePlan,
) -> None:
    axes = "axes: {init: [scratch, rotation], pretext.rotations: [2, 4]}\n"
    made = plan(axes + "ablate: {init: scratch, pretext.rotations: 4}\n")
    assert made.baseline == {"init": "scratch"}
    assert arms(made) == [{"init": "scratch"}, {"init": "rotation", "pretext.rotations": 4}]
    exclude = "exclude: [{when: {init: scratch}, because: dear}]\n"
    made = plan(axes + exclude + "ablate: {init: scratch, pretext.rotations: 4}\n")
    assert made.baseline == {}
    (warning,) = made.warnings
    assert warning.startswith("line 6 ablate: the baseline is left out")


def test_a_plan_names_its_baseline(
    outlined: Callable[[str], tuple[str, dict[str, Any]]],
) -> None:
    text, values = outlined("axes: {clip.frames: [4, 8]}\nablate: {clip.frames: 8}\n")
    assert "baseline: clip.frames=8; the others differ from it in one thing" in text
    assert values["baseline"] == {"clip.frames": 8}


AXES = "axes: {clip.frames: [4, 8], finetune.lr: [1, 2]}\n"
ZIP = "zip: [{clip.frames: [4, 8, 8], clip.stride: [2, 2, 1]}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ablate: {clip.frames: 4}", "4 ablate: needs axes or zip"),
        (AXES + "ablate: 4", "5 ablate: must be a mapping (clip.frames, finetune.lr), got 4"),
        (AXES + "ablate: {}", "5 ablate: names no axis"),
        (AXES + "ablate: {clip.frame: 4}", "5 ablate.clip.frame: unknown axis 'clip.frame'; did"),
        (AXES + "ablate: {clip.frames: 16}", "5 ablate.clip.frames: unknown value 16"),
        (AXES + "ablate: {finetune.lr: x}", "5 ablate.finetune.lr: must be a number, got 'x'"),
        (ZIP + "ablate: {clip.frames: 8}", "5 ablate.clip.frames: 2 steps have what it names"),
        (ZIP + "ablate: {clip.frames: 4, clip.stride: 1}", "ablate.clip.frames: no step has"),
    ],
)
def test_what_is_wrong_with_a_baseline_is_one_problem_with_its_line(
    plan: MakePlan, text: str, expected: str
) -> None:
    with pytest.raises(SpecError) as caught:
        plan(f"{text}\n")
    (only,) = caught.value.problems
    assert expected in f"{only.line} {only.where}: {only.text}"
