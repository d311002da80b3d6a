"""A search space that builds on other files: `include` read, and all of them merged into one."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from rotlab.planning.space.names import unknown
from rotlab.planning.space.problems import Problem, SpecError
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.source import Place, Source, read_source

INCLUDE = "include"


def read_whole(path: Path) -> Source:
    """Return a file merged with all that it includes.

    Mappings are merged name by name; anything else is taken whole. The including file has the last
    word, and of several included ones a later has it over an earlier. The text is the file's own,
    with those of the others behind it as comments.

    Raises:
        SpecError: a file cannot be read, is not there, or includes itself; it names the file.
    """
    return _whole(path, ())


def files(path: Path) -> tuple[Path, ...]:
    """Return a file and all that it includes, each once.

    Raises:
        SpecError: as `read_whole`.
    """
    return tuple(dict.fromkeys(_files(path, ())))


def _files(path: Path, above: tuple[Path, ...]) -> list[Path]:
    own = read_source(path, included=bool(above))
    below = [_files(one, (*above, path)) for one in _included(own, above)]
    return [path, *(one for each in below for one in each)]


def _whole(path: Path, above: tuple[Path, ...]) -> Source:
    own = read_source(path, included=bool(above))
    bases = [_whole(base, (*above, path)) for base in _included(own, above)]
    values = {name: value for name, value in own.values.items() if name != INCLUDE}
    own = replace(own, values=values)
    return reduce(_over, [*bases, own])


def _included(source: Source, above: tuple[Path, ...]) -> list[Path]:
    """The files that a source includes, all of which are there."""
    given = source.values.get(INCLUDE, [])
    names = given if isinstance(given, list) else [given]
    problems, found = [], []
    for index, name in enumerate(names):
        line = source.line(INCLUDE, index).number
        if not isinstance(name, str):
            said = f"must be a file's name or a list of them, got {shown(name)}"
            problems.append(Problem(said, INCLUDE, line))
            continue
        file = source.path.parent / name
        chain = (*above, source.path)
        if any(file.resolve() == one.resolve() for one in chain):
            circle = " includes ".join(str(one) for one in (*chain, file))
            problems.append(Problem(f"goes in a circle: {circle}", INCLUDE, line))
        elif not file.is_file():
            problems.append(Problem(_missing(file, source.path), INCLUDE, line))
        else:
            found.append(file)
    if problems:
        raise SpecError(source.path, problems)
    return found


def _missing(file: Path, path: Path) -> str:
    if not file.parent.is_dir():
        return f"no such folder: {file.parent}"
    beside = sorted(
        one.name for one in file.parent.glob("*.y*ml") if one.resolve() != path.resolve()
    )
    return f"{unknown('file', file.name, beside)} in {file.parent}"


def _over(base: Source, own: Source) -> Source:
    """One source laid over another."""
    kept: set[Place] = set()
    values = _merge(base.values, own.values, (), kept)
    lines = {
        place: line
        for place, line in base.lines.items()
        if any(place[:depth] in kept for depth in range(1, len(place) + 1))
    }
    comment = "\n".join(f"# {line}".rstrip() for line in base.text.splitlines())
    text = f"{own.text.rstrip()}\n\n# include: {base.path.name}\n{comment}\n"
    return Source(own.path, text, values, {**lines, **own.lines})


def _merge(
    base: Mapping[str, Any], own: Mapping[str, Any], place: Place, kept: set[Place]
) -> dict[str, Any]:
    """Lay a mapping over another, and note the places whose whole value is the other's."""
    merged = dict(base)
    kept.update((*place, name) for name in base if name not in own)
    for name, value in own.items():
        below = base.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[name] = _merge(below, value, (*place, name), kept)
        else:
            merged[name] = value
    return merged
