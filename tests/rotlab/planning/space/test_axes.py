"""What varies: axes by themselves, in step, and for some arms only."""

import pytest

from tests.rotlab.planning.asking import MakePlan, arms, refused


def test_a_zip_of_n_steps_has_n_arms(plan: MakePlan) -> None:
    made = plan("zip: [{clip.frames: [4, 8, 16], clip.stride: [4, 2, 1]}]\n")
    assert arms(made) == [
        {"clip.frames": frames, "clip.stride": stride}
        for frames, stride in ((4, 4), (8, 2), (16, 1))
    ]


def test_a_zip_is_the_diagonal_of_its_axes(plan: MakePlan) -> None:
    zipped = plan(
        "zip: [{clip.frames: [4, 8], clip.stride: [4, 2]}]\naxes: {init: [rotation, scratch]}\n"
    )
    crossed = plan(
        "axes: {init: [rotation, scratch], clip.frames: [4, 8], clip.stride: [4, 2]}\n"
        "exclude:\n"
        "  - {when: {clip.frames: 4, clip.stride: 2}, because: off the diagonal}\n"
        "  - {when: {clip.frames: 8, clip.stride: 4}, because: off the diagonal}\n"
    )
    assert list(zipped.stages) == list(crossed.stages)
    assert arms(zipped) == arms(crossed)


def test_zipped_values_need_only_go_with_one_another(plan: MakePlan) -> None:
    made = plan("zip: [{clip.size: [32, 64], clip.resize: [36, 72]}]\n")
    assert [arm["clip.size"] for arm in arms(made)] == [32, 64]


def test_a_zipped_value_may_come_again_but_a_step_may_not(plan: MakePlan) -> None:
    assert plan("zip: [{clip.frames: [4, 8, 8], clip.stride: [2, 2, 1]}]\n").num_arms == 3
    (said,) = refused(plan, "zip: [{clip.frames: [4, 4], clip.stride: [1, 1]}]\n")
    assert said.startswith("4 zip.clip.frames: step 2 is equal to step 1")


def test_an_axis_that_nothing_of_a_zip_reads_collapses_with_it(plan: MakePlan) -> None:
    made = plan("zip: [{pretext.rotations: [2, 4], pretrain.lr: [0.1, 0.2]}]\ninit: scratch\n")
    assert arms(made) == [{}]
    assert made.collapsed[0].axes == ("pretext.rotations", "pretrain.lr")


FREEZE = "finetune.freeze: {values: [0, 2, 4], when: {init: rotation}}"


def test_a_conditional_axis_changes_nothing_where_it_does_not_hold(plan: MakePlan) -> None:
    without = plan("axes: {init: [rotation, scratch]}\n")
    made = plan(f"axes: {{init: [rotation, scratch], {FREEZE}}}\n")
    scratch = [cell for cell in made.cells if cell.arm["init"] == "scratch"]
    assert [(dict(cell.arm), cell.stages) for cell in scratch] == [
        (dict(cell.arm), cell.stages) for cell in without.cells if cell.arm["init"] == "scratch"
    ]
    held = [cell.arm["finetune.freeze"] for cell in made.cells if cell.arm["init"] == "rotation"]
    assert held == [0, 2, 4]
    assert not made.warnings


def test_where_an_axis_does_not_hold_the_fixed_value_does(plan: MakePlan) -> None:
    made = plan(f"finetune: {{freeze: 1}}\naxes: {{init: [rotation, scratch], {FREEZE}}}\n")
    alone = plan("finetune: {freeze: 1}\ninit: scratch\n")
    (scratch,) = [cell for cell in made.cells if cell.arm == {"init": "scratch"}]
    assert scratch.stages == alone.cells[0].stages


def test_the_first_condition_that_holds_gives_the_values(plan: MakePlan) -> None:
    made = plan(
        "axes:\n  modality: [rgb, dif]\n"
        "  pretrain.lr: [{values: [1, 0.5], when: {modality: dif}}, {values: [0.1]}]\n"
    )
    assert arms(made) == [
        {"modality": "rgb", "pretrain.lr": 0.1},
        {"modality": "dif", "pretrain.lr": 1.0},
        {"modality": "dif", "pretrain.lr": 0.5},
    ]


def test_a_condition_may_name_a_conditional_axis_that_stands_later(plan: MakePlan) -> None:
    made = plan(
        "axes:\n"
        "  clip.stride: {values: [1, 2], when: {finetune.freeze: 4}}\n"
        f"  {FREEZE}\n"
        "  init: [rotation, scratch]\n"
    )
    assert arms(made) == [
        {"init": "scratch"},
        {"finetune.freeze": 0, "init": "rotation"},
        {"finetune.freeze": 2, "init": "rotation"},
        {"clip.stride": 1, "finetune.freeze": 4, "init": "rotation"},
        {"clip.stride": 2, "finetune.freeze": 4, "init": "rotation"},
    ]


def test_a_condition_does_not_see_an_axis_that_an_arm_has_not(plan: MakePlan) -> None:
    made = plan(
        "axes:\n  init: [rotation, scratch]\n  pretext.rotations: [2, 4]\n"
        "  finetune.freeze: {values: [0, 2], when: {pretext.rotations: 4}}\n"
    )
    assert [arm for arm in arms(made) if arm["init"] == "scratch"] == [{"init": "scratch"}]


def test_a_condition_on_init_holds_under_any_name_of_the_same_work(plan: MakePlan) -> None:
    made = plan(
        "measure: [linear]\naxes:\n  init: [random-frozen, scratch, rotation]\n"
        "  linear.clips: {values: [1, 2], when: {init: scratch}}\n"
    )
    assert arms(made) == [
        {"init": "random-frozen", "linear.clips": 1},
        {"init": "random-frozen", "linear.clips": 2},
        {"init": "rotation"},
    ]


def test_a_condition_that_never_holds_is_a_warning_with_its_line(plan: MakePlan) -> None:
    made = plan(
        "axes:\n  init: [rotation]\n"
        "  finetune.freeze:\n    values: [0, 2]\n    when: {init: scratch}\n"
    )
    assert made.num_arms == 1
    (warning,) = made.warnings
    assert warning.startswith("line 8 axes.finetune.freeze: its condition holds for no arm")


def test_conditions_of_exclusive_branches_do_not_count_as_combinations(plan: MakePlan) -> None:
    inits = ["rotation", "pace", "scratch", "random-frozen"]
    values = ", ".join(str(n) for n in range(1, 41))
    names = ["pretrain.gamma", "pretrain.batch_size", "finetune.batch_size", "evaluate.clips"]
    axes = "".join(
        f"  {name}: {{values: [{values}], when: {{init: {init}}}}}\n"
        for init, name in zip(inits, names, strict=True)
    )
    text = f"axes:\n  init: [{', '.join(inits)}]\n{axes}"
    assert plan(text).num_arms == 4 * 40


def test_more_conditional_combinations_than_anyone_means_are_refused(plan: MakePlan) -> None:
    many = list(range(3, 53))
    axes = "".join(
        f"  finetune.{name}: {{values: {many}, when: {{init: scratch}}}}\n"
        for name in ("epochs", "batch_size", "lr", "gamma")
    )
    (said,) = refused(plan, f"axes:\n{axes}  init: [scratch, rotation]\n")
    assert said == "4 axes: more than 1,000,000 combinations of values; take some away"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zip: 3", "4 zip: must be a list"),
        ("zip: [3]", "4 zip: must be a mapping of axes to lists of values, got 3"),
        ("zip: [{clip.frames: [4, 8]}]", "4 zip: needs two axes or more"),
        (
            "zip: [{clip.frames: [4, 8], clip.stride: [1]}]",
            "4 zip: axes that vary together need equally many values: "
            "clip.frames has 2, clip.stride has 1",
        ),
        (
            "zip: [{clip.frames: [4, 8], clip.strid: [1, 2]}]",
            "4 zip.clip.strid: unknown setting 'clip.strid'; did you mean 'clip.stride'?",
        ),
        (
            "zip:\n  - clip.frames: [4, 8]\n    clip.stride: [1, 0]",
            "6 zip.clip.stride: must be greater than 0, got 0",
        ),
        (
            "zip: [{clip.frames: [4, 8], init: [scratch, rotation], when: {modality: rgb}}]",
            "4 zip.when: init is chosen for every arm",
        ),
        (
            "axes: {clip.frames: [4]}\nzip: [{clip.frames: [4, 8], clip.stride: [1, 2]}]",
            "5 zip.clip.frames: varies in line 4 already",
        ),
        (
            "clip: {stride: 1}\nzip: [{clip.frames: [4, 8], clip.stride: [1, 2]}]",
            "5 zip.clip.stride: is fixed in line 4 and an axis as well",
        ),
        (
            "clip: {stride: 1}\naxes: {clip.stride: [{values: [4], when: {init: scratch}}, "
            "{values: [2]}]}",
            "5 axes.clip.stride.values: is fixed in line 4 and an axis as well",
        ),
        (
            "axes: {clip.frames: {value: [4], when: {init: scratch}}}",
            "4 axes.clip.frames.value: unknown name 'value'; did you mean 'values'?",
        ),
        ("axes: {clip.frames: {when: {init: scratch}}}", "4 axes.clip.frames: needs values"),
        (
            "axes: {clip.frames: {values: [4, 8], when: {}}}",
            "4 axes.clip.frames.when: names no axis",
        ),
        (
            "axes: {clip.frames: {values: [4, 8], when: {int: scratch}}}",
            "4 axes.clip.frames.when.int: unknown axis 'int'; did you mean 'init'?",
        ),
        (
            "axes: {clip.frames: {values: [4, 8], when: {init: scrach}}}",
            "4 axes.clip.frames.when.init: unknown init 'scrach'; did you mean 'scratch'?",
        ),
        (
            "axes: {clip.stride: [1, 2], clip.frames: {values: [4], when: {clip.stride: one}}}",
            "4 axes.clip.frames.when.clip.stride: must be a whole number, got 'one'",
        ),
        (
            "axes: {clip.frames: {values: [4, x], when: {init: scratch}}}",
            "4 axes.clip.frames.values: must be a whole number, got 'x'",
        ),
        (
            "axes: {init: {values: [scratch], when: {modality: rgb}}}",
            "4 axes.init.when: init is chosen for every arm",
        ),
        (
            "axes: {clip.frames: [{values: [4]}, {values: [8], when: {init: scratch}}]}",
            "4 axes.clip.frames: holds for every arm",
        ),
        (
            "axes:\n  clip.frames: {values: [4], when: {clip.stride: 1}}\n"
            "  clip.stride: {values: [1], when: {clip.frames: 4}}",
            "5 axes.clip.frames.when: depends on itself: clip.frames <- clip.stride <- clip.frames",
        ),
    ],
)
def test_what_is_wrong_with_an_axis_is_one_problem_with_its_line(
    plan: MakePlan, text: str, expected: str
) -> None:
    (only,) = refused(plan, f"{text}\n")
    assert expected in only
