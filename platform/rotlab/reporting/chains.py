"""Which results of an arm are independent: those that share no stage, and no seed.

A replicate's splits share a pretraining, or at least a seed, and official splits overlap: they are
averaged first. Replicates that share a stage, as three fine-tunings of one pretraining do, are one
chain, and their mean is one value. A stage that cells share is taken as one drawn by chance.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd

Item = TypeVar("Item")
Record = Mapping[Hashable, Any]


@dataclass(frozen=True, slots=True)
class Chain:
    """One independent value.

    Args:
        value: the mean of its replicates, each of them the mean of its splits.
        stages: keys of all stages behind it; empty where they are not known.
        seeds: of its replicates.
        splits: split -> the value there.
    """

    value: float
    stages: frozenset[str]
    seeds: frozenset[int | None]
    splits: Mapping[int, float] = field(default_factory=dict)


def chains_of(
    cells: Sequence[Record], value: Callable[[Record], float | None]
) -> tuple[Chain, ...]:
    """Return the independent values of an arm's cells on one target.

    A replicate counts once all its splits are there, because splits differ in difficulty: what is
    missing is never averaged away.

    Args:
        cells: records of a results frame; "stages" holds the keys of the stages behind one.
        value: of a cell; None where it has none.
    """
    replicates = []
    for of_replicate in _grouped(cells, _replicate).values():
        known = [(cell, one) for cell in of_replicate if (one := value(cell)) is not None]
        if len(known) == len(of_replicate):
            stages = frozenset(key for cell in of_replicate for key in cell.get("stages") or ())
            seeds = frozenset({_seed(of_replicate[0])})
            splits = {_split(cell): one for cell, one in known}
            replicates.append(Chain(_mean(one for _, one in known), stages, seeds, splits))
    return independent(replicates)


def independent(replicates: Sequence[Chain]) -> tuple[Chain, ...]:
    """Return replicates as independent values: those that share a stage or a seed are one."""
    joined = joint(replicates, lambda one: (*one.stages, *one.seeds))
    return tuple(map(_merged, joined))


def joint(items: Sequence[Item], marks: Callable[[Item], Iterable[object]]) -> list[list[Item]]:
    """Return items in groups that have no mark in common, in the order of their first ones."""
    groups: list[tuple[set[object], list[int]]] = []
    for number, item in enumerate(items):
        own, places = set(marks(item)), [number]
        apart = []
        for held, others in groups:
            if held & own:
                own, places = own | held, others + places
            else:
                apart.append((held, others))
        groups = [*apart, (own, places)]
    return [[items[place] for place in sorted(places)] for _, places in sorted(groups, key=_first)]


def pairs(first: Sequence[Chain], second: Sequence[Chain]) -> list[float] | None:
    """Return the differences within pairs that share a stage, or None where nothing is shared.

    An equal seed alone is no pair: it does not make two different networks alike. Where some
    chains share a stage and others have no counterpart, those that do are compared.
    """
    sides = [(0, chain) for chain in first] + [(1, chain) for chain in second]
    groups = joint(sides, lambda one: one[1].stages)
    both = [group for group in groups if {side for side, _ in group} == {0, 1}]
    if not both:
        return None
    return [
        _mean(chain.value for side, chain in group if side == 0)
        - _mean(chain.value for side, chain in group if side == 1)
        for group in both
    ]


def _merged(chains: Sequence[Chain]) -> Chain:
    return Chain(
        _mean(one.value for one in chains),
        frozenset().union(*(one.stages for one in chains)),
        frozenset().union(*(one.seeds for one in chains)),
        {
            split: _mean(one.splits[split] for one in chains if split in one.splits)
            for split in dict.fromkeys(split for one in chains for split in one.splits)
        },
    )


def _replicate(record: Record) -> tuple[tuple[str, int], ...]:
    return tuple(
        (str(name), int(value))
        for name, value in record.items()
        if isinstance(name, str)
        and (name == "seed" or name.startswith("seed."))
        and not pd.isna(value)
    )


def _seed(record: Record) -> int | None:
    return None if pd.isna(record["seed"]) else int(record["seed"])


def _split(record: Record) -> int:
    return 0 if pd.isna(record["split"]) else int(record["split"])


def _grouped(
    records: Iterable[Record], key: Callable[[Record], Hashable]
) -> dict[Hashable, list[Record]]:
    groups: dict[Hashable, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return math.fsum(held) / len(held)


def _first(group: tuple[set[object], list[int]]) -> int:
    return min(group[1])
