"""The looks of a study as it runs: which arms go on to more seeds, once all have theirs. No Ray."""

import math
from collections.abc import Callable, Sequence

from rotlab.execution.conduct.growth import Growth
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.families import Sample
from rotlab.planning.plan.planner import Planner
from rotlab.planning.space.looks import Family, Look, Verdict, is_over, seeds_of
from rotlab.store.decision_book import DecisionBook
from rotnet.errors import UserError

Judge = Callable[
    [Family, Sequence[Sequence[float]], Sequence[Sequence[frozenset[str]]], Sequence[Look]],
    tuple[Verdict, ...],
]


class Looking(Growth):
    """Takes looks, each once all seeds of its family that are asked for have a value.

    So a look knows the same whatever ends first. One of whose stages failed is not taken: it waits
    until they are made.

    Args:
        planner: of the study.
        book: where looks are kept.
        judge: what a look makes of a family's values, as `rotlab.reporting.looking.verdicts` does.
    """

    def __init__(self, planner: Planner, book: DecisionBook, judge: Judge) -> None:
        decisions = book.read({}, planner.families)
        super().__init__(planner, decisions)
        self._book = book
        self._judge = judge
        self._taken = {key: list(decisions.looks[key]) for key in planner.families}

    def undecided(self) -> dict[str, str]:
        """Return key of a family -> why its next look is not taken."""
        found = {}
        for key, family in self._planner.families.items():
            taken = self._taken[key]
            if is_over(taken):
                continue
            judged = [stage for arm in self._seeds(family) for seed in arm for stage in seed.judged]
            lost = sum(stage in self._lost for stage in judged)
            told = sum(stage in self._metrics for stage in judged)
            why = f"{told} of {len(judged)} stages have ended"
            if lost:
                why += f", and {lost} failed; it is taken once they are made"
            seeds = family.at[len(taken)]
            found[key] = f"the look at {seeds} seeds is not taken yet: {why}"
        return found

    def _decisions(self) -> Decisions:
        return Decisions(looks={key: tuple(taken) for key, taken in self._taken.items()})

    def _decide_once(self) -> bool:
        """Take the next look at every family that has all it asks for."""
        has_decided = False
        for key, family in self._planner.families.items():
            taken, seeds = self._taken[key], self._seeds(family)
            judged = [stage for arm in seeds for seed in arm for stage in seed.judged]
            if is_over(taken) or not all(stage in self._metrics for stage in judged):
                continue
            values = [[self._value(family, seed) for seed in arm] for arm in seeds]
            stages = [[seed.stages for seed in arm] for arm in seeds]
            verdicts = self._judge(family, values, stages, taken)
            look = Look(key, len(taken) + 1, verdicts, tuple(map(tuple, values)))
            taken.append(self._book.keep_look(look))
            has_decided = True
        return has_decided

    def _seeds(self, family: Family) -> list[tuple[Sample, ...]]:
        """The seeds of each arm that the next look is at."""
        numbers = seeds_of(family, self._taken[family.key])
        samples = self._planner.samples(family.key)
        return [arm[:number] for arm, number in zip(samples, numbers, strict=True)]

    def _value(self, family: Family, seed: Sample) -> float:
        return math.fsum(self._metric(family, key) for key in seed.judged) / len(seed.judged)

    def _metric(self, family: Family, key: str) -> float:
        metrics, name = self._metrics[key], family.metric
        if name not in metrics:
            has = ", ".join(metrics) or "none"
            raise UserError(
                f"replicates.looks: {family.measure} {key[:12]} reports no {name!r}; it has {has}"
            )
        return metrics[name]
