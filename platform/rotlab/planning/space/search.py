"""What a search space leaves to a search: settings that are tuned for each arm."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rotlab.planning.space.allowance import BUDGET, Allowance, read_allowance
from rotlab.planning.space.axes import VALUES, why_no_axis
from rotlab.planning.space.branches import read_branches
from rotlab.planning.space.conditions import Conditions
from rotlab.planning.space.defaults import Defaults
from rotlab.planning.space.names import unknown
from rotlab.planning.space.objectives import CHOOSE, Objective, read_objectives, read_within
from rotlab.planning.space.population import PLACE as POPULATION
from rotlab.planning.space.population import Population, read_population, refuse_several
from rotlab.planning.space.pruners import Pruner, read_pruner
from rotlab.planning.space.ranges import Domain, OneOf, Range, read_domain
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.replicates import LAST_SPLIT, SEEDS
from rotlab.planning.space.report import Report
from rotlab.planning.space.samplers import OPTIONS as SAMPLERS
from rotlab.planning.space.samplers import SINGLE, Sampler, read_sampler
from rotlab.planning.space.sections import CHOICES
from rotlab.planning.space.source import Place
from rotlab.planning.space.tries import read_at_once, read_proposals
from rotlab.planning.stage import StageKind

SEARCH = "search"
_PARTS = (
    "settings",
    "by",
    "metric",
    "goal",
    CHOOSE,
    "proposals",
    BUDGET,
    "at_once",
    "sampler",
    "pruner",
    "population",
    "per",
    "seed",
    "split",
)


@dataclass(frozen=True, slots=True)
class Search:
    """A search for settings, one for each arm and target unless told otherwise.

    Args:
        settings: "section.field" -> what it may be.
        by: the stage kind whose metric decides; its test videos are never read.
        metric: of that kind, on videos held out of training.
        goal: "maximize" or "minimize".
        proposals: of each search.
        at_once: proposals that may be under way: the k-th knows of those up to k - at_once.
        sampler: how they are proposed.
        per: axes; arms that agree on them share one search. None: each arm has its own.
        seeds: that proposals are judged on.
        splits: likewise; None takes the first of the study's.
        pruner: how those that fall behind are stopped; None: all get to their end.
        population: what is tried are its members, and `proposals` how many those are; None: each
            try is by itself.
        allowance: hours of each search, where it may take only so many.
        others: what tries are judged by beside the metric.
        within: how far from the best by the metric the winner may be, if it is better by those.
    """

    settings: Mapping[str, Domain]
    by: str
    metric: str
    goal: str
    proposals: int
    at_once: int
    sampler: Sampler
    per: tuple[str, ...] | None
    seeds: tuple[int, ...]
    splits: tuple[int, ...] | None
    pruner: Pruner | None = None
    population: Population | None = None

    def known_to(self, number: int) -> int:
        """Return of how many proposals a proposal, counted from 1, may know the values."""
        if self.population is not None:
            return self.population.before(number)
        return max(number - self.at_once, 0)

    allowance: Allowance | None = None
    others: tuple[Objective, ...] = ()
    within: float = 0.0

    @property
    def maximizes(self) -> bool:
        """Whether more is better."""
        return self.goal == "maximize"

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All that tries are judged by, the metric first."""
        return (Objective(self.metric, self.goal), *self.others)


def read_search(
    report: Report,
    defaults: Defaults,
    conditions: Conditions,
    kinds: Mapping[str, StageKind],
    measured: Collection[str],
    seeds: tuple[int, ...],
) -> Search | None:
    """Return the search that a file asks for, None where it asks for none or says it wrongly.

    Args:
        report: notes what is wrong.
        defaults: what the file fixes.
        conditions: know its axes.
        kinds: stage kinds by name.
        measured: those that cells measure.
        seeds: of the study.
    """
    if not report.has((SEARCH,)):
        return None
    before = len(report.problems)
    given = report.mapping((SEARCH,), _PARTS, "part of a search")
    if "settings" not in given:
        report.add((SEARCH,), "needs settings, a mapping of settings to ranges")
    settings = _read_settings(report, defaults, conditions)
    by = _read_by(report, kinds, measured)
    taken = {f"{section}.{name}" for section, one in defaults.fixed.items() for name in one}
    population = read_population(report, kinds, settings, taken | {*conditions.names})
    sampler = read_sampler(report)
    is_bred = report.has(POPULATION)
    proposals = 1 if is_bred else read_proposals(report, sampler, settings)
    at_once = read_at_once(report)
    allowance = read_allowance(report, at_once)
    judged = None if by is None else kinds[by].judged
    objectives = () if judged is None else read_objectives(report, str(by), judged)
    metric = objectives[0].name if objectives else None
    within = read_within(report, objectives)
    refuse_several(report, len(objectives))
    for name in settings:
        if judged is not None and name in judged.holding:
            report.add(
                (SEARCH, "settings", name),
                f"is {judged.holding[name]} in all that a search by {by} tries, or it could not be "
                "judged, so it cannot be searched; fix it in its section, or make it an axis",
            )
    judge = None if by is None else kinds[by]
    number = proposals if len(report.problems) == before else None
    pruner = read_pruner(report, judge, metric, sampler, number)
    if len(objectives) > 1:
        _refuse_single(report, sampler)
    per = _read_per(report, conditions) if "per" in given else None
    own = (
        report.whole_numbers((SEARCH, "seed"), lowest=0, below=SEEDS)
        if "seed" in given
        else seeds[:1]
    )
    if "seed" in given and isinstance(report.get(("replicates", "seed")), dict):
        at = report.source.line("replicates", "seed")
        said = f"stage kinds have seeds of their own in {at}, the first of which proposals are"
        report.add((SEARCH, "seed"), f"{said} judged on; leave it out")
    splits = None
    if "split" in given:
        splits = report.whole_numbers((SEARCH, "split"), lowest=1, below=LAST_SPLIT + 1)
    if len(report.problems) > before or by is None or metric is None:
        return None
    if population is not None:
        proposals = population.members
    return Search(
        settings,
        by,
        metric,
        objectives[0].goal,
        proposals,
        at_once,
        sampler,
        per,
        own,
        splits,
        pruner,
        population,
        allowance,
        objectives[1:],
        within,
    )


def _refuse_single(report: Report, sampler: Sampler) -> None:
    """Refuse what knows one objective only."""
    if sampler.name in SINGLE:
        able = ", ".join(name for name in SAMPLERS if name not in SINGLE)
        said = f"{sampler.name} proposes by one metric, and metric names several; take {able}"
        report.add((SEARCH, "sampler"), said)
    if report.has((SEARCH, "pruner")):
        said = "stops tries by one metric, and metric names several; leave pruner out, or name one"
        report.add((SEARCH, "pruner"), said)


def _read_settings(report: Report, defaults: Defaults, conditions: Conditions) -> dict[str, Domain]:
    place: Place = (SEARCH, "settings")
    if not report.has(place):
        return {}
    given = report.get(place)
    if not isinstance(given, dict) or not given:
        report.add(place, f"must be a mapping of settings to ranges, got {shown(given)}")
        return {}
    found = {}
    for name in given:
        at = (*place, name)
        if why := _why_not(report, name, given[name], defaults, conditions):
            report.add(at, why)
        elif (domain := read_domain(report, at)) is not None:
            checked = _checked(report, at, name, domain, conditions)
            if checked is not None:
                found[name] = checked
    return read_branches(report, place, found, conditions)


def _why_not(
    report: Report, name: str, value: object, defaults: Defaults, conditions: Conditions
) -> str | None:
    """Why a setting cannot be searched; None where it can."""
    if name in CHOICES:
        return f"{name} is what arms are compared by; make it an axis"
    if name in conditions.names:
        return "is an axis as well: compared, so not searched; take one of them away"
    section, _, field = name.partition(".")
    if field in defaults.fixed.get(section, {}):
        at = report.source.line(section, field)
        return f"is fixed in {at} and searched as well; take one of them away"
    overrides = report.get(("overrides",))
    for index, one in enumerate(overrides if isinstance(overrides, list) else ()):
        inside = one.get("set") if isinstance(one, dict) else None
        if isinstance(inside, dict) and name in inside:
            at = report.source.line("overrides", index, "set", name)
            return f"is set by overrides in {at} and searched as well; take one of them away"
    return why_no_axis(defaults.known, name, value)


def _checked(
    report: Report, place: Place, name: str, domain: Domain, conditions: Conditions
) -> Domain | None:
    """The domain with its values in the setting's own form, or None after a problem."""
    before = len(report.problems)
    if isinstance(domain, OneOf):
        listed = (*place, VALUES) if isinstance(report.get(place), dict) else place
        values = tuple(
            conditions.form((*listed, index), name, value)
            for index, value in enumerate(domain.values)
        )
        if len(report.problems) > before:
            return None
        if len(set(map(repr, values))) < len(values):
            report.add(place, f"a value stands there twice: {domain}")
            return None
        return OneOf(values)
    ends = [conditions.form((*place, end), name, getattr(domain, end)) for end in ("low", "high")]
    if len(report.problems) > before:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in ends):
        report.add(place, "is no number, so it has no range; give a list of values")
        return None
    whole = all(isinstance(one, int) for one in ends)
    if whole and domain.step is not None and domain.step != int(domain.step):
        report.add((*place, "step"), f"must be a whole number here, got {domain.step:g}")
        return None
    return Range(ends[0], ends[1], domain.log, domain.step, whole)


def _read_by(
    report: Report, kinds: Mapping[str, StageKind], measured: Collection[str]
) -> str | None:
    valid = [name for name, kind in kinds.items() if kind.judged is not None]
    if not report.has((SEARCH, "by")):
        found = next((name for name in measured if name in valid), None)
        if found is None:
            report.add(
                (SEARCH,),
                f"needs by, the stage kind whose held-out metric decides ({', '.join(valid)}): "
                f"{', '.join(measured)} is measured on test videos, which no search may see",
            )
        return found
    name = report.get((SEARCH, "by"))
    if isinstance(name, str) and name in valid:
        return name
    if isinstance(name, str) and name in kinds:
        said = f"{name} has no metric on held-out videos, and no search may see test videos"
        report.add((SEARCH, "by"), f"{said}; it can be {', '.join(valid)}")
    else:
        report.add((SEARCH, "by"), unknown("stage kind", name, valid))
    return None


def _read_per(report: Report, conditions: Conditions) -> tuple[str, ...] | None:
    place = (SEARCH, "per")
    if report.get(place) == "arm":
        return None
    if report.get(place) == "study":
        return ()
    valid = [*conditions.axes]
    if not isinstance(report.get(place), list):
        said = "must be arm, study or a list of axes, on which arms that share a search agree"
        report.add(place, f"{said}; got {shown(report.get(place))}")
        return None
    found: list[str] = []
    for index, name in enumerate(report.items(place)):
        if name not in valid:
            report.add((*place, index), unknown("axis", name, valid))
        elif name in found:
            report.add((*place, index), f"{name!r} stands there twice")
        else:
            found.append(str(name))
    return tuple(found)
