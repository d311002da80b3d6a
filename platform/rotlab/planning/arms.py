"""The arms of a search space: combinations of axis values, collapsed and less the exclusions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from rotlab.planning.collapse import Collapsed, Group
from rotlab.planning.key import canonical
from rotlab.planning.problems import Problem, SpecError
from rotlab.planning.shape import ImpossibleError, Shape, shape_of
from rotlab.planning.spec import Spec
from rotlab.planning.stage import StageKind


@dataclass(frozen=True, slots=True)
class Excluded:
    """An arm that the search space leaves out, and the first reason that it gives.

    Args:
        arm: axis -> value; where it is impossible, only what makes it so, of however many arms.
        because: the reason.
        impossible: whether there can be no such arm, whatever the search space says.
    """

    arm: Mapping[str, Any]
    because: str
    impossible: bool = False


@dataclass(frozen=True, slots=True)
class Arm:
    """One choice on every axis that makes a difference, for one measure.

    Args:
        measure: what is measured.
        shape: the stage kinds that it takes.
        values: axis -> value, in the file's order.
        chosen: axis -> index of the value among the axis's values.
        alike: the inits that are this work; it goes by the first that is not excluded.
    """

    measure: str
    shape: Shape
    values: Mapping[str, Any]
    chosen: Mapping[str, int]
    alike: tuple[str, ...]

    def names(self) -> Iterator[Mapping[str, Any]]:
        """Yield the values under each init that is the same work."""
        for init in self.alike:
            yield {**self.values, "init": init} if "init" in self.values else self.values


@dataclass(frozen=True, slots=True)
class Arms:
    """What is compared, what is not, and why.

    Args:
        arms: in the order of the axes' values.
        collapsed: which axes some arms do not have.
        excluded: arms left out, first those that cannot be, by what makes them so.
        warnings: exclusions that match nothing.
    """

    arms: tuple[Arm, ...]
    collapsed: tuple[Collapsed, ...]
    excluded: tuple[Excluded, ...]
    warnings: tuple[str, ...]


def expand(spec: Spec, kinds: Mapping[str, StageKind]) -> Arms:
    """Return the arms of a search space.

    Raises:
        SpecError: every arm is excluded.
    """
    arms: dict[tuple[object, ...], Arm] = {}
    groups: dict[tuple[str, tuple[str, ...]], Group] = {}
    shapes = _Shapes(spec, kinds)
    impossible: dict[str, Excluded] = {}
    for measure, choices, chosen in _combinations(spec):
        shape = shapes.get(choices)
        if isinstance(shape, ImpossibleError):
            cause = {shape.choice: choices[shape.choice]}
            impossible.setdefault(
                canonical([measure, cause]), Excluded(cause, str(shape), impossible=True)
            )
            continue
        alike = shapes.alike(choices)
        live = {axis: chosen[axis] for axis in shapes.live_axes(choices)}
        if "init" in live:
            live["init"] = spec.values("init").index(alike[0])
        identity = (measure, *live.items())
        dead = tuple(
            axis for axis in chosen if axis not in live or (axis == "init" and len(alike) > 1)
        )
        groups.setdefault((measure, dead), Group()).add(choices, identity)
        if identity not in arms:
            values = {axis: spec.axes[axis][index] for axis, index in live.items()}
            arms[identity] = Arm(
                measure, shape, values, live, alike if "init" in live else alike[:1]
            )
    kept, excluded, warnings = _exclude(spec, list(arms.values()))
    excluded = [*impossible.values(), *excluded]
    everywhere = {
        "measure": spec.measure,
        "init": spec.values("init"),
        "modality": spec.values("modality"),
    }
    merged: dict[tuple[tuple[str, ...], object], Group] = {}
    for (_, dead), group in groups.items():  # measures that lose the same axes at the same place
        merged.setdefault((dead, group.place()), Group()).join(group)
    collapsed = tuple(
        group.collapsed(dead, everywhere) for (dead, _), group in merged.items() if dead
    )
    return Arms(tuple(kept), collapsed, tuple(excluded), tuple(warnings))


def _combinations(spec: Spec) -> Iterator[tuple[str, dict[str, str], dict[str, int]]]:
    """Every measure and combination: measure, what decides the shape, axis -> index."""
    for measure in spec.measure:
        for indices in product(*(range(len(values)) for values in spec.axes.values())):
            chosen = dict(zip(spec.axes, indices, strict=True))
            init = spec.values("init")[chosen.get("init", 0)]
            modality = spec.values("modality")[chosen.get("modality", 0)]
            yield measure, {"measure": measure, "init": init, "modality": modality}, chosen


class _Shapes:
    """The shapes of a search space's cells, each made once."""

    def __init__(self, spec: Spec, kinds: Mapping[str, StageKind]) -> None:
        self._spec = spec
        self._kinds = kinds
        self._made: dict[tuple[str, ...], Shape | ImpossibleError] = {}
        self._alike: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._live: dict[tuple[str, ...], tuple[str, ...]] = {}

    def get(self, choices: Mapping[str, str]) -> Shape | ImpossibleError:
        """Return the shape for a measure, init and modality, or why there is none."""
        known = tuple(choices.values())
        if known not in self._made:
            try:
                self._made[known] = shape_of(**choices, kinds=self._kinds)
            except ImpossibleError as error:
                self._made[known] = error
        return self._made[known]

    def live_axes(self, choices: Mapping[str, str]) -> tuple[str, ...]:
        """Return the axes that make a difference to such cells, in the search space's order."""
        known = tuple(choices.values())
        if known not in self._live:
            shape = self.get(choices)
            self._live[known] = tuple(
                axis for axis in self._spec.axes if isinstance(shape, Shape) and shape.reads(axis)
            )
        return self._live[known]

    def alike(self, choices: Mapping[str, str]) -> tuple[str, ...]:
        """Return all inits of the search space that are the same work as this one, in its order."""
        known = tuple(choices.values())
        if known not in self._alike:
            self._alike[known] = tuple(
                init
                for init in self._spec.values("init")
                if self._work({**choices, "init": init}) == self._work(choices)
            )
        return self._alike[known]

    def _work(self, choices: Mapping[str, str]) -> object:
        shape = self.get(choices)
        return shape.work() if isinstance(shape, Shape) else None


def _exclude(spec: Spec, arms: list[Arm]) -> tuple[list[Arm], list[Excluded], list[str]]:
    kept: list[Arm] = []
    excluded: list[Excluded] = []
    matched = [False] * len(spec.exclude)
    for arm in arms:
        left = []
        for values in arm.names():
            hits = [index for index, one in enumerate(spec.exclude) if one.matches(values)]
            for index in hits:
                matched[index] = True
            if not hits:
                left.append(values)
            elif not left:
                excluded.append(Excluded(values, spec.exclude[hits[0]].because))
        if left:
            kept.append(replace(arm, values=left[0]))
    if not kept:
        line = spec.lines.get("exclude")
        raise SpecError(
            spec.path, [Problem("every arm is excluded; nothing is left", "exclude", line)]
        )
    warnings = [
        f"line {spec.lines.get(f'exclude.{index}', 1)} exclude: matches no arm"
        for index, hit in enumerate(matched)
        if not hit
    ]
    return kept, excluded, warnings
