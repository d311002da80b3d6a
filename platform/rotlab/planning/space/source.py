"""A YAML 1.2 file as plain values, and the line that each of them stands on."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from rotlab.planning.space.problems import Line, Problem, SpecError

Place = tuple[str | int, ...]  # keys and indices from the top: ("axes", "clip.frames", 1)

_DEEPEST = 20  # an alias to what it stands in would never end
_LARGEST = 100_000  # aliases of aliases grow without bound
_SEARCH_SPACE = "a search space has at least name and data"


@dataclass(frozen=True, slots=True)
class Source:
    """A mapping read from a file.

    Args:
        path: of the file.
        text: its whole text.
        values: dict, list, str, int, float, bool and None only.
        lines: place -> line.
    """

    path: Path
    text: str
    values: dict[str, Any]
    lines: Mapping[Place, Line]

    def __repr__(self) -> str:
        return f"Source({self.path}, {len(self.values)} keys)"

    def line(self, *place: str | int) -> Line:
        """Return the line of a place, or of the nearest one around it."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, Line(1))


def read_source(path: Path, is_what: str = _SEARCH_SPACE, *, included: bool = False) -> Source:
    """Return the mapping in a YAML file.

    Args:
        path: of the file.
        is_what: what such a file is, for messages.
        included: whether another file includes it, so that its lines are to name it.

    Raises:
        SpecError: the file is missing, unreadable or empty, is no YAML, is more or less than one
            mapping, or holds a tag, a key that is no text, or a key twice.
    """
    text = _read(path)
    found = _parse(path, text)
    if found is None:
        raise SpecError(path, [Problem(f"the file is empty; {is_what}")])
    if not isinstance(found, CommentedMap):
        raise SpecError(
            path, [Problem(f"such a file is a mapping of names to values; {is_what}", line=1)]
        )
    plain = _Plain()
    values = plain.convert(found, ())
    if plain.problems:
        raise SpecError(path, plain.problems)
    inside = path if included else None
    return Source(
        path, text, values, {place: Line(line, inside) for place, line in plain.lines.items()}
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(path, [Problem("no such file")]) from None
    except IsADirectoryError:
        raise SpecError(path, [Problem("is a folder, not a file")]) from None
    except UnicodeDecodeError as error:
        said = f"is not UTF-8 text: byte {error.object[error.start]:#04x} at position {error.start}"
        raise SpecError(path, [Problem(said)]) from None
    except OSError as error:
        raise SpecError(path, [Problem(f"cannot be read: {error.strerror}")]) from None


def _parse(path: Path, text: str) -> object:
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(error.problem or error.context).split())
        said = said.partition(" with value ")[
            0
        ]  # of a key that comes twice: half the file, perhaps
        if "found another document" in said:
            said = "it holds several documents, with --- between them; give each a file of its own"
        line = mark.line + 1 if mark else None
        raise SpecError(path, [Problem(f"not readable as YAML: {said}", line=line)]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        said = str(error).partition("\n")[0]
        raise SpecError(path, [Problem(f"not readable as YAML: {said}")]) from None


class _Plain:
    """Turns ruamel's values into plain ones, collecting lines and problems."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {(): 1}
        self.problems: list[Problem] = []
        self._count = 0

    def convert(self, value: object, place: Place) -> Any:  # noqa: ANN401  # plain values of any sort
        self._count += 1
        if len(place) > _DEEPEST or self._count > _LARGEST:
            if self._count <= _LARGEST + 1:
                self._refuse(
                    place, f"nested more than {_DEEPEST} deep, or more than {_LARGEST} values"
                )
            self._count = _LARGEST + 1
            return None
        tag = getattr(getattr(value, "tag", None), "value", None)
        if tag is not None or isinstance(value, TaggedScalar):
            self._refuse(place, f"tags such as {tag} are not read; write the value plainly")
            return None
        if isinstance(value, CommentedMap):
            return self._mapping(value, place)
        if isinstance(value, CommentedSeq):
            return [self._item(value, index, place) for index in range(len(value))]
        return self._scalar(value, place)

    def _mapping(self, value: CommentedMap, place: Place) -> dict[str, Any]:
        found = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                self._refuse(place, f"the name {key!r} is not text; put it in quotes")
                continue
            below = (*place, str(key))
            at = (value.lc.data or {}).get(key)  # a merged key (<<) has no place of its own
            self.lines[below] = at[0] + 1 if at else self._line(place)
            found[str(key)] = self.convert(inner, below)
        return found

    def _item(self, value: CommentedSeq, index: int, place: Place) -> Any:  # noqa: ANN401  # as convert
        below = (*place, index)
        self.lines[below] = value.lc.item(index)[0] + 1
        return self.convert(value[index], below)

    def _scalar(self, value: object, place: Place) -> Any:  # noqa: ANN401  # as convert
        if value is None or isinstance(value, bool):
            return value
        for plain in (str, int, float):
            if isinstance(value, plain):
                return plain(value)
        shown = value.isoformat() if isinstance(value, datetime.date) else repr(value)
        self._refuse(
            place, f"{shown} is a {type(value).__name__}, not text or a number; put it in quotes"
        )
        return None

    def _line(self, place: Place) -> int:
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def _refuse(self, place: Place, text: str) -> None:
        where = ".".join(str(part) for part in place)
        self.problems.append(Problem(text, where, self._line(place)))
