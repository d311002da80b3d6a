from collections.abc import Callable

import pandas as pd
import pytest
from scipy import stats

from rotlab.reporting.comparison import compare
from rotnet.errors import UserError

Frame = Callable[..., pd.DataFrame]


def test_arms_are_the_rows_and_seeds_their_values(study: pd.DataFrame) -> None:
    [comparison] = compare(study, "accuracy")
    assert [arm.arm["modality"] for arm in comparison.arms] == ["rgb", "rgb", "dif", "dif"]
    assert comparison.arms[0].seed_means == (0.50, 0.52, 0.54)
    assert comparison.arms[0].arm == {"modality": "rgb", "init": "scratch"}
    assert comparison.chance == 0.25


def test_splits_are_averaged_within_a_seed(frame: Frame) -> None:
    rows = [
        {"seed": seed, "split": split, "accuracy": seed + split / 10}
        for seed in (0, 1)
        for split in (1, 2, 3)
    ]
    [comparison] = compare(frame(rows), "accuracy")
    [arm] = comparison.arms
    assert arm.seed_means == pytest.approx((0.2, 1.2))
    assert arm.estimate is not None
    assert arm.estimate.n == 2


def test_a_seed_with_a_missing_split_does_not_count_and_is_told(frame: Frame) -> None:
    rows = [
        {"seed": 0, "split": 1, "accuracy": 0.1},
        {"seed": 0, "split": 2, "accuracy": 0.2},
        {"seed": 1, "split": 1, "accuracy": 0.9},
        {"seed": 1, "split": 2, "state": "MISSING"},
    ]
    [comparison] = compare(frame(rows), "accuracy")
    [arm] = comparison.arms
    assert arm.seed_means == pytest.approx((0.15,))
    assert (arm.missing, arm.cells) == (1, 4)


@pytest.mark.parametrize("state", ["FAILED", "KILLED", "CANCELLED", "RUNNING", "MISSING"])
def test_a_cell_that_has_not_ended_well_has_no_value(frame: Frame, state: str) -> None:
    rows = [{"seed": 0, "accuracy": 0.9, "state": state}, {"seed": 1, "accuracy": 0.5}]
    [comparison] = compare(frame(rows), "accuracy")
    assert comparison.arms[0].seed_means == (0.5,)


def test_a_difference_is_welchs_on_seed_means(study: pd.DataFrame) -> None:
    [comparison] = compare(study, "accuracy")
    rgb, dif = comparison.contrasts
    assert (rgb.setting, dif.setting) == ({"modality": "rgb"}, {"modality": "dif"})
    theirs = stats.ttest_ind((0.60, 0.62, 0.61), (0.40, 0.42, 0.41), equal_var=False)
    assert dif.difference is not None
    assert dif.difference.difference == pytest.approx(0.2)
    assert (dif.difference.low, dif.difference.high) == pytest.approx(
        tuple(theirs.confidence_interval(0.95))
    )


def test_every_rotation_arm_is_compared_with_the_scratch_arm_that_has_no_such_axis(
    frame: Frame,
) -> None:
    rows = [{"init": "scratch", "modality": m, "accuracy": 0.5} for m in ("rgb", "dif")]
    rows += [
        {"init": "rotation", "modality": m, "pretext.rotations": r, "accuracy": 0.5 + r / 100}
        for m in ("rgb", "dif")
        for r in (2, 4)
    ]
    [comparison] = compare(frame(rows), "accuracy")
    found = [
        (contrast.setting["modality"], contrast.setting["pretext.rotations"])
        for contrast in comparison.contrasts
    ]
    assert found == [("rgb", 2), ("rgb", 4), ("dif", 2), ("dif", 4)]
    assert [round(c.difference.difference, 3) for c in comparison.contrasts if c.difference] == [
        0.02,
        0.04,
        0.02,
        0.04,
    ]


def test_sets_of_ones_own_are_axis_values_like_others(frame: Frame) -> None:
    rows = [
        {"pretext.rotations": value, "seed": seed, "accuracy": 0.5}
        for value in (4, {"angles": [0, 90]})
        for seed in (0, 1)
    ]
    [comparison] = compare(frame(rows), "accuracy")
    assert [arm.cells for arm in comparison.arms] == [2, 2]


def test_without_scratch_there_are_no_differences(frame: Frame) -> None:
    rows = [{"modality": m, "accuracy": 0.5} for m in ("rgb", "dif")]
    [comparison] = compare(frame(rows, ["modality"]), "accuracy")
    assert comparison.contrasts == ()


def test_a_difference_from_an_arm_without_results_says_whose_are_missing(frame: Frame) -> None:
    rows = [{"init": "scratch", "state": "MISSING"}, {"init": "rotation", "accuracy": 0.5}]
    [comparison] = compare(frame(rows), "accuracy")
    [contrast] = comparison.contrasts
    assert (contrast.difference, contrast.without) == (None, ("baseline",))


def test_targets_and_measures_are_never_mixed(frame: Frame) -> None:
    rows = [
        {"target": target, "measure": measure, "accuracy": 0.5}
        for target in ("a", "b")
        for measure in ("finetune", "linear")
    ]
    found = [(c.target, c.measure, c.arms[0].cells) for c in compare(frame(rows), "accuracy")]
    assert found == [
        ("a", "finetune", 1),
        ("a", "linear", 1),
        ("b", "finetune", 1),
        ("b", "linear", 1),
    ]


def test_pretext_accuracy_counts_a_pretraining_once_however_many_splits(frame: Frame) -> None:
    rows = [
        {"seed": 0, "split": 1, "accuracy": 0.5, "pretext.val_accuracy": 0.6},
        {"seed": 0, "split": 2, "accuracy": 0.5, "pretext.val_accuracy": 0.6},
        {"seed": 0, "split": 3, "accuracy": 0.5, "pretext.val_accuracy": 0.6},
        {"seed": 1, "split": 1, "accuracy": 0.5, "pretext.val_accuracy": 0.8},
    ]
    [comparison] = compare(frame(rows), "accuracy")
    assert comparison.arms[0].pretext == {"": pytest.approx(0.7)}


def test_an_unknown_metric_is_one_line_with_those_there_are(study: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"'acuracy'; did you mean 'accuracy'\? \(accuracy, chance"):
        compare(study, "acuracy")


def test_a_study_without_any_result_is_all_missing_and_no_error(frame: Frame) -> None:
    [comparison] = compare(
        frame([{"state": "MISSING"}, {"seed": 1, "state": "MISSING"}]), "accuracy"
    )
    assert (comparison.arms[0].missing, comparison.arms[0].estimate) == (2, None)


def test_any_arm_can_be_the_baseline(frame: Frame) -> None:
    rows = [
        {"modality": modality, "init": init, "pretext.rotations": rotations, "seed": seed}
        | {"accuracy": base + seed / 100}
        for modality, init, rotations, base in (
            ("rgb", "scratch", None, 0.2),
            ("rgb", "rotation", 2, 0.4),
            ("rgb", "rotation", 4, 0.7),
            ("dif", "rotation", 2, 0.1),
            ("dif", "rotation", 4, 0.9),
        )
        for seed in (0, 1, 2)
    ]
    [comparison] = compare(frame(rows), "accuracy", {"pretext.rotations": 2})
    found = {c.setting["modality"]: c.difference for c in comparison.contrasts}
    assert {m: round(d.difference, 9) for m, d in found.items() if d} == {"rgb": 0.3, "dif": 0.8}


def test_a_baseline_that_no_arm_is_is_refused(study: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="did you mean 'init'"):
        compare(study, "accuracy", {"inti": "scratch"})
    with pytest.raises(UserError, match='no arm has init="scratsh"; there are "scratch", "rot'):
        compare(study, "accuracy", {"init": "scratsh"})
