"""Every combination of what varies: the whole grid, or one thing at a time around a baseline."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, product
from math import prod

from rotlab.planning.space.conditions import When
from rotlab.planning.space.factors import Factor, Step, in_order

Chosen = dict[str, int]  # axis -> index of its value
Holds = Callable[[When, Mapping[str, int]], bool]


class Combinations:
    """The combinations of a search space.

    Args:
        factors: what varies, in the file's order.
        baseline: axis -> index of the value around which it varies one factor at a time; the
            factors none of whose axes it names are crossed with all others.
    """

    def __init__(self, factors: Sequence[Factor], baseline: Mapping[str, int]) -> None:
        self._factors = factors
        self._order = in_order(factors)
        self._axes = tuple(axis for factor in factors for axis in factor.axes)
        self._base = {
            at: steps_with(factor, baseline)[0]
            for at, factor in enumerate(factors)
            if any(axis in baseline for axis in factor.axes)
        }
        self._has_conditions = any(factor.is_conditional for factor in factors)
        self._ranks = [
            {step: rank for rank, step in enumerate(factor.steps())} for factor in factors
        ]

    def all(self, holds: Holds) -> Iterator[Chosen]:
        """Yield every combination, in the order of the factors and of their steps.

        Args:
            holds: says whether a condition is met by what is chosen so far, which is all that it
                depends on.
        """
        if not self._base and not self._has_conditions:
            steps = (factor.branches[0].steps for factor in self._factors)
            for chosen in product(*steps):
                yield dict(zip(self._axes, chain.from_iterable(chosen), strict=True))
            return
        found = self._extend(0, {}, holds, is_varied=False)
        is_sorted = self._order == tuple(range(len(self._order)))
        for one in found if is_sorted else sorted(found, key=self._rank):
            yield {axis: one[axis] for axis in self._axes if axis in one}

    def count(self, holds: Holds, most: int) -> int:
        """Return how many there are; more than `most` are not counted further."""
        if self._has_conditions:
            return sum(1 for _ in islice(self._extend(0, {}, holds, is_varied=False), most + 1))
        sizes = [len(factor.branches[0].steps) for factor in self._factors]
        crossed = prod(size for at, size in enumerate(sizes) if at not in self._base)
        return crossed * (1 + sum(sizes[at] - 1 for at in self._base))

    def _extend(
        self, depth: int, chosen: Chosen, holds: Holds, *, is_varied: bool
    ) -> Iterator[Chosen]:
        """Yield what becomes of a choice on the first factors, in the order of dependence.

        Args:
            depth: how many factors have been chosen.
            chosen: what was chosen on them.
            holds: as for `all`.
            is_varied: whether one of them is off the baseline already.
        """
        if depth == len(self._order):
            yield chosen
            return
        at = self._order[depth]
        factor = self._factors[at]
        steps = _steps(factor, chosen, holds)
        if not steps:
            yield from self._extend(depth + 1, chosen, holds, is_varied=is_varied)
            return
        base = self._base.get(at)
        if base is not None and base not in steps:  # the baseline's arm has another branch
            base = steps[0]
        for step in steps:
            is_off = base is not None and step != base
            if is_off and is_varied:
                continue
            further = chosen | dict(zip(factor.axes, step, strict=True))
            yield from self._extend(depth + 1, further, holds, is_varied=is_varied or is_off)

    def _rank(self, chosen: Chosen) -> tuple[int, ...]:
        """Where a combination stands among the others."""
        return tuple(
            ranks[tuple(chosen[axis] for axis in factor.axes)] if factor.axes[0] in chosen else -1
            for factor, ranks in zip(self._factors, self._ranks, strict=True)
        )


def steps_with(factor: Factor, named: Mapping[str, int]) -> list[Step]:
    """Return the steps of a factor that have these values: axis -> index."""
    return [
        step
        for step in factor.steps()
        if all(named.get(axis, at) == at for axis, at in zip(factor.axes, step, strict=True))
    ]


def _steps(factor: Factor, chosen: Mapping[str, int], holds: Holds) -> tuple[Step, ...]:
    held = (one for one in factor.branches if not one.when or holds(one.when, chosen))
    branch = next(held, None)
    return branch.steps if branch else ()
