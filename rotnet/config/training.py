"""How long and by which rule a network learns, and from how much."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rotnet.config.settings import (
    Fraction,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Settings,
    added,
)


class Change(Settings):
    """Other settings of SGD from some epoch of a training on; what is none stays as it was.

    It is how a member of a population is trained (Jaderberg et al. 2017, arXiv 1711.09846).
    """

    after: PositiveInt = Field(description="epochs after which it holds")
    lr: PositiveFloat | None = Field(
        None, description="base learning rate", json_schema_extra=added(None)
    )
    momentum: Fraction | None = Field(None, description="of SGD", json_schema_extra=added(None))
    weight_decay: NonNegativeFloat | None = Field(
        None, description="of SGD", json_schema_extra=added(None)
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if all(getattr(self, name) is None for name in CHANGEABLE):
            raise ValueError(f"a change gives one of {', '.join(CHANGEABLE)}, got none of them")
        return self


CHANGEABLE = tuple(name for name in Change.model_fields if name != "after")


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
    accumulate: PositiveInt = Field(
        1,
        description="parts, of whole clips, that a batch is computed in one after another, to need "
        "less memory; batch statistics are those of a part",
        json_schema_extra=added(1),
    )
    compile: bool = Field(
        False,
        description="compile the network (torch.compile), which rounds otherwise; needs a compiler",
        json_schema_extra=added(False),
    )
    deterministic: bool = Field(
        False,
        description="on a CUDA device, compute by what gives the same bits each time; slower",
        json_schema_extra=added(False),
    )

    changes: Annotated[tuple[Change, ...], Field(strict=False)] = Field(
        (),
        description="other values of lr, momentum or weight_decay from some epoch on; the schedule "
        "goes on with a new lr as its base",
        json_schema_extra=added([]),
    )

    def canonical(self) -> Self:
        """Return the settings without changes that change nothing, or come after the end."""
        if not self.changes:
            return self
        now = {name: getattr(self, name) for name in CHANGEABLE}
        kept = []
        for change in self.changes:
            given = {name: getattr(change, name) for name in CHANGEABLE}
            new = {name: one for name, one in given.items() if one not in (None, now[name])}
            if new and change.after < self.epochs:
                kept.append(Change(after=change.after, **new))
            now |= new
        return self.model_copy(update={"changes": tuple(kept)})

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
    def _parts_are_equal(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"accumulate must divide batch_size, got {self.accumulate} and {self.batch_size}"
            )
        return self

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and 0 in (self.momentum, *(one.momentum for one in self.changes)):
            raise ValueError("nesterov needs momentum above 0, got 0")
        return self

    @model_validator(mode="after")
    def _changes_follow_one_another(self) -> Self:
        after = [one.after for one in self.changes]
        if after != sorted(set(after)):
            raise ValueError(f"changes must come after rising epochs, got {after}")
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
        found = super().canonical()
        if self.final == "train":
            return found
        return found.model_copy(update={"final": "train", "val_fraction": 0.0})


class DataConfig(Settings):
    """How much of the data is used."""

    pretrain_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="share of the videos that pretraining learns from; less is among more",
        json_schema_extra=added(1.0),
    )
