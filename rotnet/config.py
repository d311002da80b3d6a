"""Settings of every stage: frozen, and checked when they are made. No torch here.

A setting is either a *what*, which changes the result and so belongs to the identity of the work,
or a *how* (loader threads, checkpoint interval), which does not. `identity` returns the whats only.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

Modality = Literal["rgb", "dif"]
HOW: dict[str, JsonValue] = {"how": True}


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown names and wrong types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Triple = Annotated[tuple[float, float, float], Field(strict=False)]


class ClipConfig(Settings):
    """Which frames of a video, and which square of them, form a clip.

    A clip of T frames with stride s is drawn from a window of T*s + 1 frames, whatever the
    modality: RGB shows frames 0, s, ..., (T-1)*s of it, and DIF needs frame T*s as well.
    """

    frames: PositiveInt = Field(16, description="frames a network sees (T)")
    stride: PositiveInt = Field(
        2, description="distance between two of them, in frames of the video"
    )
    resize: PositiveInt = Field(
        136, description="short side of the picture before the crop, in pixels"
    )
    size: PositiveInt = Field(112, description="side of the square crop, in pixels (H = W)")
    short_video: Literal["loop", "pad_last", "drop"] = Field(
        "loop",
        description="a video shorter than a window starts again, holds its last frame, or is out",
    )

    @property
    def window(self) -> int:
        """Frames of video that one clip spans: T*stride + 1."""
        return self.frames * self.stride + 1

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.size > self.resize:
            raise ValueError(
                f"size must be at most resize: a crop of {self.size} does not fit a short side "
                f"of {self.resize}"
            )
        return self


class ViewConfig(Settings):
    """What happens to a clip on its way into the network, beside rotation.

    Mean and std are those of the released code (train.py), in RGB order for pixels in [0, 1]. DIF
    is the difference of consecutive sampled frames after this normalisation, as there.
    """

    flip: Probability = Field(
        0.5, description="probability of a horizontal flip in training, before rotation"
    )
    mean: Triple = Field((0.4339, 0.4046, 0.3776), description="subtracted, per channel")
    std: Triple = Field((0.151987, 0.14855, 0.1569), description="divided by, per channel")

    @model_validator(mode="after")
    def _std_is_positive(self) -> Self:
        if min(self.std) <= 0:
            raise ValueError(f"std must be greater than 0 in every channel, got {list(self.std)}")
        return self


class AngleSet(Settings):
    """A rotation set of one's own, in whole degrees counter-clockwise."""

    angles: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=360)], ...], Field(strict=False, min_length=2)
    ]

    @model_validator(mode="after")
    def _angles_differ(self) -> Self:
        if len(set(self.angles)) != len(self.angles):
            raise ValueError(f"angles must differ from one another, got {list(self.angles)}")
        return self


class PretextConfig(Settings):
    """The task that pretraining solves: which of a set of rotations was applied to the clip.

    `labels: random` is a control: every rotated copy carries a label drawn once from its video and
    rotation by chance, so that there is nothing about rotation to learn, at the same cost.
    """

    rotations: Literal[2, 4, 8, 360] | AngleSet = Field(
        4,
        description="2 = {0, 180}, 4 = quarter turns, 8 = eighths, 360 = degrees, or {angles}",
    )
    labels: Literal["rotation", "random"] = Field(
        "rotation", description="what the copies are labelled with"
    )

    @field_validator("rotations")
    @classmethod
    def _named_where_it_has_a_name(cls, rotations: int | AngleSet) -> int | AngleSet:
        """Equal sets are equal work: {angles: [0, 180]} is 2."""
        if isinstance(rotations, AngleSet):
            for named in (2, 4, 8, 360):
                if rotations.angles == tuple(range(0, 360, 360 // named)):
                    return named
        return rotations

    @property
    def angles(self) -> tuple[int, ...]:
        """The set's angles in degrees, counter-clockwise; label k is the k-th of them."""
        if isinstance(self.rotations, AngleSet):
            return self.rotations.angles
        return tuple(range(0, 360, 360 // self.rotations))

    def unsupported(self) -> str | None:
        """Why this set can be planned but not yet trained, or None where it can."""
        oblique = [angle for angle in self.angles if angle % 90]
        if not oblique:
            return None
        return (
            f"pretext.rotations: a set with {oblique[0]} degrees needs resampled rotation, which "
            "does not exist yet; sets that run are 2, 4 and {angles: [...]} of multiples of 90"
        )


class ModelConfig(Settings):
    """The 3D ResNet-18 released with the paper (resnet.py there), of any width.

    Shortcut A pads with zero channels. The released code cuts the gradient of those shortcuts by
    accident: `A-detached` is that, `A` lets it flow, `B` is a 1x1x1 convolution.
    """

    width: PositiveInt = Field(
        64, description="channels of the stem; the stages have 1, 2, 4, 8 times as many"
    )
    shortcut: Literal["A", "A-detached", "B"] = Field(
        "A", description="how a stage's first block adds its input"
    )
    hidden: PositiveInt = Field(64, description="units between the pooled features and the classes")


class TrainConfig(Settings):
    """How long and by which rule a network learns: SGD with momentum.

    An epoch shows one clip of every video, or is `steps_per_epoch` steps long where that is given.
    """

    epochs: PositiveInt = Field(60, description="length of training")
    steps_per_epoch: PositiveInt | None = Field(
        None, description="steps that count as an epoch; none: all videos once"
    )
    batch_size: PositiveInt = Field(
        32, description="videos per step; a pretraining step sees each in every rotation"
    )
    lr: PositiveFloat = Field(0.1, description="base learning rate")
    momentum: Fraction = Field(0.9, description="of SGD")
    weight_decay: NonNegativeFloat = Field(1e-3, description="of SGD, on all parameters")
    schedule: Literal["constant", "step", "cosine"] = Field(
        "step", description="of the learning rate, by step"
    )
    milestones: Annotated[tuple[PositiveInt, ...], Field(strict=False)] = Field(
        (), description="epochs after which a step schedule multiplies the rate by gamma"
    )
    gamma: PositiveFloat = Field(0.1, description="factor at a milestone")
    warmup_epochs: NonNegativeFloat = Field(
        0.0, description="epochs over which the rate rises linearly from 0"
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        "fp32", description="of activations (autocast); fp16 needs CUDA and scales the loss"
    )
    val_fraction: Fraction = Field(
        0.0, description="share of the training videos held out, by group, to judge on"
    )

    @model_validator(mode="after")
    def _schedule_is_whole(self) -> Self:
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones must rise, got {list(self.milestones)}")
        if self.milestones and self.schedule != "step":
            raise ValueError(f"milestones belong to schedule 'step', not {self.schedule!r}")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs must be below epochs, got {self.warmup_epochs:g} of {self.epochs}"
            )
        return self


class EvaluateConfig(Settings):
    """How a video is scored: the mean softmax of clips spread evenly over it, centre crop."""

    clips: PositiveInt = Field(10, description="clips per video")


class FuseConfig(Settings):
    """How the scores of several networks become one."""

    rule: Literal["mean_softmax"] = Field(
        "mean_softmax", description="the mean of the networks' softmax"
    )


class RuntimeConfig(Settings):
    """How the work is done. Nothing here may change a result."""

    workers: Annotated[int, Field(ge=0)] = Field(
        1,
        description="threads that read clips; 0 reads in the training thread",
        json_schema_extra=HOW,
    )
    checkpoint_s: NonNegativeFloat = Field(
        30.0,
        description="seconds between checkpoints; 0 saves after every step",
        json_schema_extra=HOW,
    )
    eval_batch: PositiveInt = Field(
        32, description="clips per batch when scoring", json_schema_extra=HOW
    )


Seed = Annotated[int, Field(ge=0, lt=2**31)]


class PretrainConfig(Settings):
    """All that a pretraining is made of, but its videos."""

    modality: Modality = "rgb"
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    pretext: PretextConfig = PretextConfig()
    pretrain: TrainConfig = TrainConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()


class FinetuneConfig(Settings):
    """All that a fine-tuning is made of, but its videos and the network it starts from."""

    modality: Modality = "rgb"
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    finetune: TrainConfig = TrainConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()


class ScoreConfig(Settings):
    """All that scoring needs beside the network, which brings its own clip and views."""

    evaluate: EvaluateConfig = EvaluateConfig()
    runtime: RuntimeConfig = RuntimeConfig()


class FusionConfig(Settings):
    """All that a fusion needs beside its members' scores."""

    fuse: FuseConfig = FuseConfig()


def identity(settings: BaseModel) -> dict[str, Any]:
    """Return the settings that can change a result, as plain values for hashing.

    A field marked `how` is left out, as is a group in which every field is one; a field whose
    `neutral` value (in its json_schema_extra) it holds is left out too, so that a setting added
    later keeps the identities of old work.
    """
    found: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, Mapping) else {}
        value = getattr(settings, name)
        if extra.get("how") or ("neutral" in extra and value == extra["neutral"]):
            continue
        if isinstance(value, BaseModel):
            inner = identity(value)
            if inner:
                found[name] = inner
        else:
            found[name] = list(value) if isinstance(value, tuple) else value
    return found
