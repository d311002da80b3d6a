"""Reading a source while noting everything that is wrong with it."""

import re
from collections.abc import Collection
from typing import Any

from rotlab.planning.space.names import unknown
from rotlab.planning.space.problems import Problem
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.source import Place, Source

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"  # what can name a folder


class Report:
    """A source, and the problems found in it so far.

    Each method that takes a place returns the value there in its proper form, or notes a problem
    and returns None or what is left of it.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def add(self, place: Place, text: str) -> None:
        """Note a problem at a place, once."""
        where = ".".join(part for part in place if isinstance(part, str))
        line = self.source.line(*place)
        problem = Problem(text, where, line.number, line.path)
        if problem not in self.problems:
            self.problems.append(problem)

    def refuses(self, place: Place) -> bool:
        """Say whether a problem is noted at a place, or below it."""
        where = ".".join(part for part in place if isinstance(part, str))
        return any(f"{problem.where}.".startswith(f"{where}.") for problem in self.problems)

    def get(self, place: Place) -> Any:  # noqa: ANN401  # plain values of any sort
        """Return the value at a place, None where there is none."""
        value: Any = self.source.values
        for part in place:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value

    def has(self, place: Place) -> bool:
        """Say whether something was written at a place, be it null."""
        return place in self.source.lines

    def text(self, place: Place) -> str | None:
        """Return a text that is not empty."""
        value = self.get(place)
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.add(place, f"must be text, got {shown(value)}" if self.has(place) else "is missing")
        return None

    def name(self, place: Place) -> str | None:
        """Return a text that can name a folder."""
        value = self.text(place)
        if value is None or re.fullmatch(NAME, value):
            return value
        self.add(
            place,
            "must be letters, digits, '-', '_' and '.', beginning with a letter or digit, "
            f"got {shown(value)}",
        )
        return None

    def mapping(self, place: Place, allowed: Collection[str], what: str) -> dict[str, Any]:
        """Return a mapping less the names that are not allowed; empty where there is none."""
        if not self.has(place):
            return {}
        value = self.get(place)
        if not isinstance(value, dict):
            self.add(place, f"must be a mapping ({', '.join(allowed)}), got {shown(value)}")
            return {}
        for name in value:
            if name not in allowed:
                self.add((*place, name), unknown(what, name, allowed))
        return {name: inner for name, inner in value.items() if name in allowed}

    def items(self, place: Place) -> list[Any]:
        """Return a list that is not empty; empty after a problem."""
        value = self.get(place)
        if not isinstance(value, list):
            self.add(place, f"must be a list of values, such as [1, 2], got {shown(value)}")
            return []
        if not value:
            self.add(place, "is empty; give at least one value, or leave it out")
        return value

    def names(self, place: Place) -> tuple[str, ...]:
        """Return one name, or a list of different ones."""
        if not isinstance(self.get(place), list):
            single = self.name(place)
            return (single,) if single else ()
        found: list[str] = []
        for index in range(len(self.items(place))):
            one = self.name((*place, index))
            if one in found:
                self.add((*place, index), f"{one!r} stands there twice")
            elif one:
                found.append(one)
        return tuple(found)

    def whole_numbers(self, place: Place, lowest: int, below: int) -> tuple[int, ...]:
        """Return a list of different whole numbers in [lowest, below)."""
        found: list[int] = []
        for index, value in enumerate(self.items(place)):
            at = (*place, index)
            if isinstance(value, bool) or not isinstance(value, int):
                self.add(at, f"must be a whole number, got {shown(value)}")
            elif not lowest <= value < below:
                self.add(at, f"must be at least {lowest} and less than {below}, got {value}")
            elif value in found:
                self.add(at, f"{value} stands there twice")
            else:
                found.append(value)
        return tuple(found)
