from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests

from rotlab.reporting.comparison import compare
from rotlab.reporting.resampled import resampled
from rotnet.errors import UserError

Frame = Callable[..., pd.DataFrame]


def test_arms_are_the_rows_and_seeds_their_values(study: pd.DataFrame) -> None:
    [comparison] = compare(study, "accuracy")
    assert [arm.arm["modality"] for arm in comparison.arms] == ["rgb", "rgb", "dif", "dif"]
    assert comparison.arms[0].seed_means == (0.50, 0.52, 0.54)
    assert comparison.arms[0].arm == {"modality": "rgb", "init": "scratch"}
    assert comparison.chance == {"accuracy": 0.25}


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


def test_a_difference_of_arms_that_spread_alike_is_that_of_one_linear_model(
    study: pd.DataFrame,
) -> None:
    [comparison] = compare(study, "accuracy")
    rgb, dif = comparison.contrasts
    assert (rgb.setting, dif.setting) == ({"modality": "rgb"}, {"modality": "dif"})
    cells = pd.DataFrame({"arm": study.modality + study.init, "accuracy": study.accuracy})
    model = smf.ols("accuracy ~ 0 + arm", cells).fit()
    theirs = model.t_test("arm[difrotation] - arm[difscratch] = 0")
    assert dif.difference is not None
    assert dif.difference.how == "pooled"
    assert dif.difference.difference == pytest.approx(0.2)
    assert (dif.difference.low, dif.difference.high) == pytest.approx(tuple(theirs.conf_int()[0]))
    assert dif.difference.p == pytest.approx(float(theirs.pvalue))


def test_a_difference_of_arms_that_spread_otherwise_is_welchs(frame: Frame) -> None:
    values = {"scratch": (0.1, 0.5, 0.9, 0.2), "rotation": (0.60, 0.601, 0.602, 0.6)}
    rows = [
        {"init": init, "seed": seed, "accuracy": value}
        for init, held in values.items()
        for seed, value in enumerate(held)
    ]
    [contrast] = compare(frame(rows))[0].contrasts
    theirs = stats.ttest_ind(values["rotation"], values["scratch"], equal_var=False)
    assert contrast.difference is not None
    assert contrast.difference.how == "welch"
    assert contrast.difference.p == pytest.approx(float(theirs.pvalue))


def _staged(frame: Frame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A results frame in which each row says which stages stand behind it."""
    made = frame([{name: row[name] for name in row if name != "stages"} for row in rows])
    made["stages"] = pd.Series([row["stages"] for row in rows], dtype=object)
    return made


def test_arms_that_share_a_pretraining_are_paired_by_it(frame: Frame) -> None:
    values = {2: (0.30, 0.50, 0.70, 0.45), 4: (0.34, 0.53, 0.76, 0.48)}
    rows = [
        {"init": "rotation", "pretext.rotations": depth, "seed": seed, "accuracy": value}
        | {"stages": (f"pretrain-{seed}", f"finetune-{depth}-{seed}")}
        for depth, held in values.items()
        for seed, value in enumerate(held)
    ]
    [contrast] = compare(_staged(frame, rows), baseline={"pretext.rotations": 2})[0].contrasts
    theirs = stats.ttest_rel(values[4], values[2])
    assert contrast.difference is not None
    assert contrast.difference.how == "paired"
    assert contrast.difference.p == pytest.approx(float(theirs.pvalue))
    assert (contrast.difference.low, contrast.difference.high) == pytest.approx(
        tuple(theirs.confidence_interval(0.95))
    )


def test_equal_seeds_alone_make_no_pairs(frame: Frame) -> None:
    rows = [
        {"init": init, "seed": seed, "accuracy": base + seed / 10} | {"stages": (f"{init}-{seed}",)}
        for init, base in (("scratch", 0.1), ("rotation", 0.11))
        for seed in range(4)
    ]
    [contrast] = compare(_staged(frame, rows))[0].contrasts
    assert contrast.difference is not None
    assert contrast.difference.how == "pooled"


def test_seeds_that_share_one_pretraining_are_one_value(frame: Frame) -> None:
    rows = [
        {"init": "rotation", "seed": seed, "accuracy": 0.5 + seed / 10}
        | {"stages": ("pretrain-0", f"finetune-{seed}")}
        for seed in range(3)
    ]
    rows += [
        {"init": "scratch", "seed": seed, "accuracy": 0.2 + seed / 10}
        | {"stages": (f"scratch-{seed}",)}
        for seed in range(3)
    ]
    [comparison] = compare(_staged(frame, rows))
    assert comparison.arms[0].seed_means == pytest.approx((0.6,))
    assert [arm.estimate.n for arm in comparison.arms if arm.estimate] == [1, 3]
    [contrast] = comparison.contrasts
    assert contrast.difference is not None
    assert contrast.difference.p is None


def test_differences_are_one_family_by_holm(frame: Frame) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"init": init, "seed": seed, "accuracy": base + rng.normal(0, 0.05)}
        for init, base in (("scratch", 0.3), ("rotation", 0.5), ("pace", 0.35), ("order", 0.4))
        for seed in range(4)
    ]
    [comparison] = compare(frame(rows))
    found = [one.difference for one in comparison.contrasts if one.difference]
    theirs = multipletests([one.p for one in found], method="holm")[1]
    assert [one.adjusted_p for one in found] == pytest.approx(theirs.tolist())
    assert found[0].adjusted_p != found[0].p


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


def several(frame: Frame, *inits: str) -> pd.DataFrame:
    """Three measures of each init; frozen features have no scratch but the random network."""
    rows = []
    for place, init in enumerate(inits):
        for seed in (0, 1, 2):
            plain = {"init": init, "seed": seed}
            value = 0.3 + place / 10 + seed / 100
            rows += [
                plain | {"measure": "linear", "accuracy": value, "chance": 0.2},
                plain
                | {
                    "measure": "retrieval",
                    "recall_at_1": value,
                    "recall_at_5": value,
                    "chance": 0.21,
                    "chance_recall_at_1": 0.21,
                    "chance_recall_at_5": 0.6,
                    "mean_average_precision": value / 2,
                    "chance_mean_average_precision": 0.25,
                },
                plain | {"measure": "pretrain", "val_accuracy": value, "val_loss": 1.0},
            ]
    return frame(rows)


def test_each_measure_is_compared_by_its_own_metric(frame: Frame) -> None:
    study = several(frame, "random-frozen", "rotation")
    found = {one.measure: one for one in compare(study)}
    assert {name: one.metric for name, one in found.items()} == {
        "linear": "accuracy",
        "retrieval": "recall_at_1",
        "pretrain": "val_accuracy",
    }
    assert found["linear"].chance == {"accuracy": pytest.approx(0.2)}
    assert found["retrieval"].chance == pytest.approx(
        {"recall_at_1": 0.21, "mean_average_precision": 0.25}
    )
    assert [arm.beside for arm in found["retrieval"].arms] == [
        {"mean_average_precision": pytest.approx(0.155)},
        {"mean_average_precision": pytest.approx(0.205)},
    ]
    assert found["linear"].arms[0].beside == {}


def test_a_metric_that_is_asked_for_has_its_own_chance_or_none(frame: Frame) -> None:
    study = several(frame, "scratch", "rotation")
    by_measure = {one.measure: one for one in compare(study, "recall_at_5")}
    assert by_measure["retrieval"].chance == {"recall_at_5": 0.6}
    assert by_measure["linear"].instead == ("accuracy", "chance")
    by_measure = {one.measure: one for one in compare(study, "val_loss")}
    assert by_measure["pretrain"].chance == {}


def test_without_scratch_arms_are_set_against_the_random_network(frame: Frame) -> None:
    for untrained in ("scratch", "random-frozen"):
        for comparison in compare(several(frame, "rotation", "pace", untrained)):
            assert [contrast.baseline for contrast in comparison.contrasts] == [
                {"init": untrained}
            ] * 2
    both = compare(several(frame, "rotation", "random-frozen", "scratch"))
    assert {contrast.baseline["init"] for one in both for contrast in one.contrasts} == {"scratch"}


def test_all_labels_are_a_value_that_arms_are_equal_in(frame: Frame) -> None:
    rows = [
        {"init": init, "finetune.shots": shots, "seed": seed, "accuracy": 0.5 + seed / 10}
        for shots in (5, "none")
        for init in ("rotation", "scratch")
        for seed in (0, 1)
    ]
    [comparison] = compare(frame(rows, ["finetune.shots", "init"]))
    assert [one.setting for one in comparison.contrasts] == [
        {"finetune.shots": 5},
        {"finetune.shots": "none"},
    ]


def test_values_that_no_arm_has_all_at_once_are_no_baseline(frame: Frame) -> None:
    rows = [{"init": "scratch", "accuracy": 0.5}]
    rows += [{"init": "rotation", "pretext.rotations": 4, "accuracy": 0.5}]
    with pytest.raises(UserError, match=r'has init="scratch" and pretext.rotations=4, all at once'):
        compare(frame(rows), "accuracy", {"init": "scratch", "pretext.rotations": 4})


def test_the_chance_of_one_guess_is_not_that_of_other_accuracies(frame: Frame) -> None:
    cell = {"accuracy": 0.5, "chance": 0.2, "top5_accuracy": 0.9, "pretext.val_accuracy": 0.4}
    study = frame([cell, {"measure": "linear", "accuracy": 0.5, "chance": 0.2}])
    for metric, chance in (
        ("accuracy", {"accuracy": 0.2}),
        ("top5_accuracy", {}),
        ("pretext.val_accuracy", {}),
    ):
        assert compare(study, metric)[0].chance == chance
    assert compare(study, "top5_accuracy")[1].chance == {}


def test_arms_of_one_seed_are_compared_over_random_splits_where_asked(frame: Frame) -> None:
    rows = [
        {"init": init, "seed": 0, "split": split, "accuracy": base + split * slope}
        for init, base, slope in (("scratch", 0.3, 0.01), ("rotation", 0.4, 0.02))
        for split in (1, 2, 3, 4)
    ]
    [plain] = compare(frame(rows))[0].contrasts
    assert plain.difference is not None
    assert plain.difference.p is None
    [contrast] = compare(frame(rows), test_share=0.25)[0].contrasts
    theirs = resampled([0.11, 0.12, 0.13, 0.14], 0.25)
    assert contrast.difference is not None
    assert contrast.difference.how == "resampled"
    assert contrast.difference.n == (4, 4)
    assert contrast.difference.p == pytest.approx(theirs.p)
