"""Combinations of axis values that are one arm, because no stage reads what tells them apart."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Combinations that became fewer arms, because no stage of theirs reads some of the axes.

    Args:
        axes: the axes that are not read.
        where: choice -> the values for which that is so; empty where it is so everywhere.
        combinations: how many there were.
        arms: how many are left of them.
    """

    axes: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]
    combinations: int
    arms: int


class Group:
    """The combinations that lose the same axes."""

    def __init__(self) -> None:
        self._choices: dict[str, dict[str, None]] = {}
        self._combinations = 0
        self._arms: set[tuple[object, ...]] = set()

    def add(self, choices: Mapping[str, str], arm: tuple[object, ...]) -> None:
        """Take in a combination: what decides its shape, and the arm that is left of it."""
        for choice, value in choices.items():
            self._choices.setdefault(choice, {})[value] = None
        self._combinations += 1
        self._arms.add(arm)

    def place(self) -> tuple[object, ...]:
        """Return for which choices the axes are lost, whatever the measure."""
        return tuple(
            (choice, frozenset(values))
            for choice, values in self._choices.items()
            if choice != "measure"
        )

    def join(self, other: "Group") -> None:
        """Take in all combinations of another group."""
        for choice, values in other._choices.items():
            self._choices.setdefault(choice, {}).update(values)
        self._combinations += other._combinations
        self._arms |= other._arms

    def collapsed(
        self, dead: tuple[str, ...], everywhere: Mapping[str, tuple[str, ...]]
    ) -> Collapsed:
        """Return what became of the combinations.

        Args:
            dead: the axes that they lose.
            everywhere: choice -> all values that it takes.
        """
        where = {
            choice: tuple(values)
            for choice, values in self._choices.items()
            if len(values) < len(everywhere[choice])
        }
        return Collapsed(dead, where, self._combinations, len(self._arms))
