"""Settings of every stage: frozen, and checked when they are made. No torch here.

A setting is either a *what*, which changes the result and so belongs to the identity of the work,
or a *how* (loader threads, checkpoint interval), which does not. `identity` returns the whats only.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from rotnet.errors import offer
from rotnet.registry import BACKBONES, PRETEXTS, Registry

Modality = Literal["rgb", "dif"]
HOW: dict[str, JsonValue] = {"how": True}


def added(neutral: JsonValue) -> dict[str, JsonValue]:
    """Mark a *what* that came later: at this value it is left out of identities."""
    return {"neutral": neutral}


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown names and wrong types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def canonical(self) -> Self:
        """Return the one form of all settings that ask for the same work."""
        return self


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

    What is drawn in training is drawn once for a whole clip, before it is rotated. `grey` and
    `chroma_drop` take away, and `chroma_shift` blurs, what colour may tell of how a picture was
    turned: the lens's fringes, and the grid on which a codec keeps colour.
    """

    flip: Probability = Field(
        0.5, description="probability of a horizontal flip in training, before rotation"
    )
    vertical_flip: Probability = Field(
        0.0,
        description="probability of a vertical flip in training; none where rotations are learnt",
        json_schema_extra=added(0.0),
    )
    grey: Probability = Field(
        0.0,
        description="probability that a clip is shown in grey (its luma) in training",
        json_schema_extra=added(0.0),
    )
    chroma_drop: Probability = Field(
        0.0,
        description="probability that one colour channel, drawn by chance, stands for all three",
        json_schema_extra=added(0.0),
    )
    chroma_shift: NonNegativeFloat = Field(
        0.0,
        description="colour is moved against luma by up to so many pixels, in any direction",
        json_schema_extra=added(0.0),
    )
    dif: Literal["norm_then_diff", "diff_only", "diff_std"] = Field(
        "norm_then_diff",
        description="DIF of normalised frames (paper), of pixels in [0, 1], or that by dif_std",
        json_schema_extra=added("norm_then_diff"),
    )
    dif_std: Triple | None = Field(
        None,
        description="divides differences of pixels in [0, 1], per channel, for dif: diff_std",
        json_schema_extra=added(None),
    )
    mean: Triple = Field((0.4339, 0.4046, 0.3776), description="subtracted, per channel")
    std: Triple = Field((0.151987, 0.14855, 0.1569), description="divided by, per channel")

    @model_validator(mode="after")
    def _std_is_positive(self) -> Self:
        if min(self.std) <= 0:
            raise ValueError(f"std must be greater than 0 in every channel, got {list(self.std)}")
        return self

    @model_validator(mode="after")
    def _dif_std_goes_with_its_rule(self) -> Self:
        if (self.dif == "diff_std") != (self.dif_std is not None):
            raise ValueError(
                "dif_std and dif: diff_std go together, got "
                f"dif {self.dif!r} and dif_std {self.dif_std}"
            )
        if self.dif_std is not None and min(self.dif_std) <= 0:
            raise ValueError(
                f"dif_std must be greater than 0 in every channel, got {list(self.dif_std)}"
            )
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


# Settings of `pretext` that each task reads. A registered task reads `options`.
PRETEXT_READS = {
    "rotation": frozenset(
        ["rotations", "path", "room", "jitter", "views", "target", "smoothing", "labels"]
    ),
    "pace": frozenset(["paces"]),
}
JITTER = 10.0  # degrees: the released code turns clips by up to so much before the rotation
MANY = 8  # a set of more rotations is never shown whole


class PretextConfig(Settings):
    """The task that pretraining solves; by default, which of a set of rotations was applied.

    The *exact* path moves pixels by quarter turns. The *resampled* path gives every rotation of the
    set, 0 degrees included, the same low-pass filter, random shift, random jitter and resampling
    from one square that holds every rotation, so that sharpness and borders tell nothing
    (`rotnet.views.resample`).

    `labels: random` is a control: every rotated copy carries a label drawn once from its video and
    rotation by chance, so that there is nothing about rotation to learn, at the same cost.
    """

    task: str = Field(
        "rotation",
        description="rotation, pace, or one that is registered as a rotnet.pretexts entry point",
        json_schema_extra=added("rotation"),
    )
    rotations: Literal[2, 4, 8, 360] | AngleSet = Field(
        4,
        description="2 = {0, 180}, 4 = quarter turns, 8 = eighths, 360 = degrees, or {angles}",
    )
    path: Literal["exact", "resampled"] | None = Field(
        None,
        description="how clips are turned; none: exact where all angles are quarter turns",
        json_schema_extra=added(None),
    )
    room: Literal["crop", "any_angle"] | None = Field(
        None,
        description="crops lie where they fit, or where any rotation of them fits, which the "
        "resampled path needs; none: what the path needs",
        json_schema_extra=added(None),
    )
    jitter: NonNegativeFloat | None = Field(
        None,
        description="degrees of random turn, to either side, on the resampled path; none: 10, or "
        "0.4 of the distance between angles where that is less",
        json_schema_extra=added(None),
    )
    views: PositiveInt | None = Field(
        None,
        description="rotations of a clip in a step, drawn from the set; none: all, and 4 of sets "
        "of more than 8",
        json_schema_extra=added(None),
    )
    target: Literal["softmax", "sincos", "scalar"] = Field(
        "softmax",
        description="one of K, the angle's cosine and sine, or angle/360 (known to be poor)",
        json_schema_extra=added("softmax"),
    )
    smoothing: NonNegativeFloat = Field(
        0.0,
        description="degrees: width (sigma) of a circular bell around the true angle; 0: one of K",
        json_schema_extra=added(0.0),
    )
    labels: Literal["rotation", "random"] = Field(
        "rotation", description="what the copies are labelled with"
    )
    paces: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=2)] = Field(
        (1, 2, 3, 4),
        description="for task pace: how many times faster a clip is played",
        json_schema_extra=added([1, 2, 3, 4]),
    )
    options: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="settings of a registered task",
        json_schema_extra=added({}),
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

    @field_validator("task")
    @classmethod
    def _task_is_known(cls, task: str) -> str:
        return _known(PRETEXTS, task)

    @field_validator("paces")
    @classmethod
    def _paces_rise(cls, paces: tuple[int, ...]) -> tuple[int, ...]:
        if list(paces) != sorted(set(paces)):
            raise ValueError(f"paces must rise, got {list(paces)}")
        return paces

    @model_validator(mode="after")
    def _only_what_the_task_reads(self) -> Self:
        """Equal work has one form: a setting that the task does not read stays at its default."""
        reads = PRETEXT_READS.get(self.task, frozenset(["options"]))
        for name, field in type(self).model_fields.items():
            given = getattr(self, name)
            default = field.get_default(call_default_factory=True)
            if name != "task" and name not in reads and given != default:
                raise ValueError(f"{name} is not for the task {self.task!r}, got {given!r}")
        return self

    @model_validator(mode="after")
    def _path_can_turn(self) -> Self:
        oblique = [angle for angle in self.angles if angle % 90]
        if self.path == "exact" and oblique:
            raise ValueError(
                f"path exact turns by multiples of 90 degrees, and the set has {oblique[0]}; "
                "use path resampled"
            )
        if not self.resampled and self.jitter:
            raise ValueError(f"jitter needs path resampled, got jitter {self.jitter:g}")
        if self.resampled and self.room == "crop":
            raise ValueError("path resampled needs room any_angle, got crop")
        if self.resampled and self.max_jitter >= self.spacing / 2:
            raise ValueError(
                f"jitter must be below half the distance between angles, {self.spacing / 2:g} "
                f"degrees, or it changes labels; got {self.max_jitter:g}"
            )
        return self

    @model_validator(mode="after")
    def _target_fits(self) -> Self:
        count = len(self.angles)
        if self.views is not None and self.views > count:
            raise ValueError(f"views must be at most the {count} rotations, got {self.views}")
        if self.smoothing and self.target != "softmax":
            raise ValueError(f"smoothing is for target softmax, not {self.target!r}")
        if self.labels == "random" and (self.target != "softmax" or self.smoothing):
            raise ValueError("labels: random needs target softmax without smoothing")
        return self

    def canonical(self) -> Self:
        """Return the settings with none where they say what none would mean."""
        path = None if self.resampled == self._oblique else self.path
        room = None if self.any_angle == self.resampled else self.room
        jitter = self.jitter
        if not self.resampled or jitter == self._default_jitter:
            jitter = None
        views = None if self.views == self._default_views else self.views
        return self.model_copy(
            update={"path": path, "room": room, "jitter": jitter, "views": views}
        )

    @property
    def angles(self) -> tuple[int, ...]:
        """The set's angles in degrees, counter-clockwise; label k is the k-th of them."""
        if isinstance(self.rotations, AngleSet):
            return self.rotations.angles
        return tuple(range(0, 360, 360 // self.rotations))

    @property
    def spacing(self) -> float:
        """Degrees between the two angles of the set that are nearest to one another."""
        turns = sorted(self.angles)
        return float(min(b - a for a, b in pairwise([*turns, turns[0] + 360])))

    @property
    def resampled(self) -> bool:
        """Whether clips are resampled to be turned."""
        return self._oblique if self.path is None else self.path == "resampled"

    @property
    def any_angle(self) -> bool:
        """Whether crops lie where any rotation of them fits into the picture."""
        return self.resampled or self.room == "any_angle"

    @property
    def max_jitter(self) -> float:
        """Degrees by which a clip is turned at random, to either side, beside its rotation."""
        if not self.resampled:
            return 0.0
        return self._default_jitter if self.jitter is None else self.jitter

    @property
    def copies(self) -> int:
        """Rotations of one clip in a step."""
        return self._default_views if self.views is None else self.views

    @property
    def _oblique(self) -> bool:
        return any(angle % 90 for angle in self.angles)

    @property
    def _default_jitter(self) -> float:
        return min(JITTER, 0.4 * self.spacing)

    @property
    def _default_views(self) -> int:
        return len(self.angles) if len(self.angles) <= MANY else 4


class ModelConfig(Settings):
    """The network: by default the 3D ResNet-18 released with the paper (resnet.py), of any width.

    Shortcut A pads with zero channels. The released code cuts the gradient of those shortcuts by
    accident: `A-detached` is that, `A` lets it flow, `B` is a 1x1x1 convolution. Depth, width and
    shortcut are resnet3d's; the other backbones have one form.
    """

    backbone: str = Field(
        "resnet3d",
        description="resnet3d, r3d_18, mc3_18, r2plus1d_18, c3d, or a rotnet.backbones entry point",
        json_schema_extra=added("resnet3d"),
    )
    depth: Literal[18, 34, 50] = Field(
        18, description="layers of resnet3d", json_schema_extra=added(18)
    )

    width: PositiveInt = Field(
        64, description="channels of the stem; the stages have 1, 2, 4, 8 times as many"
    )
    shortcut: Literal["A", "A-detached", "B"] = Field(
        "A", description="how a stage's first block adds its input"
    )
    hidden: PositiveInt = Field(64, description="units between the pooled features and the classes")
    dropout: Fraction = Field(
        0.0,
        description="probability that a pooled feature is dropped in training, before the head",
        json_schema_extra=added(0.0),
    )

    @field_validator("backbone")
    @classmethod
    def _backbone_is_known(cls, backbone: str) -> str:
        return _known(BACKBONES, backbone)

    @model_validator(mode="after")
    def _others_have_one_form(self) -> Self:
        for name in ("depth", "width", "shortcut"):
            given, default = getattr(self, name), type(self).model_fields[name].default
            if self.backbone != "resnet3d" and given != default:
                raise ValueError(
                    f"{name} is for backbone resnet3d; {self.backbone} has one form, for which it "
                    f"is {default!r}, got {given!r}"
                )
        return self


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
    nesterov: bool = Field(
        False, description="momentum in Nesterov's form", json_schema_extra=added(False)
    )
    clip_gradient: PositiveFloat | None = Field(
        None,
        description="largest norm of the gradient; none: as it is",
        json_schema_extra=added(None),
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

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs momentum above 0, got 0")
        return self


class TuneConfig(TrainConfig):
    """How a network learns to name actions: beside the training, what of it learns, and from what.

    Settings are chosen with `final: train`, judged on the held-out part; the final run learns from
    the whole training split for a fixed length.
    """

    final: Literal["train", "train+val"] = Field(
        "train",
        description="train: val_fraction is held out; train+val: all training videos are learnt",
        json_schema_extra=added("train"),
    )
    freeze: Annotated[int, Field(ge=0, le=5)] = Field(
        0,
        description="stages, from the first, that keep their weights and statistics; of resnet3d "
        "the stem, then layer1 to layer4",
        json_schema_extra=added(0),
    )
    shots: PositiveInt | None = Field(
        None,
        description="labelled videos per class to learn from; none: all. Fewer are among more",
        json_schema_extra=added(None),
    )

    def canonical(self) -> Self:
        """Return the settings without a share to hold out where nothing is held out."""
        if self.final == "train":
            return self
        return self.model_copy(update={"final": "train", "val_fraction": 0.0})


class DataConfig(Settings):
    """How much of the data is used."""

    pretrain_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="share of the videos that pretraining learns from; less is among more",
        json_schema_extra=added(1.0),
    )


class EvaluateConfig(Settings):
    """How a video is scored: the mean softmax of clips spread evenly over it."""

    clips: PositiveInt = Field(10, description="clips per video")
    crops: Literal[1, 3] = Field(
        1,
        description="squares of each clip: the centre, or three spread along the longer side",
        json_schema_extra=added(1),
    )


class LinearConfig(Settings):
    """How features are probed: logistic regression on every stage's features, network frozen.

    The features of a video are the mean over its clips. The weight decay is chosen from `l2` on
    videos held out of the training part by group, then the probe is fitted on all of it.
    """

    clips: PositiveInt = Field(10, description="clips per video")
    pools: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)] = Field(
        (1, 2), description="sides of the grids that maps are averaged to; 1 is global"
    )
    l2: Annotated[tuple[PositiveFloat, ...], Field(strict=False, min_length=1)] = Field(
        (1e-4, 1e-3, 1e-2, 1e-1, 1.0), description="weight decays to choose from"
    )
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="share of the training videos, by group, that chooses the weight decay"
    )


class RetrievalConfig(Settings):
    """How features are searched: the nearest training videos of every test video, by cosine."""

    clips: PositiveInt = Field(10, description="clips per video, whose features are averaged")


class FuseConfig(Settings):
    """How the scores of several networks become one."""

    rule: Literal["mean_softmax", "mean_logits", "fitted"] = Field(
        "mean_softmax",
        description="mean of the networks' softmax, or of their logits, or softmax weighted as is "
        "best on their validation scores",
    )


class RuntimeConfig(Settings):
    """How the work is done. Nothing here may change a result."""

    workers: Annotated[int, Field(ge=0)] = Field(
        1,
        description="threads that read clips; 0 reads in the training thread",
        json_schema_extra=HOW,
    )
    verify: bool = Field(
        False,
        description="check every stored clip by its checksums each time it is read",
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
    data: DataConfig = DataConfig()
    pretrain: TrainConfig = TrainConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()

    @model_validator(mode="after")
    def _no_view_changes_a_label(self) -> Self:
        if self.pretext.task == "rotation" and self.views.vertical_flip:
            raise ValueError(
                "views.vertical_flip must be 0 when rotations are learnt: a vertical flip is a "
                f"half turn of a mirrored clip; got {self.views.vertical_flip:g}"
            )
        return self


class FinetuneConfig(Settings):
    """All that a fine-tuning is made of, but its videos and the network it starts from."""

    modality: Modality = "rgb"
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    finetune: TuneConfig = TuneConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()


class ScoreConfig(Settings):
    """All that scoring needs beside the network, which brings its own clip and views."""

    evaluate: EvaluateConfig = EvaluateConfig()
    runtime: RuntimeConfig = RuntimeConfig()


class FrozenConfig(Settings):
    """All that measuring a frozen network is made of, but its videos and the network."""

    modality: Modality = "rgb"
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()


class ProbeConfig(FrozenConfig):
    """All that a linear probe is made of, but its videos and the network it looks into."""

    linear: LinearConfig = LinearConfig()


class RetrieveConfig(FrozenConfig):
    """All that a retrieval is made of, but its videos and the network whose features it uses."""

    retrieval: RetrievalConfig = RetrievalConfig()


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
        plain = list(value) if isinstance(value, tuple) else value
        if extra.get("how") or ("neutral" in extra and plain == extra["neutral"]):
            continue
        if isinstance(value, BaseModel):
            inner = identity(value.canonical() if isinstance(value, Settings) else value)
            if inner:
                found[name] = inner
        else:
            found[name] = plain
    return found


def _known(registry: Registry, name: str) -> str:
    if name in registry.built_in or name in registry.names():
        return name
    raise ValueError(f"unknown {registry.noun} {name!r}; {offer(name, registry.names())}")
