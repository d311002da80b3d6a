"""The stage kinds of our studies, and how registered ones are found."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from pydantic import BaseModel

from rotlab.planning.brief import (
    brief_as_it_is,
    brief_finetuning,
    brief_measuring,
    brief_pretraining,
)
from rotlab.planning.counting import (
    evaluate_work,
    finetune_work,
    fuse_work,
    linear_work,
    pretrain_work,
    retrieval_work,
)
from rotlab.planning.filling import fills_finetuning, fills_pretraining, fills_scoring
from rotlab.planning.fitting import fits_others, has_what_it_fits
from rotlab.planning.inits import PRETEXT, RANDOM_FROZEN, SCRATCH, SUPERVISED, TARGET
from rotlab.planning.stage import Input, Judged, Length, Resources, StageKind
from rotnet.config import (
    CHANGEABLE,
    FinetuneConfig,
    FusionConfig,
    PretrainConfig,
    ProbeConfig,
    RetrieveConfig,
    ScoreConfig,
)
from rotnet.errors import UserError
from rotnet.learning.division import refusal
from rotnet.learning.length import beginning, undivided

GROUP = "rotlab.stage_kinds"
CELL_FIELDS = ("modality", "seed")  # what a config takes from the cell, beside its sections
CHOICES = ("init", "modality")  # what an input may depend on


def _holds_none_out(config: FinetuneConfig) -> tuple[str, str] | None:
    if config.finetune.val_fraction > 0:
        return None
    return "finetune.val_fraction", (
        "must be greater than 0 to judge on what is held out, got 0; with final: train+val beside "
        "it, the final training learns from those videos too"
    )


def _is_by_epoch(metric: str) -> bool:
    """After each epoch a training is judged on what is held out; the rest is counted at its end."""
    return metric.startswith("val_") and metric != "val_videos"


def _pretraining_divides(config: PretrainConfig, processes: int, gpus: bool) -> str | None:
    return refusal("pretrain", config.pretrain, processes, gpus=gpus)


def _finetuning_divides(config: FinetuneConfig, processes: int, gpus: bool) -> str | None:
    return refusal("finetune", config.finetune, processes, gpus=gpus)


def _length(section: str, *, kept: bool = False) -> Length:
    return Length(
        f"{section}.epochs",
        beginning,
        undivided,
        kept,
        changes=f"{section}.changes",
        changing=tuple(f"{section}.{name}" for name in CHANGEABLE),
    )


PRETRAIN = StageKind(
    name="pretrain",
    config=PretrainConfig,
    version=3,
    run="rotlab.execution.stage.stages:pretrain",
    roles=("pretrain",),
    inits=(PRETEXT,),
    length=_length("pretrain", kept=True),
    judged=Judged(
        "val_accuracy",
        proxy="the pretext's accuracy, which is not that of the target",
        by_epoch=_is_by_epoch,
        others=("val_loss", "val_*"),  # what else is told is for the pretext to say
    ),
    cost=pretrain_work,
    brief=brief_pretraining,
    divides=_pretraining_divides,
    fills=fills_pretraining,
)
FINETUNE = StageKind(
    name="finetune",
    config=FinetuneConfig,
    version=2,
    run="rotlab.execution.stage.stages:finetune",
    inputs=(Input("init", "pretrain", only_if=("init", PRETEXT)),),
    roles=("train", "weights"),
    scored_by="evaluate",
    inits=(PRETEXT, SCRATCH, RANDOM_FROZEN, SUPERVISED),
    length=_length("finetune"),
    judged=Judged(
        "val_accuracy",
        {"finetune.final": "train"},
        _holds_none_out,
        by_epoch=_is_by_epoch,
        others=("val_loss",),
    ),
    cost=finetune_work,
    brief=brief_finetuning,
    divides=_finetuning_divides,
    fills=fills_finetuning,
)
EVALUATE = StageKind(
    name="evaluate",
    config=ScoreConfig,
    version=2,
    run="rotlab.execution.stage.stages:evaluate",
    inputs=(Input("network", "finetune"),),
    roles=("test",),
    joined_by="fuse",
    cost=evaluate_work,
    brief=brief_as_it_is,
    fills=fills_scoring,
)
_FROZEN_NETWORK = (
    Input("init", "pretrain", only_if=("init", PRETEXT)),
    Input("init", "finetune", only_if=("init", TARGET), init=SCRATCH),
)
LINEAR = StageKind(
    name="linear",
    config=ProbeConfig,
    version=1,
    run="rotlab.execution.stage.stages:linear",
    inputs=_FROZEN_NETWORK,
    roles=("train", "test", "weights"),
    joined_by="fuse",
    cost=linear_work,
    brief=brief_measuring,
)
RETRIEVAL = StageKind(
    name="retrieval",
    config=RetrieveConfig,
    version=1,
    run="rotlab.execution.stage.stages:retrieval",
    inputs=_FROZEN_NETWORK,
    roles=("train", "test", "weights"),
    cost=retrieval_work,
    brief=brief_measuring,
    fills=fills_scoring,
)
FUSE = StageKind(
    name="fuse",
    config=FusionConfig,
    version=1,
    run="rotlab.execution.stage.stages:fuse",
    resources=Resources(gpus=0.0),
    misfit=has_what_it_fits,
    needs_held_out=fits_others,
    cost=fuse_work,
    brief=brief_as_it_is,
)


def load_kinds() -> dict[str, StageKind]:
    """Return every registered stage kind by name, sorted.

    Raises:
        UserError: an entry point cannot be imported, is no stage kind, clashes with another, or
            names a kind that is not registered.
    """
    return check_kinds(_load(point) for point in _points())


def check_kinds(found: Iterable[StageKind]) -> dict[str, StageKind]:
    """Return the kinds by name, sorted, after checking that they fit together.

    Raises:
        UserError: two share a name, or one names an unknown kind, reads what is no section, or is
            circular.
    """
    kinds: dict[str, StageKind] = {}
    for kind in found:
        if kind.name in kinds:
            raise UserError(f"two stage kinds are called {kind.name!r}; a name belongs to one")
        kinds[kind.name] = kind
    kinds = dict(sorted(kinds.items()))
    for kind in kinds.values():
        _check_names(kind, kinds)
        _check_config(kind)
        _check_length(kind)
    for kind in kinds.values():
        _check_no_cycle(kind.name, kinds, ())
    return kinds


def sections_of(kind: StageKind) -> dict[str, type[BaseModel]]:
    """Return the sections of settings that a kind reads: field of its config -> model."""
    fields = kind.config.model_fields
    return {
        name: field.annotation
        for name, field in fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def _points() -> list[EntryPoint]:
    """One entry point per (name, value): a package found twice on the path lists it twice."""
    unique = {(point.name, point.value): point for point in entry_points(group=GROUP)}
    return [unique[known] for known in sorted(unique)]


def _load(point: EntryPoint) -> StageKind:
    said = f"stage kind {point.name!r} ({point.value}, entry point group {GROUP})"
    try:
        kind = point.load()
    except (ImportError, AttributeError) as error:
        raise UserError(f"{said} cannot be loaded: {error}") from error
    if not isinstance(kind, StageKind):
        raise UserError(f"{said} is a {type(kind).__name__}, not a StageKind")
    if kind.name != point.name:
        raise UserError(f"{said} calls itself {kind.name!r}; both names must be equal")
    return kind


def _check_names(kind: StageKind, kinds: Mapping[str, StageKind]) -> None:
    said = f"stage kind {kind.name!r}"
    others = [source.kind for source in kind.inputs]
    others += [other for other in (kind.scored_by, kind.joined_by) if other is not None]
    for other in others:
        if other not in kinds:
            raise UserError(f"{said} names {other!r}, which is not registered ({', '.join(kinds)})")
    if kind.scored_by and "test" in kind.roles:
        raise UserError(f"{said} is scored by {kind.scored_by!r}, so it cannot be given test rows")
    if kind.scored_by and kind.name not in {one.kind for one in kinds[kind.scored_by].inputs}:
        raise UserError(
            f"{said} is scored by {kind.scored_by!r}, which takes no input from {kind.name!r}"
        )
    for source in kind.inputs:
        if source.only_if and source.only_if[0] not in CHOICES:
            raise UserError(
                f"{said}: input {source.name!r} depends on {source.only_if[0]!r}, "
                "which is no choice of a cell "
                f"({', '.join(CHOICES)})"
            )


def _check_config(kind: StageKind) -> None:
    for name in kind.config.model_fields:
        if name not in CELL_FIELDS and name not in sections_of(kind):
            raise UserError(
                f"stage kind {kind.name!r}: config field {name!r} is neither a section "
                "(a pydantic model) nor one of "
                f"{', '.join(CELL_FIELDS)}; put single settings into a section"
            )


def _check_length(kind: StageKind) -> None:
    if kind.length is None:
        return
    said = {kind.length.setting: "its length is set by"}
    if kind.length.changes is not None:
        on_the_way = (kind.length.changes, *kind.length.changing)
        said |= dict.fromkeys(on_the_way, "what changes on its way is set by")
    for setting, what in said.items():
        section, _, name = setting.partition(".")
        model = sections_of(kind).get(section)
        if model is None or name not in model.model_fields:
            raise UserError(
                f"stage kind {kind.name!r}: {what} {setting!r}, which is no "
                f"section.setting of it; its sections are {', '.join(sections_of(kind))}"
            )


def _check_no_cycle(name: str, kinds: Mapping[str, StageKind], above: tuple[str, ...]) -> None:
    if name in above:
        circle = " <- ".join([*above[above.index(name) :], name])
        raise UserError(f"stage kinds take input from one another in a circle: {circle}")
    for source in kinds[name].inputs:
        _check_no_cycle(source.kind, kinds, (*above, name))
