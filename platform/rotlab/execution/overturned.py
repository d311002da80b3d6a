"""Decisions of searches that stood on results which count no more: found, and set aside.

A search has learnt nothing yet where the first of those results was used. What was decided from
there on is decided anew: the same again where the results are, as proposals depend on values alone.
Looks stay as they were taken: to look at other values once more would not keep their error.

searches/<key>/invalid/<id>/...    what was decided; because.json says why it counts no more
"""

import re
import secrets
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from rotlab.execution.files import StoreError, create_json, flush_folder, read_json
from rotlab.execution.layout import INVALID
from rotlab.execution.results import new_attempt_id
from rotlab.planning.serial_searches import ended_from_json

_OF_PROPOSAL = re.compile(r"(\d+)(-[a-z]+)?\.json")
_WINNER = re.compile(r"winner-(\d+)\.json")


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
    for folder in sorted(path for path in (root / "searches").glob("[!.]*") if path.is_dir()):
        judged = {
            number: hit
            for number, results in _ends(folder)
            if (hit := sorted(set(results).intersection(gone)))
        }
        if judged:
            first = min(judged)
            results = tuple(sorted({key for hit in judged.values() for key in hit}))
            found.append(Overturned(folder, first, results, tuple(_files(folder, first))))
    return found


def set_aside(one: Overturned, because: str) -> None:
    """Take decisions out of use; they stay, with the reason. Called again it ends what it began."""
    aside = one.folder / INVALID / new_attempt_id()
    aside.mkdir(parents=True)
    note = {"because": because, "time": time.time(), "results": list(one.results)}
    create_json(aside / "because.json", note, f".{secrets.token_hex(4)}.tmp")
    for path in one.files:
        path.rename(aside / path.name)
    flush_folder(one.folder)


def _ends(folder: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Number and results of each proposal whose end was made use of."""
    for path in sorted(folder.glob("[!.]*-value.json")):
        values = read_json(path, "decision")
        if values is None:
            continue
        try:
            ended = ended_from_json({n: one for n, one in values.items() if n != "format"})
        except ValueError as error:
            raise StoreError(
                f"{path}: cannot be read ({error}); remove it to have it decided again"
            ) from error
        yield ended.number, ended.results


def _files(folder: Path, first: int) -> Iterator[Path]:
    """All that was decided from a proposal's end on: winners, then proposals from the last one."""
    names = sorted(path.name for path in folder.glob("[!.]*.json"))
    yield from (
        folder / name
        for name in names
        if (match := _WINNER.fullmatch(name)) and int(match[1]) >= first
    )
    of_proposals = [
        (-int(match[1]), match[2] is None, name)  # what a proposal came to before itself
        for name in names
        if (match := _OF_PROPOSAL.fullmatch(name))
    ]
    for number, is_proposal, name in sorted(of_proposals):
        if -number > first or (-number == first and not is_proposal):
            yield folder / name
