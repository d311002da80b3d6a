"""Which arms of a search space are looked at together, and by which stages each seed is judged."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotlab.planning.key import canonical
from rotlab.planning.plan.arms import Arm
from rotlab.planning.plan.baselines import differences, untrained
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.space.looks import Family, seeds_of
from rotlab.planning.space.problems import Problem
from rotlab.planning.space.replicates import LOOKS
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import Cell, Stage, StageKind

_VERSION = 1  # of how a look decides on equal values
_DIGITS = 20
_PLACE = f"replicates.{LOOKS}"
_LISTED = 4  # arms under one problem


@dataclass(frozen=True, slots=True)
class Sample:
    """One seed of an arm, as looks see it.

    Args:
        judged: keys of the stages whose metric is its value: the mean over splits, and over the
            networks of a fusion.
        stages: keys of all stages of its cells, by which arms share something.
    """

    judged: tuple[str, ...]
    stages: frozenset[str]


class Families:
    """The families of a search space that asks for looks.

    Args:
        spec: that asks for them.
        kinds: stage kinds by name.
        stages: of all cells that there may be, by key.
    """

    def __init__(
        self, spec: Spec, kinds: Mapping[str, StageKind], stages: Mapping[str, Stage]
    ) -> None:
        self._spec = spec
        self._kinds = kinds
        self._stages = stages
        self._places: dict[tuple[int, str], tuple[str, int]] = {}  # arm, target -> family, place
        self.problems: list[Problem] = []
        self.all: dict[str, Family] = {}
        self.samples: dict[str, tuple[tuple[Sample, ...], ...]] = {}

    def find(
        self,
        arms: Sequence[Arm],
        baseline: Mapping[str, Any],
        cells: Callable[[int, str], Sequence[Cell]],
    ) -> None:
        """Learn what is looked at together; what is wrong with it stands in `problems` then.

        Args:
            arms: of all measures.
            baseline: axis -> value, where axes vary one at a time around one; else empty.
            cells: index of an arm, target -> its cells with all seeds.
        """
        if self._spec.search is not None:
            self._refuse(
                "a search tunes on the held-out videos that looks would judge by; give a list of "
                "seeds, or take the search away"
            )
        for measure in self._spec.measure:
            if self._is_judged(measure):
                self._find(measure, arms, baseline, cells)

    def num_seeds(self, index: int, target: str, decisions: Decisions) -> int:
        """Return how many seeds an arm, by its index, has on a target once looks decided so."""
        key, place = self._places[index, target]
        return seeds_of(self.all[key], decisions.looks.get(key, ()))[place]

    def _find(
        self,
        measure: str,
        arms: Sequence[Arm],
        baseline: Mapping[str, Any],
        cells: Callable[[int, str], Sequence[Cell]],
    ) -> None:
        indices = [index for index, arm in enumerate(arms) if arm.measure == measure]
        values = [arms[index].values for index in indices]
        against = baseline or untrained(values)
        pairs = differences(values, tuple(self._spec.axes), against)
        if not self._are_paired(measure, values, pairs, against):
            return
        metric = self._metric(measure)
        for target in self._spec.targets:
            samples = tuple(self._samples(measure, cells(index, target)) for index in indices)
            key = self._key(samples, pairs, metric)
            self.samples[key] = samples
            self.all[key] = Family(key, target, measure, metric, tuple(values), pairs, self._at())
            self._places |= {(index, target): (key, place) for place, index in enumerate(indices)}

    def _samples(self, measure: str, cells: Sequence[Cell]) -> tuple[Sample, ...]:
        """The seeds of an arm, in order."""
        found = []
        for seed in self._spec.replicates.seeds:
            own = [cell for cell in cells if cell.replicate["seed"] == seed]
            stages = [key for cell in own for key in cell.stages]
            judged = tuple(
                dict.fromkeys(key for key in stages if self._stages[key].kind == measure)
            )
            for key in judged:
                self._refuse_unjudged(measure, self._stages[key])
            found.append(Sample(judged, frozenset(stages)))
        return tuple(found)

    def _at(self) -> tuple[int, ...]:
        looks = self._spec.replicates.looks
        return looks.at if looks is not None else (len(self._spec.replicates.seeds),)

    def _metric(self, measure: str) -> str:
        judged = self._kinds[measure].judged
        return "" if judged is None else judged.metric

    def _key(
        self,
        samples: Sequence[Sequence[Sample]],
        pairs: Sequence[tuple[int, int]],
        metric: str,
    ) -> str:
        content = {
            "version": _VERSION,
            "stages": [[sorted(one.judged) for one in seeds] for seeds in samples],
            "pairs": pairs,
            "metric": metric,
            "at": self._at(),
        }
        return hashlib.sha256(canonical(content).encode()).hexdigest()[:_DIGITS]

    def _is_judged(self, measure: str) -> bool:
        if self._kinds[measure].judged is not None:
            return True
        valid = [name for name, kind in self._kinds.items() if kind.judged is not None]
        self._refuse(
            f"{measure} has no metric on held-out videos, and no look may see test videos; looks "
            f"go with {' or '.join(valid)}, so measure it in a search space of its own"
        )
        return False

    def _are_paired(
        self,
        measure: str,
        values: Sequence[Mapping[str, Any]],
        pairs: Sequence[tuple[int, int]],
        baseline: Mapping[str, Any],
    ) -> bool:
        """Whether every arm is a baseline, or has one."""
        bases = {base for _, base in pairs}
        named = ", ".join(f"{axis}={value}" for axis, value in baseline.items())
        alone = [
            arm
            for place, arm in enumerate(values)
            if place not in {place for place, _ in pairs}
            and place not in bases
            and not (pairs and baseline.items() <= arm.items())
        ]
        if not alone:
            return True
        listed = "; ".join(
            ", ".join(f"{axis}={value}" for axis, value in arm.items()) or "the one arm"
            for arm in alone[:_LISTED]
        )
        more = f" and {len(alone) - _LISTED} more" * (len(alone) > _LISTED)
        self._refuse(
            f"by {measure} nothing with {named}, all else equal, stands against {listed}{more}; "
            "the baseline is what `ablate` names, else init scratch, else random-frozen: add it, "
            "or give a list of seeds"
        )
        return False

    def _refuse_unjudged(self, measure: str, stage: Stage) -> None:
        """Every stage that is looked at has to tell the metric."""
        judged = self._kinds[measure].judged
        if judged is None:
            return
        found = judged.lacking(stage.config)
        if found is not None:
            setting, why = found
            self._refuse(f"{setting} {why}")
        for setting, value in judged.holding.items():
            section, _, name = setting.partition(".")
            held = getattr(getattr(stage.config, section), name)
            if held != value:
                self._refuse(
                    f"{setting} must be {value}, got {held}: looks judge by videos that were held "
                    "out of the very networks that are measured"
                )

    def _refuse(self, text: str) -> None:
        problem = self._spec.problem(text, _PLACE)
        if problem not in self.problems:
            self.problems.append(problem)
