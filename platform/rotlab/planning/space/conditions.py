"""For which arms something holds: `when`, read, checked and applied."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotlab.planning.inits import inits as known_inits
from rotlab.planning.key import canonical
from rotlab.planning.space.defaults import Defaults
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place
from rotlab.planning.space.values import Normal, as_text

REFUSED = object()  # a value that an axis cannot hold
When = Mapping[str, tuple[Any, ...]]  # axis -> values; an arm has one of them on every axis


@dataclass(frozen=True, slots=True)
class Conditions:
    """Reads the conditions of a file, their values normalised as those of the axes are.

    Args:
        report: notes what is wrong.
        defaults: what the file starts from.
        axes: axis -> values, of those that are in order.
        normal: the forms of the values that are written for them.
        names: of all axes and choices that a condition may name.
    """

    report: Report
    defaults: Defaults
    axes: Mapping[str, Sequence[Any]]
    normal: Normal
    names: Collection[str]

    def read(self, place: Place) -> When:
        """Return the condition at a place; empty where there is none, or after a problem."""
        given = self.report.mapping(place, self.names, "axis")
        found = {}
        for axis, listed in given.items():
            if axis not in self.axes and axis not in self.defaults.choices:
                continue  # an axis with a problem of its own, which is reported there
            below: Place = (*place, axis)
            values = self.report.items(below) if isinstance(listed, list) else [listed]
            forms = [
                self.form((*below, index) if isinstance(listed, list) else below, axis, value)
                for index, value in enumerate(values)
            ]
            found[axis] = tuple(form for form in forms if form is not REFUSED)
        return found

    def form(self, place: Place, axis: str, value: object) -> Any:  # noqa: ANN401  # plain values of any sort
        """Return the form that an axis gives a value, or REFUSED after a problem."""
        form = self.normal.get(axis, value)
        if any(as_text(one) == as_text(form) for one in self.axes.get(axis, ())):
            return form
        inits = self.axes.get("init", (self.defaults.choices["init"],))
        try:
            return self.defaults.form(axis, value, [one for one in inits if one in known_inits()])
        except ValueError as error:
            self.report.add(place, str(error))
            return REFUSED


class Condition:
    """A condition made ready to be asked of many arms.

    Args:
        when: axis -> values.
        axes: axis -> all its values.
        choices: "init" and "modality" -> the fixed one, where it is no axis.
    """

    def __init__(
        self, when: When, axes: Mapping[str, Sequence[Any]], choices: Mapping[str, str]
    ) -> None:
        self._tests: list[tuple[str, frozenset[int]]] = []
        self._never = False
        for axis, values in when.items():
            wanted = {canonical(value) for value in values}
            held = axes.get(axis, (choices.get(axis),))
            met = frozenset(at for at, value in enumerate(held) if canonical(value) in wanted)
            if axis in axes:
                self._tests.append((axis, met))
            self._never |= not met

    def holds(self, chosen: Mapping[str, int], inits: Collection[int]) -> bool:
        """Say whether an arm has one of the values on every axis named.

        Args:
            chosen: axis -> index of the value, of the axes that make a difference to it.
            inits: indices of all inits that are the same work as the arm's.
        """
        if self._never:
            return False
        for axis, met in self._tests:
            if axis not in chosen:
                return False
            if chosen[axis] not in met and (axis != "init" or met.isdisjoint(inits)):
                return False
        return True
