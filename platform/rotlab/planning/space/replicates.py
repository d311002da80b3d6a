"""What each arm is repeated over: seeds, of the whole chain or of each stage kind, and splits.

Seeds may be added at looks, to the arms that are still open there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import prod

from rotlab.planning.space.looks import FEWEST, MOST, Looks
from rotlab.planning.space.names import unknown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place
from rotlab.planning.stage import StageKind

LAST_SPLIT = 999
UNTIL, LOOKS, DECIDED = "until", "looks", "decided"
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
        looks: at which seeds are added, up to all of `seeds`; None: all arms have all.
    """

    seeds: tuple[int, ...] = (0,)
    splits: tuple[int, ...] | None = None
    by_kind: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    looks: Looks | None = None

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
    given = report.mapping(("replicates",), ("seed", "split", UNTIL, LOOKS), "replicate")
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
    looks = _read_looks(report, seeds if isinstance(given.get("seed"), list) else None)
    if looks is not None and "seed" not in given:
        seeds = tuple(range(looks.at[-1]))
    return Replicates(seeds, splits, by_kind, looks)


def _read_looks(report: Report, seeds: tuple[int, ...] | None) -> Looks | None:
    """Return the looks that a file asks for; None where it asks for none, or says it wrongly.

    Args:
        report: notes what is wrong.
        seeds: of the whole chain, where the file gives them.
    """
    place: Place = ("replicates", LOOKS)
    has_looks, has_until = report.has(place), report.has(("replicates", UNTIL))
    if not has_looks and not has_until:
        return None
    before = len(report.problems)
    if not has_until:
        report.add(place, f"needs `{UNTIL}: {DECIDED}` beside it: when an arm gets no more seeds")
    elif (until := report.get(("replicates", UNTIL))) != DECIDED:
        report.add(("replicates", UNTIL), unknown("end of replicates", until, (DECIDED,)))
    if not has_looks:
        said = "needs looks beside it: how many seeds an open arm has at each, such as [3, 5, 10]"
        report.add(("replicates", UNTIL), said)
        return None
    if isinstance(report.get(("replicates", "seed")), dict):
        report.add(
            ("replicates", "seed"),
            "looks add seeds of the whole chain, which are independent; give a list, or none",
        )
    at = report.whole_numbers(place, lowest=1, below=MOST + 1)
    if len(report.problems) == before:
        _check_looks(report, place, at, seeds)
    return Looks(at) if len(report.problems) == before else None


def _check_looks(
    report: Report, place: Place, at: tuple[int, ...], seeds: tuple[int, ...] | None
) -> None:
    """Note looks that cannot be: too early, of no more seeds, or of more than there are."""
    if at[0] < FEWEST:
        report.add(
            (*place, 0),
            f"must be at least {FEWEST}, got {at[0]}: of fewer seeds the spread is hardly known",
        )
    for index, (one, after) in enumerate(pairwise(at), start=1):
        if after <= one:
            report.add((*place, index), f"must be more than the look before it, {one}, got {after}")
    if len(at) == 1:
        said = f"has one look, which adds nothing; give a second one, or a list of {at[0]} seeds"
        report.add(place, said)
    if seeds is not None and len(seeds) != max(at):
        report.add(
            ("replicates", "seed"),
            f"must be as many as the last look has, {max(at)}, got {len(seeds)}; "
            "or leave it out, for seeds from 0",
        )
