import pytest

from rotlab.planning.plan.baselines import SCRATCH
from rotlab.reporting.contrasts import Contrast
from rotlab.reporting.scale import scale_of
from rotlab.reporting.sentences import sentence
from rotlab.reporting.statistics import Difference

_ACCURACY = scale_of("accuracy")
_CLEAR = Difference(0.1, (3, 3), 0.05, 0.15, p=0.012, effect=3.14)


def _contrast(difference: Difference | None, **setting: object) -> Contrast:
    without = () if difference else ("baseline",)
    return Contrast({"init": "rotation"}, SCRATCH, setting, difference, without)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (
            Difference(0.123, (3, 3), 0.041, 0.205, p=0.0001, effect=3.14),
            "Rotation pretraining helps for dif: +12.3 points [4.1, 20.5] (n=3, p<0.001, g=3.1)",
        ),
        (
            Difference(-0.123, (4, 3), -0.205, -0.041, p=0.01, adjusted_p=0.03),
            "Rotation pretraining hurts for dif: -12.3 points [-20.5, -4.1] (n=4 and 3, p=0.030)",
        ),
        (
            Difference(0.012, (3, 3), -0.03, 0.054, p=0.4),
            "No difference shown for dif: +1.2 points [-3.0, 5.4] (n=3, p=0.400)",
        ),
        (
            Difference(0.123, (3, 3), 0.001, 0.245, p=0.049, adjusted_p=0.098),
            "No difference shown once all are judged together for dif: +12.3 points [0.1, 24.5] "
            "(n=3, p=0.098)",
        ),
        (
            Difference(0.123, (3, 2), 0.041, 0.205),
            "Too few seeds to test for dif: +12.3 points [4.1, 20.5] (n=3 and 2)",
        ),
        (
            Difference(0.123, (4, 4), 0.041, 0.205, p=0.02, effect=1.2, how="paired"),
            "Rotation pretraining helps for dif: +12.3 points [4.1, 20.5] "
            "(n=4 pairs, p=0.020, g=1.2)",
        ),
        (Difference(0.012, (1, 1), None, None), "Too few seeds to tell for dif: +1.2 points (n=1)"),
        (
            Difference(0.5, (2, 2), None, None),
            "No spread between seeds to judge by for dif: +50.0 points (n=2)",
        ),
        (None, "Nothing to compare yet for dif: no whole seed of scratch"),
    ],
)
def test_a_contrast_is_answered_by_its_corrected_test(
    difference: Difference | None, said: str
) -> None:
    assert sentence(_contrast(difference, modality="dif"), _ACCURACY) == said


def test_where_nothing_else_varies_no_setting_is_named() -> None:
    said = sentence(_contrast(_CLEAR), _ACCURACY)
    assert said == "Rotation pretraining helps: +10.0 points [5.0, 15.0] (n=3, p=0.012, g=3.1)"


def test_a_setting_of_none_is_named() -> None:
    assert "for shots none:" in sentence(_contrast(None, **{"finetune.shots": "none"}), _ACCURACY)


def test_numbers_of_a_setting_are_named() -> None:
    contrast = _contrast(None, **{"modality": "dif", "clip.frames": 16})
    assert "for dif, frames 16:" in sentence(contrast, _ACCURACY)


@pytest.mark.parametrize(
    ("metric", "rise"), [("accuracy", "helps"), ("val_loss", "hurts"), ("entropy", "gives more")]
)
def test_what_is_better_depends_on_the_metric(metric: str, rise: str) -> None:
    said = sentence(_contrast(_CLEAR), scale_of(metric))
    assert said.startswith(f"Rotation pretraining {rise}")


def test_only_shares_are_shown_in_per_cent() -> None:
    assert scale_of("pretext.rgb.val_accuracy").show(0.123) == "12.3"
    assert scale_of("val_loss").show(0.123) == "0.123"


def test_another_baseline_is_named() -> None:
    baseline = {"init": "scratch", "finetune.epochs": 175}
    treatment = {"init": "rotation", "finetune.epochs": 40}
    contrast = Contrast(treatment, baseline, {}, _CLEAR, ())
    assert sentence(contrast, _ACCURACY) == (
        "Rotation, epochs 40 is better than scratch, epochs 175: "
        "+10.0 points [5.0, 15.0] (n=3, p=0.012, g=3.1)"
    )


@pytest.mark.parametrize(
    ("init", "said"),
    [
        ("rotation", "Rotation pretraining helps: "),
        ("pace", "Pace pretraining helps: "),
        ("supervised", "Supervised pretraining helps: "),
        ("target", "Training with the target's labels helps: "),
        ("random-frozen", "Freezing random weights helps: "),
        ("scratch", "Training from scratch helps: "),
    ],
)
@pytest.mark.parametrize("baseline", [{"init": "scratch"}, {"init": "random-frozen"}])
def test_every_init_is_named_as_what_it_is(init: str, said: str, baseline: dict[str, str]) -> None:
    contrast = Contrast({"init": init}, baseline, {}, _CLEAR, ())
    assert sentence(contrast, _ACCURACY).startswith(said)


def test_of_several_treatments_each_is_named_where_it_shows_no_difference() -> None:
    for init in ("rotation", "pace"):
        nothing = Difference(0.1, (3, 3), -0.05, 0.15, p=0.3)
        contrast = Contrast({"init": init}, SCRATCH, {"modality": "dif"}, nothing, ())
        assert sentence(contrast, _ACCURACY, is_one_of_several=True).startswith(
            f"No difference shown, {init} for dif: +10.0 points"
        )
        assert sentence(contrast, _ACCURACY).startswith("No difference shown for dif: +10.0 points")


def test_values_that_do_not_say_what_they_are_of_are_named() -> None:
    contrast = _contrast(None, **{"modality": "dif", "pretext.labels": "random"})
    assert "for dif, labels random:" in sentence(contrast, _ACCURACY)


def test_the_interval_for_other_test_videos_stands_behind() -> None:
    wider = Difference(0.1, (3, 3), 0.01, 0.19, p=0.04)
    contrast = Contrast({"init": "rotation"}, SCRATCH, {}, _CLEAR, (), elsewhere=wider)
    assert sentence(contrast, _ACCURACY).endswith("; for other test videos [1.0, 19.0]")
