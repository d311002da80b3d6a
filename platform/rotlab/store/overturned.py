"""Decisions of searches that stood on results which count no more: found, and set aside.

A search has learnt nothing yet where the first of those results was used. What was decided from
there on is decided anew: the same again where the results are, as proposals depend on values alone.
Looks stay as they were taken: to look at other values once more would not keep their error.

searches/<key>/invalid/<id>/...    what was decided; because.json says why it counts no more
"""

import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rotlab.planning.plan.decisions import Ended, Pruned
from rotlab.planning.plan.serial_searches import ended_from_json, pruned_from_json
from rotlab.store.carrying import bring, folders_in
from rotlab.store.files import StoreError, create_json, flush_folder, move, read_copy, read_json
from rotlab.store.layout import INVALID
from rotlab.store.replica import told
from rotlab.store.results import new_attempt_id

_Decision = TypeVar("_Decision", Ended, Pruned)
_OF_PROPOSAL = re.compile(r"(\d+)(-[a-z]+)?\.json")
_WINNER = re.compile(r"winner-(\d+)(?:-within-.+)?\.json")


@dataclass(frozen=True, slots=True)
class Overturned:
    """What a search decided by results that count no more.

    Args:
        folder: of the search.
        first: number of the first proposal that was judged by one of them.
        results: keys of them.
        files: of decisions, in the order in which they are to go: cut short, those that stay are
            a search that has got less far, and the first's value goes last, so it is found again.
    """

    folder: Path
    first: int
    results: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def num_winners(self) -> int:
        """How many winners are among them; a search that went on has one for every end."""
        return sum(_WINNER.fullmatch(path.name) is not None for path in self.files)

    @property
    def num_proposals(self) -> int:
        """How many proposals knew of the first one's value, or may have."""
        return sum(path.stem.isdecimal() for path in self.files)


def overturned(root: Path, gone: Collection[str]) -> list[Overturned]:
    """Return what searches decided by results, in any study.

    Args:
        root: of the store.
        gone: keys of the results.

    Raises:
        StoreError: if a decision cannot be read.
    """
    found = []
    for folder in (root / "searches" / name for name in folders_in(root / "searches")):
        bring(folder)
        ends, stops = tuple(_ends(folder)), tuple(_stops(folder))
        stood_on = [(one.number, frozenset(one.results)) for one in ends]
        stood_on += [(one.number, frozenset((one.key, *one.beside))) for one in stops]
        hits = [(number, results & set(gone)) for number, results in stood_on]
        judged = [(number, hit) for number, hit in hits if hit]
        if judged:
            first = min(number for number, _ in judged)
            results = tuple(sorted(frozenset().union(*(hit for _, hit in judged))))
            by_value = any(one.number == first and {*one.results} & set(gone) for one in ends)
            files = tuple(_files(folder, first, stops, by_value=by_value))
            found.append(Overturned(folder, first, results, files))
    return found


def set_aside(one: Overturned, because: str) -> None:
    """Take decisions out of use; they stay, with the reason. Called again it ends what it began."""
    aside = one.folder / INVALID / new_attempt_id()
    aside.mkdir(parents=True)
    note = {"because": because, "time": time.time(), "results": list(one.results)}
    create_json(aside / "because.json", note, f".{secrets.token_hex(4)}.tmp")
    for path in one.files:
        move(path, aside / path.name)
    flush_folder(one.folder)


def _ends(folder: Path) -> Iterator[Ended]:
    """The ends of proposals that were made use of."""
    yield from _all(folder, "[!.]*-value.json", ended_from_json)


def _stops(folder: Path) -> Iterator[Pruned]:
    """The decisions that stopped a stage."""
    yield from _all(folder, "pruned-*.json", pruned_from_json)


def _all(
    folder: Path, pattern: str, read: Callable[[Mapping[str, Any]], _Decision]
) -> Iterator[_Decision]:
    for path in sorted(folder.glob(pattern)):
        values = read_json(path, "decision", read_copy)
        if values is None:
            continue
        try:
            yield read({n: one for n, one in values.items() if n != "format"})
        except ValueError as error:
            raise StoreError(
                f"{told(path)}: cannot be read ({error}); remove it to have it decided again"
            ) from error


def _files(folder: Path, first: int, stops: Iterable[Pruned], *, by_value: bool) -> Iterator[Path]:
    """All that was decided from a proposal's end on: winners, then proposals from the last one.

    What makes it count no more goes last: the first one's value, or what stopped it.
    """
    names = sorted(path.name for path in folder.glob("[!.]*.json"))
    numbers = {f"pruned-{one.key}.json": one.number for one in stops}
    winners = [(match, name) for name in names if (match := _WINNER.fullmatch(name))]
    yield from (folder / name for match, name in winners if int(match[1]) >= first)
    ranked = []
    for name in names:
        if name in numbers:  # what stopped a proposal goes before its value, or after it
            ranked.append((-numbers[name], 0 if by_value else 2, name))
        elif match := _OF_PROPOSAL.fullmatch(name):
            ranked.append((-int(match[1]), 3 if match[2] is None else 1, name))
    for number, rank, name in sorted(ranked):
        if -number > first or (-number == first and rank != 3):
            yield folder / name
