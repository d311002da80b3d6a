"""A search space: what an ablation compares, read from its file and checked as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rotlab.planning.kinds import load_kinds
from rotlab.planning.space.budget import Budget, read_budget
from rotlab.planning.space.defaults import Defaults
from rotlab.planning.space.excludes import Exclude, read_excludes
from rotlab.planning.space.factors import Factor
from rotlab.planning.space.include import read_whole
from rotlab.planning.space.names import unknown
from rotlab.planning.space.occupancy import read_resources
from rotlab.planning.space.overrides import Override, read_overrides
from rotlab.planning.space.problems import Line, Problem, SpecError
from rotlab.planning.space.replicates import Replicates, read_replicates
from rotlab.planning.space.report import Report
from rotlab.planning.space.search import SEARCH, Search, read_search
from rotlab.planning.space.sections import CHOICES, read_choice, read_sections
from rotlab.planning.space.settings import Vocabulary, vocabulary
from rotlab.planning.space.shape import why_no_init, why_no_modality
from rotlab.planning.space.source import Place
from rotlab.planning.space.varying import MOST, Varying, read_varying
from rotlab.planning.stage import Resources, StageKind
from rotnet.recipes import RECIPES

PLAIN_KEYS = (
    "name",
    "question",
    "base",
    "data",
    "axes",
    "zip",
    "arms",
    "ablate",
    "overrides",
    "replicates",
    "exclude",
    "measure",
    "resources",
    "budget",
    SEARCH,
    *CHOICES,
)


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
        factors: what is crossed, by index of the axes' values; None where there are only arms given
            one by one.
        listed: arms given one by one: axis -> index of its value.
        ablate: axis -> index of the baseline's value, for the axes that vary one at a time around
            it.
        settings: section -> field -> fixed value.
        modality, init: the fixed choice, where it is no axis.
        replicates: seeds and splits.
        exclude: arms left out.
        overrides: settings of some arms that are nothing to compare.
        measure: stage kinds that cells measure.
        resources: kind -> what its stages occupy, for the kinds that the file names.
        budget: what it may cost at most.
        search: settings that are tuned for each arm, where some are.
        text: of the file.
        path: of the file.
        places: axis -> dotted place where it varies.
        lines: dotted place -> line, for what is found wrong later.
    """

    name: str
    question: str
    base: str
    pretrain_data: str | None
    weights: str | None
    targets: tuple[str, ...]
    axes: Mapping[str, tuple[Any, ...]]
    factors: tuple[Factor, ...] | None
    listed: tuple[Mapping[str, int], ...]
    ablate: Mapping[str, int]
    settings: Mapping[str, Mapping[str, Any]]
    modality: str
    init: str
    replicates: Replicates
    exclude: tuple[Exclude, ...]
    overrides: tuple[Override, ...]
    measure: tuple[str, ...]
    resources: Mapping[str, Resources]
    budget: Budget
    search: Search | None
    text: str
    path: Path
    places: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Spec({self.name!r}, axes={list(self.axes)}, targets={list(self.targets)})"

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of all data sets, each once; weights are none."""
        first = (self.pretrain_data,) if self.pretrain_data else ()
        return tuple(dict.fromkeys((*first, *self.targets)))

    @property
    def choices(self) -> dict[str, str]:
        """The fixed modality and init, where it is no axis."""
        return {"modality": self.modality, "init": self.init}

    @property
    def baseline(self) -> dict[str, Any]:
        """The values around which axes vary one at a time; empty where all are crossed."""
        return {axis: self.axes[axis][index] for axis, index in self.ablate.items()}

    def values(self, choice: str) -> tuple[str, ...]:
        """Return the values that `modality` or `init` takes, one where it is no axis."""
        return self.axes.get(choice, (self.choices[choice],))

    def line(self, *places: str) -> Line:
        """Return the line of the first of some dotted places that the file has, else its first."""
        return next((self.lines[place] for place in places if place in self.lines), Line(1))

    def place_beside(self, settings: Iterable[str]) -> str:
        """Return the dotted place of what holds for an arm beside its axes: searched, or set."""
        searched = self.search.settings if self.search is not None else {}
        found = next((one for one in settings if one in searched), None)
        return "overrides" if found is None else f"search.settings.{found}"

    def problem(self, text: str, place: str) -> Problem:
        """Return a problem at a dotted place, or at what is around it."""
        line = self.line(place, place.partition(".")[0])
        return Problem(text, place, line.number, line.path)


def load_spec(path: Path, kinds: Mapping[str, StageKind] | None = None) -> Spec:
    """Return the search space in a file and in all that it includes.

    Args:
        path: of a YAML file.
        kinds: stage kinds that it may measure; None takes all registered ones.

    Raises:
        SpecError: with all that is wrong with the file.
    """
    kinds = load_kinds() if kinds is None else kinds
    report = Report(read_whole(path))
    spec = _read(report, vocabulary(kinds), kinds)
    if report.problems:
        raise SpecError(path, report.problems)
    return spec


def measures(kinds: Mapping[str, StageKind]) -> tuple[str, ...]:
    """Return the stage kinds that cells can measure."""
    joiners = {kind.joined_by for kind in kinds.values()}
    return tuple(name for name in kinds if name not in joiners)


def _read(report: Report, known: Vocabulary, kinds: Mapping[str, StageKind]) -> Spec:
    source = report.source
    _refuse_unknown_keys(report, known)
    base = _read_base(report)
    fixed = read_sections(report, known)
    choices = {
        "init": read_choice(report, "init", "rotation"),
        "modality": read_choice(report, "modality", "rgb"),
    }
    defaults = Defaults(known, base, fixed, choices)
    varying, conditions = read_varying(report, defaults)
    replicates, measured = read_replicates(report, kinds), _read_measure(report, kinds)
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
        axes=varying.axes,
        factors=varying.factors,
        listed=varying.listed,
        ablate=varying.baseline,
        settings=fixed,
        **choices,
        replicates=replicates,
        exclude=read_excludes(report, conditions),
        overrides=read_overrides(report, conditions),
        measure=measured,
        resources=read_resources(report, kinds),
        budget=read_budget(report),
        search=read_search(report, defaults, conditions, kinds, measured, replicates.seeds),
        text=source.text,
        path=source.path,
        places={axis: _dotted(place) for axis, place in varying.places.items()},
        lines={_dotted(place): line for place, line in source.lines.items()},
    )
    _refuse_weights_that_are_data(report, spec)
    _refuse_what_no_measure_can(report, spec, varying, kinds)
    _refuse_too_many(report, spec, varying)
    return spec


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


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


def _read_measure(report: Report, kinds: Mapping[str, StageKind]) -> tuple[str, ...]:
    if not report.has(("measure",)):
        return ("finetune",)
    valid = measures(kinds)
    several = isinstance(report.get(("measure",)), list)
    found = []
    for index, name in enumerate(report.names(("measure",))):
        if name in valid:
            found.append(name)
        else:
            place = ("measure", index) if several else ("measure",)
            report.add(place, unknown("measure", name, valid))
    return tuple(found)


def _refuse_weights_that_are_data(report: Report, spec: Spec) -> None:
    if spec.weights is not None and spec.weights in spec.datasets:
        report.add(
            ("data", "weights"),
            f"{spec.weights!r} is a data set here; weights are the folder of a converted network",
        )


def _refuse_what_no_measure_can(
    report: Report, spec: Spec, varying: Varying, kinds: Mapping[str, StageKind]
) -> None:
    """Where some measure can, the plan leaves out those that cannot, and says so."""
    refused = {"init": why_no_init, "modality": why_no_modality}
    for choice, why_not in refused.items():
        for value in spec.values(choice):
            if value not in CHOICES[choice]():
                continue
            reasons = [why_not(measure, value, kinds) for measure in spec.measure]
            if reasons and None not in reasons:
                report.add(varying.places.get(choice, (choice,)), str(reasons[0]))


def _refuse_too_many(report: Report, spec: Spec, varying: Varying) -> None:
    is_conditional = any(one.is_conditional for one in varying.factors or ())
    if report.problems and is_conditional:
        return  # a condition can be asked of values that are in order only
    arms = varying.count(spec.choices)
    cells = arms * len(spec.targets) * spec.replicates.count * len(spec.measure)
    if arms > MOST:
        counted = f"{arms:,} combinations of values, " * (not is_conditional)
        several = f"more than {MOST:,}" + " combinations of values" * is_conditional
        report.add(("axes",), f"{counted}{several}; take some away")
    elif cells > MOST:
        report.add((), f"asks for {cells:,} cells before any collapse, more than {MOST:,}")
