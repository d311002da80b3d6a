"""A plan: the cells of a study and the stages they need, equal stages merged."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from rotlab.planning.key import canonical
from rotlab.planning.plan.arms import Excluded, Overridden
from rotlab.planning.plan.collapse import Collapsed
from rotlab.planning.plan.decisions import Awaited, Proposed, Tuning
from rotlab.planning.space.looks import Family, Look, is_over
from rotlab.planning.stage import Cell, Stage


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
        tunings: the searches for settings, by key.
        proposed: what searches have proposed so far.
        awaited: cells whose settings a search has still to find.
        families: what looks judge together, by key.
        looks: key of a family -> its looks so far.
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
    tunings: Mapping[str, Tuning] = field(default_factory=dict)
    proposed: tuple[Proposed, ...] = ()
    awaited: tuple[Awaited, ...] = ()
    families: Mapping[str, Family] = field(default_factory=dict)
    looks: Mapping[str, tuple[Look, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Plan({self.name!r}, {len(self.cells)} cells, {len(self.stages)} stages)"

    @cached_property
    def num_arms(self) -> int:
        """How many different arms the cells have."""
        shared = {id(cell.arm): cell.arm for cell in self.cells}  # its cells share one mapping
        shared |= {id(cell.arm): cell.arm for cell in self.awaited}
        return len({canonical(arm) for arm in shared.values()})

    @property
    def is_decided(self) -> bool:
        """Whether it holds all that its searches and looks will ask for."""
        return not self.awaited and all(is_over(self.looks.get(key, ())) for key in self.families)

    def rows(self) -> tuple[Cell | Awaited, ...]:
        """Return all rows that the results will have, in order, be they decided or not."""
        awaited = {one.place: one for one in self.awaited}
        cells = iter(self.cells)
        number = len(self.cells) + len(awaited)
        return tuple(awaited[at] if at in awaited else next(cells) for at in range(number))

    def is_baseline(self, arm: Mapping[str, Any]) -> bool:
        """Say whether an arm is one around which the others vary: axis -> value."""
        return bool(self.baseline) and agree(self.baseline, arm)

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
    def to_go_on(self) -> frozenset[str]:
        """Trainings of a population from whose end its next generation goes on, once it is there.

        Which of them it is decided by all, so each is one that may be.
        """
        found: set[str] = set()
        for one in self.proposed:
            tuning = self.tunings[one.proposal.tuning]
            population = tuning.population
            if population is None or one.proposal.number > population.before(tuning.proposals):
                continue
            section = population.length.partition(".")[0]
            stages = (self.stages[key] for key in one.stages)
            found.update(stage.key for stage in stages if hasattr(stage.config, section))
        return frozenset(found)

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


def agree(values: Mapping[str, Any], arm: Mapping[str, Any]) -> bool:
    """Say whether an arm has these values, on the axes that it has at all."""
    return all(
        canonical(arm[axis]) == canonical(value) for axis, value in values.items() if axis in arm
    )
