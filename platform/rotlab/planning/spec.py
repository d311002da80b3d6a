"""A search space: what an ablation compares, read from its file and checked as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rotlab.planning.axes import CHOICES, MOST, read_axes, read_choice, read_sections
from rotlab.planning.excludes import Exclude, read_excludes
from rotlab.planning.kinds import load_kinds
from rotlab.planning.names import unknown
from rotlab.planning.problems import SpecError
from rotlab.planning.refusals import refusals, shown
from rotlab.planning.report import Report
from rotlab.planning.settings import Vocabulary, vocabulary
from rotlab.planning.shape import why_no_init, why_no_modality
from rotlab.planning.source import read_source
from rotlab.planning.stage import Resources, StageKind
from rotnet.recipes import RECIPES

PLAIN_KEYS = (
    "name",
    "question",
    "base",
    "data",
    "axes",
    "replicates",
    "exclude",
    "measure",
    "resources",
    "budget",
    *CHOICES,
)


@dataclass(frozen=True, slots=True)
class Replicates:
    """What each arm is repeated over.

    Args:
        seeds: of everything drawn by chance.
        splits: official splits of the targets, from 1; None takes the first where a target has any.
    """

    seeds: tuple[int, ...] = (0,)
    splits: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """A search space.

    Args:
        name: of the study.
        question: that it answers; may be empty.
        base: recipe that gives every setting its default.
        pretrain_data: data set for pretraining, where one is named.
        weights: folder of the converted network that `init: supervised` starts from, where one is
            named.
        targets: data sets that cells are measured on.
        axes: axis -> its values, in the file's order.
        settings: section -> field -> fixed value.
        modality, init: the fixed choice, where it is no axis.
        replicates: seeds and splits.
        exclude: arms left out.
        measure: stage kinds that cells measure.
        resources: kind -> what its stages occupy, for the kinds that the file names.
        budget_gpu_hours: a limit, where the file has one.
        text: of the file.
        path: of the file.
        lines: dotted place -> line, for what is found wrong later.
    """

    name: str
    question: str
    base: str
    pretrain_data: str | None
    weights: str | None
    targets: tuple[str, ...]
    axes: Mapping[str, tuple[Any, ...]]
    settings: Mapping[str, Mapping[str, Any]]
    modality: str
    init: str
    replicates: Replicates
    exclude: tuple[Exclude, ...]
    measure: tuple[str, ...]
    resources: Mapping[str, Resources]
    budget_gpu_hours: float | None
    text: str
    path: Path
    lines: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Spec({self.name!r}, axes={list(self.axes)}, targets={list(self.targets)})"

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of all data sets, each once; weights are none."""
        first = (self.pretrain_data,) if self.pretrain_data else ()
        return tuple(dict.fromkeys((*first, *self.targets)))

    def values(self, choice: str) -> tuple[str, ...]:
        """Return the values that `modality` or `init` takes, one where it is no axis."""
        fixed = {"modality": self.modality, "init": self.init}
        return self.axes.get(choice, (fixed[choice],))


def load_spec(path: Path, kinds: Mapping[str, StageKind] | None = None) -> Spec:
    """Return the search space in a file.

    Args:
        path: of a YAML file.
        kinds: stage kinds that it may measure; None takes all registered ones.

    Raises:
        SpecError: with all that is wrong with the file.
    """
    kinds = load_kinds() if kinds is None else kinds
    source = read_source(path)
    report = Report(source)
    known = vocabulary(kinds)
    spec = _read(report, known, kinds)
    if report.problems:
        raise SpecError(path, report.problems)
    return spec


def _read(report: Report, known: Vocabulary, kinds: Mapping[str, StageKind]) -> Spec:
    source = report.source
    _refuse_unknown_keys(report, known)
    base = _read_base(report)
    fixed = read_sections(report, known)
    init = read_choice(report, "init", "rotation")
    axes = read_axes(report, known, base, fixed, init)
    pretrain = report.name(("data", "pretrain")) if report.has(("data", "pretrain")) else None
    if not report.has(("data", "target")):
        report.add(("data",), "names no target, the data set that cells are measured on")
    spec = Spec(
        name=report.name(("name",)) or "",
        question=(report.text(("question",)) or "") if report.has(("question",)) else "",
        base=base,
        pretrain_data=pretrain,
        weights=report.name(("data", "weights")) if report.has(("data", "weights")) else None,
        targets=report.names(("data", "target")) if report.has(("data", "target")) else (),
        axes=axes,
        settings=fixed,
        modality=read_choice(report, "modality", "rgb"),
        init=init,
        replicates=_read_replicates(report),
        exclude=read_excludes(report, known, base, fixed, axes, axes.get("init", (init,))),
        measure=_read_measure(report, kinds),
        resources=_read_resources(report, kinds),
        budget_gpu_hours=_read_budget(report),
        text=source.text,
        path=source.path,
        lines={".".join(map(str, place)): line for place, line in source.lines.items()},
    )
    _refuse_weights_that_are_data(report, spec)
    _refuse_what_no_measure_can(report, spec, kinds)
    _refuse_too_many(report, spec)
    return spec


def _refuse_unknown_keys(report: Report, known: Vocabulary) -> None:
    allowed = [*PLAIN_KEYS, *known.sections]
    for key in report.source.values:
        if key in allowed:
            continue
        section, dot, rest = key.partition(".")
        if dot and known.knows(key):
            report.add((key,), f"a fixed setting stands in its section: {section}: {{{rest}: ...}}")
        else:
            report.add((key,), unknown("key", key, allowed))


def _read_base(report: Report) -> str:
    if not report.has(("base",)):
        return "paper"
    base = report.get(("base",))
    if isinstance(base, str) and base in RECIPES:
        return base
    report.add(("base",), unknown("recipe", base, list(RECIPES)))
    return "paper"


def _read_replicates(report: Report) -> Replicates:
    given = report.mapping(("replicates",), ("seed", "split"), "replicate")
    seeds, splits = Replicates().seeds, Replicates().splits
    if "seed" in given:
        seeds = report.whole_numbers(("replicates", "seed"), lowest=0, below=2**31)
    if "split" in given:
        splits = report.whole_numbers(("replicates", "split"), lowest=1, below=1000)
    return Replicates(seeds, splits)


def _read_measure(report: Report, kinds: Mapping[str, StageKind]) -> tuple[str, ...]:
    if not report.has(("measure",)):
        return ("finetune",)
    joiners = {kind.joined_by for kind in kinds.values()}
    valid = [name for name in kinds if name not in joiners]
    several = isinstance(report.get(("measure",)), list)
    found = []
    for index, name in enumerate(report.names(("measure",))):
        if name in valid:
            found.append(name)
        else:
            place = ("measure", index) if several else ("measure",)
            report.add(place, unknown("measure", name, valid))
    return tuple(found)


class _Occupied(BaseModel):
    """What `resources` may say of a stage kind."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    cpus: Annotated[int, Field(gt=0)] = 1
    gpus: Annotated[float, Field(ge=0)] | None = None


def _read_resources(report: Report, kinds: Mapping[str, StageKind]) -> dict[str, Resources]:
    found = {}
    for name in report.mapping(("resources",), list(kinds), "stage kind"):
        default = kinds[name].resources
        given = report.mapping(("resources", name), ("cpus", "gpus"), "resource")
        try:
            _Occupied.model_validate(given)
        except ValidationError as error:
            for refusal in refusals(error, given, _Occupied):
                report.add(("resources", name, refusal.field or ""), refusal.text)
            continue
        gpus = given.get("gpus", default.gpus)
        if gpus is not None and gpus > 1 and gpus != int(gpus):
            report.add(
                ("resources", name, "gpus"), f"more than one device are whole ones, got {gpus}"
            )
        found[name] = Resources(given.get("cpus", default.cpus), gpus)
    return found


def _read_budget(report: Report) -> float | None:
    given = report.mapping(("budget",), ("gpu_hours",), "limit")
    hours = given.get("gpu_hours")
    if "gpu_hours" not in given:
        return None
    if (
        isinstance(hours, bool)
        or not isinstance(hours, int | float)
        or not 0 < hours < float("inf")
    ):
        report.add(("budget", "gpu_hours"), f"must be a number greater than 0, got {shown(hours)}")
        return None
    return float(hours)


def _refuse_weights_that_are_data(report: Report, spec: Spec) -> None:
    if spec.weights is not None and spec.weights in spec.datasets:
        report.add(
            ("data", "weights"),
            f"{spec.weights!r} is a data set here; weights are the folder of a converted network",
        )


def _refuse_what_no_measure_can(report: Report, spec: Spec, kinds: Mapping[str, StageKind]) -> None:
    """Where some measure can, the plan leaves out those that cannot, and says so."""
    refused = {"init": why_no_init, "modality": why_no_modality}
    for choice, why_not in refused.items():
        for value in spec.values(choice):
            if value not in CHOICES[choice]():
                continue
            reasons = [why_not(measure, value, kinds) for measure in spec.measure]
            if reasons and None not in reasons:
                at = ("axes", choice) if choice in spec.axes else (choice,)
                report.add(at, str(reasons[0]))


def _refuse_too_many(report: Report, spec: Spec) -> None:
    arms = prod(len(values) for values in spec.axes.values())
    replicates = len(spec.replicates.seeds) * len(spec.replicates.splits or (1,))
    cells = arms * len(spec.targets) * replicates * len(spec.measure)
    if cells > MOST:
        report.add((), f"asks for {cells:,} cells before any collapse, more than {MOST:,}")
