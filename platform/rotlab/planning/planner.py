"""How a search space becomes a plan, and a plan that grows with what searches and looks decide."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from rotlab.planning.arms import Arm, expand
from rotlab.planning.chains import Chains
from rotlab.planning.configs import RefusedError
from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.decisions import Awaited, Decisions, Proposed, Tuning, Winner
from rotlab.planning.families import Families, Sample
from rotlab.planning.inits import RANDOM_FROZEN, SCRATCH
from rotlab.planning.key import canonical
from rotlab.planning.lengths import continuations
from rotlab.planning.looks import Family
from rotlab.planning.plan import Plan, agree
from rotlab.planning.problems import Problem, SpecError
from rotlab.planning.repeats import Repeats
from rotlab.planning.replicates import SEEDS
from rotlab.planning.shape import MODALITIES, Member
from rotlab.planning.spec import Spec
from rotlab.planning.stage import Cell, Stage, StageKind
from rotlab.planning.tunings import Tunings


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
        self._cells: dict[tuple[int, str, str], list[Cell]] = {}
        self._proposed: dict[tuple[str, str], Proposed] = {}
        self._tunings: Tunings | None = None
        self._families: Families | None = None
        problems = [*_split_problems(spec, datasets), *_seed_problems(spec)]
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
            families.find(arms, _baseline(spec, arms), lambda at, on: self._of(at, on, {}))
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
        for index, target, found in decided:
            if found is not None:
                cells += found
                continue
            arm, place = arms.arms[index], len(cells) + len(awaited)
            written = [each for one, each in self._repeats.of(arm) if one.target.name == target]
            awaited += [
                Awaited(arm.values, target, each, arm.measure, place + at)
                for at, each in enumerate(written)
            ]
        stages = self._stages(cells, proposed)
        baseline = _baseline(spec, arms.arms)
        needed = {ref.name for stage in stages.values() for ref in stage.data}
        unsupported = {
            key: kinds[stage.kind].unsupported(stage.config) for key, stage in stages.items()
        }
        alone = [key for cell in cells for key in cell.stages]
        alone += [key for one in proposed for key in one.stages]
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
            stages_unshared=dict(Counter(stages[key].kind for key in alone)),
            absent=tuple(sorted(name for name in needed if self._datasets[name].absent)),
            unsupported={key: why for key, why in unsupported.items() if why is not None},
            warnings=(
                *arms.warnings,
                *_baseline_missing(spec, baseline),
                *_random_row_missing(spec, kinds, arms.arms),
                *_proxy(spec, kinds),
                *_fused(spec, arms.arms),
            ),
            continues=continuations(stages, kinds),
            tunings=self.tunings,
            proposed=proposed,
            awaited=tuple(awaited),
            families=self.families,
            looks={key: decisions.looks.get(key, ()) for key in self.families},
        )

    def _decided(self, decisions: Decisions) -> Iterator[tuple[int, str, list[Cell] | None]]:
        """Yield arm, target and cells, in the plan's order; None while a search goes on."""
        for index, arm in enumerate(self._arms.arms):
            for target in self._spec.targets:
                winners: dict[str, Winner | None] = {}
                for member in arm.shape.members:
                    tuning = self._tuning(index, member, target)
                    if tuning is not None:
                        winners[member.name] = decisions.winners.get(tuning)
                found = {name: one for name, one in winners.items() if one is not None}
                is_known = len(found) == len(winners)
                cells = self._of(index, target, found) if is_known else None
                if cells is not None and self._families is not None:
                    number = self._families.num_seeds(index, target, decisions)
                    seeds = self._spec.replicates.seeds[:number]
                    cells = [cell for cell in cells if cell.replicate["seed"] in seeds]
                yield index, target, cells

    def _of(self, index: int, target: str, winners: Mapping[str, Winner]) -> list[Cell]:
        """The cells of an arm on a target, with what searches have found; made once."""
        settings = {name: dict(one.settings) for name, one in winners.items()}
        known = (index, target, canonical(settings))
        if known not in self._cells:
            arm = self._arms.arms[index]
            if self._tunings is not None and winners:
                arm = self._tunings.tuned(arm, winners)
            self._cells[known] = list(self._make_cells(arm, target))
        return self._cells[known]

    def _tuning(self, index: int, member: Member, target: str) -> str | None:
        return None if self._tunings is None else self._tunings.of(index, member, target)

    def _make_cells(self, arm: Arm, target: str) -> Iterator[Cell]:
        overrides = _overrides(arm)
        for replicate, written in self._repeats.of(arm):
            if replicate.target.name != target:
                continue
            try:
                result, needed = self._chains.cell(arm, replicate)
            except RefusedError:  # the problem is noted; the others may have more
                continue
            yield Cell(arm.values, target, written, arm.measure, result, needed, overrides)

    def _propose(self, decisions: Decisions) -> Iterator[Proposed]:
        """What was proposed."""
        if self._tunings is None:
            return
        for tuning in self.tunings:
            for proposal in decisions.proposed(tuning):
                known = (tuning, canonical(dict(proposal.settings)))
                if known not in self._proposed:
                    self._proposed[known] = self._tunings.propose(proposal)
                yield replace(self._proposed[known], proposal=proposal)

    def _stages(self, cells: Sequence[Cell], proposed: Sequence[Proposed]) -> dict[str, Stage]:
        """Those that are needed, parents first."""
        if self._tunings is None and self._families is None:
            return dict(self._chains.stages)
        needed = {key for cell in cells for key in cell.stages}
        needed |= {key for one in proposed for key in one.stages}
        return {key: stage for key, stage in self._chains.stages.items() if key in needed}

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


def _fused(spec: Spec, arms: Iterable[Arm]) -> Iterator[str]:
    """Warn of looks at what stands for a fusion."""
    if spec.replicates.looks is not None and any(len(arm.shape.members) > 1 for arm in arms):
        line = spec.line("replicates.looks")
        yield (
            f"{line} replicates.looks: two networks that are joined are looked at by the mean of "
            "their own values, a proxy of what they reach together"
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


def _split_problems(spec: Spec, datasets: Mapping[str, DatasetInfo]) -> list[Problem]:
    found = []
    for target in spec.targets:
        known = datasets[target].num_splits
        for split in spec.replicates.splits or ():
            if known and split > known:
                said = f"{target!r} has splits 1 to {known}, got {split}"
                found.append(spec.problem(said, "replicates.split"))
    return found


def _seed_problems(spec: Spec) -> list[Problem]:
    """A member's own seed must be no other replicate's, or the two would share their networks."""
    found = []
    members = [member for name in spec.values("modality") for member in MODALITIES[name]]
    offsets = dict.fromkeys(one.seed_offset for one in members if one.seed_offset)
    for offset, seeds in product(offsets, spec.replicates.all_seeds):
        for seed in seeds:
            if seed + offset in seeds or seed + offset >= SEEDS:
                said = (
                    f"two networks of one modality have the seeds {seed} and {seed + offset}, "
                    + (
                        "which is another replicate's; take one away"
                        if seed + offset in seeds
                        else f"which must be below {SEEDS}; take a lower one"
                    )
                )
                found.append(spec.problem(said, "replicates.seed"))
    return found
