"""A plan: the cells of a study and the stages they need, equal stages merged."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

from rotlab.planning.arms import Arm, Excluded, Overridden, expand
from rotlab.planning.chains import Chains, Replicate
from rotlab.planning.collapse import Collapsed
from rotlab.planning.configs import RefusedError
from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.inits import RANDOM_FROZEN, SCRATCH
from rotlab.planning.key import canonical
from rotlab.planning.lengths import continuations
from rotlab.planning.problems import Problem, SpecError
from rotlab.planning.replicates import SEEDS, draws_by_chance
from rotlab.planning.shape import MODALITIES
from rotlab.planning.spec import Spec
from rotlab.planning.stage import Cell, Stage, StageKind


@dataclass(frozen=True)
class Plan:
    """What a search space asks for.

    Args:
        name: of the study.
        question: that it was made to answer.
        axes: names of the axes, in the file's order.
        cells: rows of the results.
        stages: key -> stage, parents before children.
        collapsed: which axes some arms do not have.
        excluded: arms left out.
        overridden: arms that have settings beside their choices.
        baseline: axis -> value, of the arm around which axes vary one at a time, on those of them
            that it has; empty where all are crossed, or it is left out.
        stages_unshared: kind -> how many stages there would be if every cell ran by itself.
        absent: data sets, or weights, that stages need and that are not on this machine, sorted.
        unsupported: key -> why the stage can be planned but not yet run.
        warnings: what is allowed but probably not meant.
        continues: key of a stage -> key of a shorter one that is its beginning, and from whose end
            it goes on if it can. A how: results and keys do not depend on it.
    """

    name: str
    question: str
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]
    stages: Mapping[str, Stage]
    collapsed: tuple[Collapsed, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    overridden: tuple[Overridden, ...] = ()
    baseline: Mapping[str, Any] = field(default_factory=dict)
    stages_unshared: Mapping[str, int] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    unsupported: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    continues: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Plan({self.name!r}, {len(self.cells)} cells, {len(self.stages)} stages)"

    @cached_property
    def num_arms(self) -> int:
        """How many different arms the cells have."""
        shared = {id(cell.arm): cell.arm for cell in self.cells}  # an arm's cells share one mapping
        return len({canonical(arm) for arm in shared.values()})

    def is_baseline(self, arm: Mapping[str, Any]) -> bool:
        """Say whether an arm is one around which the others vary: axis -> value."""
        return bool(self.baseline) and _agree(self.baseline, arm)

    def stages_by_kind(self) -> dict[str, tuple[str, ...]]:
        """Return kind -> keys of its stages, both in the plan's order."""
        found: dict[str, list[str]] = {}
        for key, stage in self.stages.items():
            found.setdefault(stage.kind, []).append(key)
        return {kind: tuple(keys) for kind, keys in found.items()}

    def count_by_kind(self) -> dict[str, int]:
        """Return kind -> number of its stages, in the plan's order."""
        return dict(Counter(stage.kind for stage in self.stages.values()))

    def children(self, key: str) -> tuple[str, ...]:
        """Return the keys of the stages that take this stage's result, in the plan's order."""
        return self._children.get(key, ())

    def followers(self, key: str) -> tuple[str, ...]:
        """Return the keys of the stages that go on from this one's end, in the plan's order."""
        return self._followers.get(key, ())

    def inputs_of(self, keys: Iterable[str]) -> set[str]:
        """Return these stages and all that they need, at once or through others."""
        found: set[str] = set()
        queue = list(keys)
        for key in queue:
            if key not in found:
                found.add(key)
                queue += self.stages[key].inputs.values()
        return found

    def outcomes_of(self, keys: Iterable[str]) -> set[str]:
        """Return these stages and all that are made from them, at once or through others."""
        found: set[str] = set()
        queue = list(keys)
        for key in queue:
            if key not in found:
                found.add(key)
                queue += self.children(key)
        return found

    def part(self, keys: Collection[str]) -> "Plan":
        """Return a plan of these stages only, and of the cells that need no other.

        Args:
            keys: of stages and all that they need.
        """
        return replace(
            self,
            cells=tuple(cell for cell in self.cells if all(one in keys for one in cell.stages)),
            stages={key: stage for key, stage in self.stages.items() if key in keys},
            continues={
                longer: shorter
                for longer, shorter in self.continues.items()
                if longer in keys and shorter in keys
            },
        )

    @cached_property
    def _followers(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for key, trunk in self.continues.items():
            found.setdefault(trunk, []).append(key)
        return {trunk: tuple(keys) for trunk, keys in found.items()}

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for key, stage in self.stages.items():
            for parent in dict.fromkeys(stage.inputs.values()):
                found.setdefault(parent, []).append(key)
        return {parent: tuple(keys) for parent, keys in found.items()}


def make_plan(
    spec: Spec, kinds: Mapping[str, StageKind], datasets: Mapping[str, DatasetInfo]
) -> Plan:
    """Return the plan of a search space. It needs no data, only what is known of them.

    Args:
        spec: what is asked for.
        kinds: stage kinds by name.
        datasets: all that the search space names, its weights among them.

    Raises:
        SpecError: with all that only shows once axes are combined or data sets are known.
    """
    arms = expand(spec, kinds)
    chains = Chains(spec, kinds, datasets)
    problems = [*_split_problems(spec, datasets), *_seed_problems(spec)]
    repeats = _Repeats(spec, [datasets[target] for target in spec.targets])
    cells = list(_cells(arms.arms, repeats, chains)) if not problems else []
    problems += chains.problems
    if problems:
        raise SpecError(spec.path, problems)
    baseline = _baseline(spec, arms.arms)
    stages = chains.stages
    needed = {ref.name for stage in stages.values() for ref in stage.data}
    unsupported = {
        key: kinds[stage.kind].unsupported(stage.config) for key, stage in stages.items()
    }
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
        stages_unshared=dict(Counter(stages[key].kind for cell in cells for key in cell.stages)),
        absent=tuple(sorted(name for name in needed if datasets[name].absent)),
        unsupported={key: why for key, why in unsupported.items() if why is not None},
        warnings=(
            *arms.warnings,
            *_baseline_missing(spec, baseline),
            *_random_row_missing(spec, kinds, arms.arms),
        ),
        continues=continuations(stages, kinds),
    )


def _agree(values: Mapping[str, Any], arm: Mapping[str, Any]) -> bool:
    """Say whether an arm has these values, on the axes that it has at all."""
    return all(
        canonical(arm[axis]) == canonical(value) for axis, value in values.items() if axis in arm
    )


def _baseline(spec: Spec, arms: Iterable[Arm]) -> dict[str, Any]:
    """The baseline's values, on the axes that it has by any measure."""
    named = spec.baseline
    bases = [arm.values for arm in arms if _agree(named, arm.values)] if named else []
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


class _Repeats:
    """The replicates of arms: those whose stages draw by chance alike have the same."""

    def __init__(self, spec: Spec, targets: Sequence[DatasetInfo]) -> None:
        self._spec = spec
        self._targets = targets
        self._made: dict[tuple[str, ...], list[tuple[Replicate, dict[str, int]]]] = {}

    def of(self, arm: Arm) -> list[tuple[Replicate, dict[str, int]]]:
        """Return the replicates of an arm, each with how it is written."""
        links = reversed(arm.shape.links)
        chain = tuple(link.kind.name for link in links if draws_by_chance(link.kind))
        if chain not in self._made:
            self._made[chain] = [
                (one, _written(one)) for target in self._targets for one in self._all(target, chain)
            ]
        return self._made[chain]

    def _all(self, target: DatasetInfo, chain: tuple[str, ...]) -> Iterator[Replicate]:
        splits: tuple[int | None, ...] = self._spec.replicates.splits or (1,)
        if target.num_splits == 0:
            splits = (None,)
        for draw, split in product(self._spec.replicates.draws(chain), splits):
            yield Replicate(target, draw, split)


def _written(replicate: Replicate) -> dict[str, int]:
    own = {f"seed.{kind}": seed for kind, seed in replicate.draw.by_kind.items()}
    split = {} if replicate.split is None else {"split": replicate.split}
    return {"seed": replicate.draw.seed, **split, **own}


def _cells(arms: Iterable[Arm], repeats: _Repeats, chains: Chains) -> Iterator[Cell]:
    for arm in arms:
        for replicate, written in repeats.of(arm):
            try:
                result, needed = chains.cell(arm, replicate)
            except RefusedError:  # the problem is noted; the others may have more
                continue
            target = replicate.target.name
            yield Cell(arm.values, target, written, arm.measure, result, needed, arm.overrides)
