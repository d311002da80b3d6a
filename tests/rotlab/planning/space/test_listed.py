"""Arms given one by one."""

import pytest

from tests.rotlab.planning.asking import MakePlan, arms, refused


def test_arms_may_stand_instead_of_a_grid(plan: MakePlan) -> None:
    made = plan("arms: [{init: scratch, finetune.epochs: 247}, {clip.frames: 4}]\n")
    assert arms(made) == [
        {"init": "scratch", "finetune.epochs": 247, "clip.frames": 8},
        {"init": "rotation", "finetune.epochs": 40, "clip.frames": 4},
    ]


def test_an_arm_is_what_the_file_that_fixes_its_values_asks_for(plan: MakePlan) -> None:
    (_, listed) = plan("arms: [{init: scratch}, {clip.frames: 4, finetune.lr: 1e-2}]\n").cells
    (alone,) = plan("clip: {frames: 4}\nfinetune: {lr: 0.01}\n").cells
    assert listed.stages == alone.stages


def test_an_arm_beside_a_grid_gives_all_arms_its_axes(plan: MakePlan) -> None:
    grid = plan("axes: {init: [rotation, scratch]}\n")
    made = plan("axes: {init: [rotation, scratch]}\narms: [{init: scratch, finetune.epochs: 99}]\n")
    assert arms(made) == [
        {"init": "rotation", "finetune.epochs": 40},
        {"init": "scratch", "finetune.epochs": 40},
        {"init": "scratch", "finetune.epochs": 99},
    ]
    assert [cell.stages for cell in made.cells][:2] == [cell.stages for cell in grid.cells]


def test_an_arm_that_the_grid_has_already_is_one_arm(plan: MakePlan) -> None:
    made = plan("axes: {clip.frames: [4, 8]}\narms: [{clip.frames: 8}, {clip.frames: 16}]\n")
    assert [arm["clip.frames"] for arm in arms(made)] == [4, 8, 16]


def test_what_arms_do_not_name_is_as_the_file_fixes_it(plan: MakePlan) -> None:
    made = plan("clip: {frames: 4}\narms: [{clip.frames: 16}, {init: scratch}]\n")
    assert [arm["clip.frames"] for arm in arms(made)] == [16, 4]
    (said,) = refused(plan, "clip: {frames: 4}\narms: [{clip.frames: 16}, {clip.frames: 8}]\n")
    assert said.startswith("5 arms.clip.frames: is fixed in line 4 and an axis as well")


def test_listed_arms_collapse_and_are_excluded_as_others_are(plan: MakePlan) -> None:
    made = plan(
        "arms:\n"
        "  - {init: scratch, pretrain.lr: 0.1}\n"
        "  - {init: scratch, pretrain.lr: 0.2}\n"
        "  - {pretrain.lr: 1}\n"
        "exclude: [{when: {pretrain.lr: 1}, because: too fast}]\n"
    )
    assert arms(made) == [{"init": "scratch"}]
    assert made.collapsed[0].axes == ("pretrain.lr",)
    assert made.excluded[0].because == "too fast"


def test_a_conditional_axis_that_a_listed_arm_does_not_name_it_does_not_have(
    plan: MakePlan,
) -> None:
    made = plan(
        "axes:\n  init: [rotation, scratch]\n"
        "  finetune.freeze: {values: [2], when: {init: rotation}}\n"
        "arms: [{init: pace}, {init: scratch, finetune.freeze: 4}]\n"
    )
    assert arms(made)[2:] == [{"init": "pace"}, {"init": "scratch", "finetune.freeze": 4}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arms: 3", "4 arms: must be a list"),
        ("arms: []", "4 arms: is empty"),
        ("arms: [{}]", "4 arms: must be a mapping of axes to a value each, got {}"),
        (
            "arms:\n  - {init: rotation}\n  - {clip.frame: 3}",
            "6 arms.clip.frame: unknown setting 'clip.frame'; did you mean 'clip.frames'?",
        ),
        ("arms: [{clip.frames: x}]", "4 arms.clip.frames: must be a whole number, got 'x'"),
        ("arms: [{init: scrach}]", "4 arms.init: unknown init 'scrach'; did you mean 'scratch'?"),
        ("arms: [{seed: 3}]", "4 arms.seed: a seed is no axis"),
        ("arms: [{runtime.workers: 3}]", "4 arms.runtime.workers: changes no result"),
    ],
)
def test_what_is_wrong_with_an_arm_is_one_problem_with_its_line(
    plan: MakePlan, text: str, expected: str
) -> None:
    (only,) = refused(plan, f"{text}\n")
    assert expected in only
