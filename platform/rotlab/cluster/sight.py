"""Whether every node of a Ray cluster sees the folders of a preparation, and decodes alike."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rotlab.cluster.rounds import ask_nodes
from rotlab.cluster.videos import Unseen, unseen
from rotnet.data.job import CODE_VERSION, MADE_WITH
from rotnet.errors import UserError


@dataclass(frozen=True, slots=True)
class Sight:
    """What a node has.

    Args:
        lacks: the first of the paths that it does not see; None: it sees all.
        refused: why it cannot write where the set is to lie; empty: it can.
        decoder: what it decodes by.
    """

    lacks: Path | None
    refused: str
    decoder: tuple[str, int]


def check_sight(source: Path | None, out: Path, cpus_per: float) -> None:
    """Return if all nodes that could prepare a video can prepare this set.

    Args:
        source: folder of videos, absolute; None where they are made beside `out`.
        out: that is to become the set, absolute.
        cpus_per: cores that a video takes; nodes with fewer are not asked.

    Raises:
        UserError: if not, naming the node.
    """
    with _marked(out) as mark:
        seen = [mark] if source is None else [source, *_some(source), mark]
        for answer in ask_nodes(look, seen, out.parent, least_cpus=cpus_per):
            if answer.found is None:
                raise UserError(f"node {answer.where} {answer.lost}")
            if answer.found.lacks is not None:
                raise unseen(Unseen(answer.where, answer.found.lacks))
            if answer.found.refused:
                raise UserError(
                    f"node {answer.where} cannot write in {out.parent}: {answer.found.refused}"
                )
            if answer.found.decoder != (MADE_WITH, CODE_VERSION):
                theirs, ours = answer.found.decoder[0], MADE_WITH
                raise UserError(
                    f"node {answer.where} decodes by {theirs}, this machine by {ours}, or by "
                    "another version of rotnet, so frames might differ: install the same everywhere"
                )


def look(paths: list[Path], folder: Path) -> Sight:
    """Return what the node this is called on has of some paths and a folder to write to."""
    lacks = next((path for path in paths if not path.exists()), None)
    refused = ""
    if lacks is None:
        made = folder / f".seen-{secrets.token_hex(4)}.tmp"
        try:
            made.touch()
            made.unlink()
        except OSError as error:
            refused = error.strerror or str(error)
    return Sight(lacks, refused, (MADE_WITH, CODE_VERSION))


@contextlib.contextmanager
def _marked(out: Path) -> Iterator[Path]:
    """A file beside a set, which no folder of the same name elsewhere has."""
    out.parent.mkdir(parents=True, exist_ok=True)
    mark = out.parent / f".{out.name}.seen-{secrets.token_hex(4)}.tmp"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def _some(source: Path) -> list[Path]:
    """A file of a source, by which another folder of its name would be told from it."""
    return [next((path for path in source.rglob("*") if path.is_file()), source)]
