"""How a search space becomes a plan, and a plan that grows with what searches and looks decide."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.inits import RANDOM_FROZEN, SCRATCH
from rotlab.planning.key import canonical
from rotlab.planning.lengths import Continuations
from rotlab.planning.plan.arms import Arm, expand
from rotlab.planning.plan.chains import Chains, Replicate
from rotlab.planning.plan.configs import RefusedError
from rotlab.planning.plan.decisions import Awaited, Decisions, Proposal, Proposed, Tuning, Winner
from rotlab.planning.plan.divided import undivided
from rotlab.planning.plan.families import Families, Sample
from rotlab.planning.plan.plan import Plan, agree
from rotlab.planning.plan.repeats import Repeats, seed_problems, split_problems
from rotlab.planning.plan.tunings import Tunings
from rotlab.planning.space.looks import Family
from rotlab.planning.space.points import num_points
from rotlab.planning.space.problems import Problem, SpecError
from rotlab.planning.space.samplers import RANDOM_AT_FIRST
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import Cell, Stage, StageKind


def make_plan(
    spec: Spec,
    kinds: Mapping[str, StageKind],
    datasets: Mapping[str, DatasetInfo],
    decisions: Decisions | None = None,
) -> Plan:
    """Return the plan of a search space. It needs no data, only what is known of them.

    Args:
        spec: what is asked for.
        kinds: stage kinds by name.
        datasets: all that the search space names, its weights among them.
        decisions: of its searches and looks so far; None: there are none.

    Raises:
        SpecError: with all that only shows once axes are combined or data sets are known.
    """
    return Planner(spec, kinds, datasets).plan(decisions or Decisions())


class Planner:
    """A search space's arms and stages, and its plan for whatever searches and looks have decided.

    Args:
        spec: what is asked for.
        kinds: stage kinds by name.
        datasets: all that the search space names, its weights among them.

    Raises:
        SpecError: with all that only shows once axes are combined or data sets are known.
    """

    def __init__(
        self,
        spec: Spec,
        kinds: Mapping[str, StageKind],
        datasets: Mapping[str, DatasetInfo],
    ) -> None:
        self._spec, self._kinds, self._datasets = spec, kinds, datasets
        self._arms = expand(spec, kinds)
        self._chains = Chains(spec, kinds, datasets)
        targets = [datasets[target] for target in spec.targets]
        self._repeats = Repeats(spec, targets)
        self._cells: dict[tuple[int, int, str], Cell | None] = {}
        self._proposed: dict[tuple[str, str], Proposed] = {}
        self._numbered: dict[tuple[str, int], Proposed] = {}
        self._facts: dict[str, tuple[str | None, frozenset[str]]] = {}
        self._continuations = Continuations(kinds)
        self._tunings: Tunings | None = None
        self._families: Families | None = None
        problems = [*split_problems(spec, datasets), *seed_problems(spec)]
        if spec.search is not None and not problems:
            self._tunings = Tunings(spec, spec.search, kinds, self._chains)
            self._tunings.find(self._arms.arms, targets)
            problems += self._tunings.problems
        if not problems:
            deque(self._decided(Decisions()), maxlen=0)
        self._refuse(problems)
        if spec.replicates.looks is not None:
            families = Families(spec, kinds, self._chains.stages)
            arms = self._arms.arms
            families.find(arms, _baseline(spec, arms), self._of)
            self._refuse(families.problems)
            self._families = families

    @property
    def tunings(self) -> Mapping[str, Tuning]:
        """The searches, by key."""
        return {} if self._tunings is None else self._tunings.all

    @property
    def families(self) -> Mapping[str, Family]:
        """What looks judge together, by key."""
        return {} if self._families is None else self._families.all

    def samples(self, family: str) -> tuple[tuple[Sample, ...], ...]:
        """Return the seeds of each arm of a family, by its key, up to those of the last look."""
        return () if self._families is None else self._families.samples[family]

    def plan(self, decisions: Decisions) -> Plan:
        """Return the plan as it is with these decisions; it grows as they do.

        Raises:
            SpecError: settings that a search ends with do not go with what stands behind.
        """
        decided = list(self._decided(decisions))
        self._refuse([])
        proposed = tuple(self._propose(decisions))
        spec, arms, kinds = self._spec, self._arms, self._kinds
        cells: list[Cell] = []
        awaited: list[Awaited] = []
        for cell in decided:
            if isinstance(cell, Cell):
                cells.append(cell)
            else:
                awaited.append(replace(cell, place=len(cells) + len(awaited)))
        stages = self._stages(cells, proposed)
        self._refuse_undivided(stages)
        baseline = _baseline(spec, arms.arms)
        facts = {key: self._facts_of(stage) for key, stage in stages.items()}
        needed = frozenset[str]().union(*{names for _, names in facts.values()})
        alone = [stages[key].kind for cell in cells for key in cell.stages]
        alone += [stages[key].kind for one in proposed for key in one.stages]
        return Plan(
            name=spec.name,
            question=spec.question,
            axes=tuple(spec.axes),
            cells=tuple(cells),
            stages=stages,
            collapsed=arms.collapsed,
            excluded=arms.excluded,
            overridden=arms.overridden,
            baseline=baseline,
            stages_unshared=dict(Counter(alone)),
            absent=tuple(sorted(name for name in needed if self._datasets[name].absent)),
            unsupported={key: why for key, (why, _) in facts.items() if why is not None},
            warnings=(
                *arms.warnings,
                *_baseline_missing(spec, baseline),
                *_random_row_missing(spec, kinds, arms.arms),
                *_proxy(spec, kinds),
                *_few_points(spec, self.tunings.values()),
                *_never_learns(spec, self.tunings.values()),
                *_fused(spec, arms.arms),
                *_judged_on_tested(spec, self._datasets),
            ),
            continues=self._continuations.of(stages),
            tunings=self.tunings,
            proposed=proposed,
            awaited=tuple(awaited),
            families=self.families,
            looks={key: decisions.looks.get(key, ()) for key in self.families},
        )

    def _decided(self, decisions: Decisions) -> Iterator[Cell | Awaited]:
        """Yield cells, and those that still wait for a search, in the plan's order."""
        for index, arm in enumerate(self._arms.arms):
            for at, (replicate, written) in enumerate(self._repeats.of(arm)):
                if not self._is_asked_for(index, replicate, decisions):
                    continue
                target = replicate.target.name
                winners: dict[str, Winner | None] = {}
                if self._tunings is not None:
                    searches = self._tunings.of(index, arm, target, replicate.split)
                    winners = {name: decisions.winners.get(key) for name, key in searches.items()}
                found = {name: one for name, one in winners.items() if one is not None}
                if len(found) < len(winners):
                    yield Awaited(arm.values, target, written, arm.measure, 0)
                elif (cell := self._cell(index, at, found)) is not None:
                    yield cell

    def _is_asked_for(self, index: int, replicate: Replicate, decisions: Decisions) -> bool:
        """Whether an arm has the seed, by looks until now."""
        if self._families is None:
            return True
        number = self._families.num_seeds(index, replicate.target.name, decisions)
        return replicate.draw.seed in self._spec.replicates.seeds[:number]

    def _of(self, index: int, target: str) -> list[Cell]:
        """All cells of an arm on a target, where nothing is searched."""
        repeats = enumerate(self._repeats.of(self._arms.arms[index]))
        made = (self._cell(index, at, {}) for at, (one, _) in repeats if one.target.name == target)
        return [cell for cell in made if cell is not None]

    def _cell(self, index: int, at: int, winners: Mapping[str, Winner]) -> Cell | None:
        """A replicate of an arm with what searches have found; None if refused. Made once."""
        settings = {name: dict(one.settings) for name, one in winners.items()}
        known = (index, at, canonical(settings) if settings else "")
        if known not in self._cells:
            arm = self._arms.arms[index]
            replicate, written = self._repeats.of(arm)[at]
            if self._tunings is not None and winners:
                arm = self._tunings.tuned(arm, winners)
            self._cells[known] = self._make_cell(arm, replicate, written)
        return self._cells[known]

    def _make_cell(self, arm: Arm, replicate: Replicate, written: Mapping[str, int]) -> Cell | None:
        try:
            result, needed = self._chains.cell(arm, replicate)
        except RefusedError:  # the problem is noted; the others may have more
            return None
        target = replicate.target.name
        return Cell(arm.values, target, written, arm.measure, result, needed, _overrides(arm))

    def as_stages(self, proposal: Proposal) -> Proposed:
        """Return a proposal of one of the searches as stages, be it in the plan or not."""
        at = (proposal.tuning, proposal.number)
        made = self._numbered.get(at)
        if made is not None and made.proposal is proposal:  # a plan that grows asks for it again
            return made
        known = (proposal.tuning, canonical(dict(proposal.settings)))
        if known not in self._proposed:
            if self._tunings is None:
                raise ValueError(f"nothing is searched here, but {proposal.tuning} is proposed")
            self._proposed[known] = self._tunings.propose(proposal)
        self._numbered[at] = replace(self._proposed[known], proposal=proposal)
        return self._numbered[at]

    def stage(self, key: str) -> Stage:
        """Return a stage of the plan, or of a proposal that is in it no more."""
        return self._chains.stages[key]

    def fits(self, proposal: Proposal) -> bool:
        """Say whether a proposal's settings break no rule together."""
        return bool(self.as_stages(proposal).results)

    def _propose(self, decisions: Decisions) -> Iterator[Proposed]:
        """What was proposed, but for what is given up."""
        for tuning in self.tunings:
            for proposal in decisions.proposed(tuning):
                if not decisions.is_given_up(proposal):
                    yield self.as_stages(proposal)

    def _facts_of(self, stage: Stage) -> tuple[str | None, frozenset[str]]:
        """Why a stage cannot be run, if so, and the data sets that it is given; found once."""
        if stage.key not in self._facts:
            why = self._kinds[stage.kind].unsupported(stage.config)
            self._facts[stage.key] = why, frozenset(ref.name for ref in stage.data)
        return self._facts[stage.key]

    def _stages(self, cells: Sequence[Cell], proposed: Sequence[Proposed]) -> dict[str, Stage]:
        """Those that are needed, parents first."""
        if self._tunings is None and self._families is None:
            return dict(self._chains.stages)
        needed = {key for cell in cells for key in cell.stages}
        needed |= {key for one in proposed for key in one.stages}
        return {key: stage for key, stage in self._chains.stages.items() if key in needed}

    def _refuse_undivided(self, stages: Mapping[str, Stage]) -> None:
        found = undivided(stages.values(), self._kinds, self._spec.resources)
        self._refuse([self._spec.problem(why, f"resources.{kind}") for kind, why in found])

    def _refuse(self, problems: list[Problem]) -> None:
        problems += self._chains.problems
        if problems:
            raise SpecError(self._spec.path, problems)


def _overrides(arm: Arm) -> dict[str, Any]:
    """What holds for an arm's cells beside its choices, searched settings among it."""
    found = dict(arm.overrides)
    for name, own in arm.tuned.items():
        said = f" ({name})" * (len(arm.shape.members) > 1)
        found |= {
            f"{setting}{said}": value
            for setting, value in own.overrides.items()
            if setting not in arm.overrides
        }
    return found


def _proxy(spec: Spec, kinds: Mapping[str, StageKind]) -> Iterator[str]:
    """Warn of a search that is judged on what stands for something else."""
    if spec.search is None or spec.measure == (spec.search.by,):
        return
    judged = kinds[spec.search.by].judged
    if judged is not None and judged.proxy is not None:
        line = spec.line("search.by", "search")
        yield f"{line} search: is judged on a proxy: {judged.proxy}"


def _few_points(spec: Spec, tunings: Iterable[Tuning]) -> Iterator[str]:
    """Warn of a search that ends before it has made as many proposals as it was asked for."""
    if spec.search is not None and spec.search.allowance and "search.proposals" not in spec.lines:
        return
    for few in sorted({one.points for one in tunings if one.points is not None}):
        line = spec.line("search.proposals", "search")
        asked = spec.search.proposals if spec.search else 0
        yield (
            f"{line} search.proposals: a search ends once it has tried all {few} settings that "
            f"there are, fewer than {asked} proposals"
        )


def _never_learns(spec: Spec, tunings: Iterable[Tuning]) -> Iterator[str]:
    """Warn of a sampler that draws all proposals at random, as it never knows enough values."""
    search = spec.search
    if search is None or search.sampler.name not in RANDOM_AT_FIRST or search.population:
        return
    option, default = RANDOM_AT_FIRST[search.sampler.name]
    first = int(search.sampler.options.get(option, default))
    known = search.known_to(search.proposals)
    numbers = [
        num_points({name: search.settings[name] for name in one.settings}) for one in tunings
    ]
    if known < first and any(one is None or one > search.proposals for one in numbers):
        line = spec.line("search.sampler", "search")
        yield (
            f"{line} search.sampler: {search.sampler.name} draws at random until it knows {first} "
            f"values ({option}), and the last of {search.proposals} proposals knows {known}; lower "
            f"{option} or at_once, ask for more proposals, or take qmc, which spreads them evenly"
        )


def _fused(spec: Spec, arms: Iterable[Arm]) -> Iterator[str]:
    """Warn of looks at what stands for a fusion."""
    if spec.replicates.looks is not None and any(len(arm.shape.members) > 1 for arm in arms):
        line = spec.line("replicates.looks")
        yield (
            f"{line} replicates.looks: two networks that are joined are looked at by the mean of "
            "their own values, a proxy of what they reach together"
        )


def _judged_on_tested(spec: Spec, datasets: Mapping[str, DatasetInfo]) -> Iterator[str]:
    """Warn of a search that learns from videos on which its winner is then tested."""
    judged_on = None if spec.search is None else spec.search.splits
    tested = spec.replicates.splits or (1,)
    if judged_on is None or all(judged_on == (split,) for split in tested):
        return
    if not any(datasets[target].num_splits for target in spec.targets):
        return
    line = spec.line("search.split", "search")
    yield (
        f"{line} search.split: settings are chosen on split {', '.join(map(str, judged_on))} and "
        f"tested on {', '.join(map(str, tested))}: test videos of one split are trained and judged "
        "on in another; leave split out, and each split has a search of its own"
    )


def _baseline(spec: Spec, arms: Iterable[Arm]) -> dict[str, Any]:
    """The baseline's values, on the axes that it has by any measure."""
    named = spec.baseline
    bases = [arm.values for arm in arms if agree(named, arm.values)] if named else []
    held = {axis for values in bases for axis in values}
    return {axis: value for axis, value in named.items() if axis in held}


def _baseline_missing(spec: Spec, baseline: Mapping[str, Any]) -> Iterator[str]:
    if spec.ablate and not baseline:
        line = spec.line("ablate")
        yield f"{line} ablate: the baseline is left out; nothing to set the other arms against"


def _random_row_missing(
    spec: Spec, kinds: Mapping[str, StageKind], arms: Iterable[Arm]
) -> Iterator[str]:
    """Warn of frozen networks that are measured without a random one beside them.

    Random features can do well: on 5 classes of UCF101 a random network's probe reads above 70 %.
    """
    has_random = {arm.measure for arm in arms if arm.shape.init in (SCRATCH, RANDOM_FROZEN)}
    line = spec.line(spec.places.get("init", "init"), "measure")
    for measure in spec.measure:
        kind = kinds[measure]
        looks_only = "test" in kind.roles and any(one.kind == "pretrain" for one in kind.inputs)
        if looks_only and measure not in has_random:
            yield (
                f"{line} init: {measure} has no random network to be read against; "
                f"add {SCRATCH} or {RANDOM_FROZEN}"
            )
