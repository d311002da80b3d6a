"""Settings of some arms that are nothing to compare."""

from collections.abc import Callable

import pytest

from tests.rotlab.planning.asking import MakePlan, arms, refused

OVERRIDE = (
    "axes: {init: [rotation, scratch]}\n"
    "overrides:\n"
    "  - {when: {init: scratch}, set: {finetune.epochs: 99, pretrain.lr: 1}, because: as long}\n"
)


def test_an_override_changes_the_stages_of_matching_arms_only(plan: MakePlan) -> None:
    plain = plan("axes: {init: [rotation, scratch]}\n")
    long = plan("init: scratch\nfinetune: {epochs: 99}\n")
    made = plan(OVERRIDE)
    assert arms(made) == arms(plain)
    rotation, scratch = made.cells
    assert rotation.stages == plain.cells[0].stages
    assert scratch.stages == long.cells[0].stages
    assert (rotation.overrides, scratch.overrides) == ({}, {"finetune.epochs": 99})
    assert not made.warnings


def test_an_override_is_shown_in_the_plan_with_its_reason(
    outlined: Callable[[str], tuple[str, dict[str, object]]],
) -> None:
    text, values = outlined(OVERRIDE)
    assert (
        "overridden: 1 arm with finetune.epochs=99, pretrain.lr=1.0: as long\n  init=scratch"
        in text
    )
    assert values["overridden"] == [
        {
            "settings": {"finetune.epochs": 99, "pretrain.lr": 1.0},
            "because": "as long",
            "arms": [{"init": "scratch"}],
        }
    ]


def test_of_two_overrides_the_later_has_the_last_word(plan: MakePlan) -> None:
    made = plan(OVERRIDE + "  - {when: {init: scratch}, set: {finetune.epochs: 50}, because: no}\n")
    assert made.cells[1].overrides == {"finetune.epochs": 50}


def test_an_override_that_changes_nothing_is_a_warning_with_its_line(plan: MakePlan) -> None:
    axes = "axes: {init: [rotation, scratch]}\noverrides:\n"
    for text in (
        "  - {when: {init: scratch}, set: {pretrain.lr: 1}, because: it has none}\n",
        "  - {when: {init: pace}, set: {finetune.epochs: 9}, because: there is none}\n",
    ):
        (warning,) = plan(axes + text).warnings
        assert warning == "line 6 overrides: changes nothing in any arm"


def test_overrides_that_do_not_go_with_an_arm_are_told_with_it(plan: MakePlan) -> None:
    text = OVERRIDE.replace("finetune.epochs: 99", "finetune.epochs: 1")
    (said,) = refused(plan, text)
    assert said.startswith("5 overrides: warmup_epochs must be below epochs, got 2 of 1")
    assert "finetune.epochs=1" in said


HEAD = "axes: {init: [rotation, scratch], clip.frames: [4, 8]}\noverrides:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "  - 3", "6 overrides: must be a mapping (when, set, because), got 3"),
        (HEAD + "  - {set: {finetune.epochs: 3}, because: x}", "6 overrides: needs `when`"),
        (HEAD + "  - {when: {init: scratch}, because: x}", "6 overrides: needs `set`"),
        (
            HEAD + "  - {when: {init: scratch}, set: {finetune.epochs: 3}}",
            "6 overrides.because: is missing",
        ),
        (
            HEAD + "  - {when: {init: scratch}, set: {finetune.epoch: 3}, because: x}",
            "6 overrides.set.finetune.epoch: unknown setting 'finetune.epoch'; did you mean",
        ),
        (
            HEAD + "  - {when: {init: scratch}, set: {finetune.epochs: -3}, because: x}",
            "6 overrides.set.finetune.epochs: must be greater than 0, got -3",
        ),
        (
            HEAD + "  - {when: {init: scratch}, set: {clip.frames: 3}, because: x}",
            "6 overrides.set.clip.frames: is an axis",
        ),
        (
            HEAD + "  - {when: {init: scratch}, set: {modality: dif}, because: x}",
            "6 overrides.set.modality: is chosen, not set",
        ),
        (
            HEAD + "  - {when: {init: scratch}, set: {runtime.workers: 3}, because: x}",
            "6 overrides.set.runtime.workers: changes no result",
        ),
    ],
)
def test_what_is_wrong_with_an_override_is_one_problem_with_its_line(
    plan: MakePlan, text: str, expected: str
) -> None:
    (only,) = refused(plan, f"{text}\n")
    assert expected in only
