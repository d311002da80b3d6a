"""What each arm is repeated over: seeds, of the whole chain or of each stage kind, and splits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod

from rotlab.planning.report import Report
from rotlab.planning.source import Place
from rotlab.planning.stage import StageKind

LAST_SPLIT = 999
SEEDS = 2**31  # seeds are below it


@dataclass(frozen=True, slots=True)
class Draw:
    """The seeds of one replicate.

    Args:
        seed: by which results count as independent: of the whole chain, or of the first stage kind
            of it that has several.
        by_kind: stage kind -> its own seed, where kinds have their own.
    """

    seed: int
    by_kind: Mapping[str, int] = field(default_factory=dict)

    def of(self, kind: str) -> int:
        """Return the seed of the stages of a kind."""
        return self.by_kind.get(kind, self.seed)


@dataclass(frozen=True, slots=True)
class Replicates:
    """What each arm is repeated over.

    Args:
        seeds: of everything drawn by chance.
        splits: official splits of the targets, from 1; None takes the first where a target has any.
        by_kind: stage kind -> its seeds, crossed with those of the others; where it is given, a
            kind that it does not name has seed 0, and `seeds` says nothing.
    """

    seeds: tuple[int, ...] = (0,)
    splits: tuple[int, ...] | None = None
    by_kind: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many there are of an arm at most."""
        seeds = prod(map(len, self.by_kind.values())) if self.by_kind else len(self.seeds)
        return seeds * len(self.splits or (1,))

    @property
    def all_seeds(self) -> tuple[tuple[int, ...], ...]:
        """The seeds that any one stage kind may have, for each of them."""
        return tuple(self.by_kind.values()) or (self.seeds,)

    def draws(self, chain: Iterable[str]) -> Iterator[Draw]:
        """Yield the seeds of every replicate of a cell.

        Args:
            chain: the kinds of its stages that draw by chance, parents first.
        """
        if not self.by_kind:
            yield from map(Draw, self.seeds)
            return
        own = {kind: self.by_kind.get(kind, (0,)) for kind in dict.fromkeys(chain)}
        unit = next((kind for kind, seeds in own.items() if len(seeds) > 1), None)
        for seeds in product(*own.values()):
            by_kind = dict(zip(own, seeds, strict=True))
            yield Draw(by_kind[unit] if unit else next(iter(seeds), 0), by_kind)


def draws_by_chance(kind: StageKind) -> bool:
    """Say whether stages of a kind depend on a seed."""
    return "seed" in kind.config.model_fields


def read_replicates(report: Report, kinds: Mapping[str, StageKind]) -> Replicates:
    """Return seeds and splits."""
    given = report.mapping(("replicates",), ("seed", "split"), "replicate")
    place: Place = ("replicates", "seed")
    seeds, splits = Replicates().seeds, Replicates().splits
    by_kind: dict[str, tuple[int, ...]] = {}
    if isinstance(given.get("seed"), dict):
        seeded = [name for name, kind in kinds.items() if draws_by_chance(kind)]
        for name in report.mapping(place, seeded, "stage kind with a seed"):
            by_kind[name] = report.whole_numbers((*place, name), lowest=0, below=SEEDS)
        if not given["seed"]:
            report.add(place, f"names no stage kind; give seeds of some of {', '.join(seeded)}")
    elif "seed" in given:
        seeds = report.whole_numbers(place, lowest=0, below=SEEDS)
    if "split" in given:
        splits = report.whole_numbers(("replicates", "split"), lowest=1, below=LAST_SPLIT + 1)
    return Replicates(seeds, splits, by_kind)
