"""Settings check themselves, and know which of them can change a result."""

from itertools import pairwise

import pytest
from pydantic import ValidationError

from rotnet.config import (
    AngleSet,
    ClipConfig,
    FinetuneConfig,
    PretextConfig,
    PretrainConfig,
    RuntimeConfig,
    TrainConfig,
    TuneConfig,
    identity,
)
from rotnet.recipes import RECIPES


def test_how_settings_are_no_part_of_the_identity() -> None:
    plain = identity(PretrainConfig())
    busy = identity(PretrainConfig(runtime=RuntimeConfig(workers=7, checkpoint_s=1.0, attention=0)))
    assert plain == busy
    assert "runtime" not in plain


def test_every_other_setting_is_part_of_the_identity() -> None:
    plain = identity(PretrainConfig())
    assert identity(PretrainConfig(seed=1)) != plain
    assert identity(PretrainConfig(clip=ClipConfig(stride=3))) != plain
    assert identity(PretrainConfig(pretext=PretextConfig(labels="random"))) != plain


def test_what_rounds_otherwise_is_part_of_the_identity_unless_it_is_as_it_always_was() -> None:
    plain = identity(PretrainConfig())
    assert not {"accumulate", "compile", "deterministic"} & set(plain["pretrain"])
    for changed in ({"accumulate": 2}, {"compile": True}, {"deterministic": True}):
        training = TrainConfig.model_validate(changed)
        assert identity(PretrainConfig(pretrain=training)) != plain
    assert identity(PretrainConfig(runtime=RuntimeConfig(recompute=True))) == plain


def test_parts_of_a_batch_are_equal() -> None:
    with pytest.raises(ValidationError, match="accumulate must divide batch_size, got 3 and 32"):
        TrainConfig(accumulate=3)


@pytest.mark.parametrize(
    ("kind", "section"), [(PretrainConfig, "pretrain"), (FinetuneConfig, "finetune")]
)
def test_a_compiled_network_is_not_recomputed(kind: type[PretrainConfig], section: str) -> None:
    with pytest.raises(ValidationError, match="recompute and compile exclude one another"):
        kind.model_validate({section: {"compile": True}, "runtime": {"recompute": True}})


def test_equal_rotation_sets_have_one_identity() -> None:
    named = PretextConfig(rotations=2)
    spelt = PretextConfig(rotations=AngleSet(angles=(0, 180)))
    assert identity(named) == identity(spelt)
    assert named.angles == (0, 180)


@pytest.mark.parametrize(("rotations", "count"), [(2, 2), (4, 4), (8, 8), (360, 360)])
def test_a_named_set_divides_the_circle(rotations: int, count: int) -> None:
    angles = PretextConfig.model_validate({"rotations": rotations}).angles
    assert len(angles) == count
    assert {b - a for a, b in pairwise(angles)} == {360 // count}


def test_a_set_with_an_oblique_angle_is_resampled_and_others_are_not_unless_asked() -> None:
    assert not PretextConfig(rotations=AngleSet(angles=(90, 270))).resampled
    assert PretextConfig(rotations=8).resampled
    assert PretextConfig(rotations=4, path="resampled").resampled


def test_jitter_stays_below_half_the_distance_between_angles() -> None:
    assert PretextConfig(rotations=8).max_jitter == 10
    assert PretextConfig(rotations=360).max_jitter == 0.4
    assert PretextConfig(rotations=AngleSet(angles=(350, 0))).spacing == 10
    assert PretextConfig(rotations=4).max_jitter == 0


def test_many_rotations_are_shown_a_few_at_a_time() -> None:
    assert PretextConfig(rotations=8).copies == 8
    assert PretextConfig(rotations=360).copies == 4
    assert PretextConfig(rotations=360, views=2).copies == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clip": {"size": 112, "resize": 100}}, "size must be at most resize"),
        ({"clip": {"frames": 0}}, "greater than 0"),
        ({"clip": {"frames": "16"}}, "valid integer"),
        ({"clip": {"frame": 16}}, "Extra inputs"),
        ({"pretext": {"rotations": 3}}, "2, 4, 8 or 360"),
        ({"pretext": {"rotations": {"angles": [0, 0]}}}, "angles must differ"),
        ({"pretext": {"rotations": 8, "path": "exact"}}, "multiples of 90 degrees, and .* 45"),
        ({"pretext": {"rotations": 8, "jitter": 22.5}}, "below half the distance .* 22.5"),
        ({"pretext": {"jitter": 5.0}}, "jitter needs path resampled"),
        ({"pretext": {"rotations": 8, "room": "crop"}}, "needs room any_angle"),
        ({"pretext": {"views": 5}}, "at most the 4 rotations, got 5"),
        ({"pretext": {"task": "pase"}}, "unknown pretext 'pase'; did you mean 'pace'"),
        ({"pretext": {"task": "pace", "rotations": 2}}, "rotations is not for the task 'pace'"),
        ({"pretext": {"task": "pace", "paces": [2, 1]}}, "paces must rise"),
        ({"pretext": {"target": "sincos", "smoothing": 2.0}}, "smoothing is for target softmax"),
        ({"views": {"vertical_flip": 0.5}}, "vertical flip is a half turn"),
        ({"views": {"dif": "diff_std"}}, "dif_std and dif: diff_std go together"),
        ({"model": {"backbone": "r3d_19"}}, "unknown backbone 'r3d_19'; did you mean 'r3d_18'"),
        ({"model": {"backbone": "c3d", "width": 16}}, "width is for backbone resnet3d"),
        ({"views": {"std": [1.0, 0.0, 1.0]}}, "std must be greater than 0"),
        ({"pretrain": {"milestones": [20, 10]}}, "milestones must rise"),
        ({"pretrain": {"schedule": "cosine", "milestones": [10]}}, "belong to schedule 'step'"),
        ({"pretrain": {"warmup_epochs": 60.0}}, "warmup_epochs must be below epochs"),
        ({"pretrain": {"nesterov": True, "momentum": 0.0}}, "nesterov needs momentum above 0"),
        ({"pretrain": {"lr": float("nan")}}, "finite number"),
    ],
)
def test_a_bad_setting_is_refused_by_name(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PretrainConfig.model_validate(settings)


def test_a_clip_spans_one_stride_more_than_its_frames() -> None:
    assert ClipConfig(frames=16, stride=2).window == 33


def test_every_recipe_is_whole_and_can_be_trained() -> None:
    for recipe in RECIPES.values():
        assert isinstance(recipe.finetune, TuneConfig)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ({"rotations": 4, "path": "exact"}, {"rotations": 4}),
        ({"rotations": 8, "path": "resampled", "room": "any_angle"}, {"rotations": 8}),
        ({"rotations": 8, "jitter": 10.0, "views": 8}, {"rotations": 8}),
        ({"rotations": 4, "jitter": 0.0, "room": "crop"}, {"rotations": 4}),
        ({"rotations": 360, "views": 4, "jitter": 0.4}, {"rotations": 360}),
    ],
)
def test_what_is_written_out_is_the_same_work_as_what_is_left_to_the_default(
    written: dict[str, object], plain: dict[str, object]
) -> None:
    one, other = (
        identity(PretrainConfig(pretext=PretextConfig.model_validate(settings)))
        for settings in (written, plain)
    )
    assert one == other


@pytest.mark.parametrize(
    "changed",
    [{"path": "resampled"}, {"room": "any_angle"}, {"views": 2}, {"rotations": 8, "jitter": 5.0}],
)
def test_what_differs_from_the_default_is_other_work(changed: dict[str, object]) -> None:
    plain = {"rotations": changed.get("rotations", 4)}
    one, other = (
        identity(PretextConfig.model_validate(settings).canonical())
        for settings in (changed, plain)
    )
    assert one != other


def test_a_final_training_is_the_same_work_whatever_would_have_been_held_out() -> None:
    final, plain = (
        identity(FinetuneConfig(finetune=TuneConfig.model_validate(settings)))
        for settings in ({"final": "train+val", "val_fraction": 0.2}, {})
    )
    assert final == plain
