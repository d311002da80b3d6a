"""The arms of a search space: combinations of axis values, collapsed and less the exclusions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from rotlab.planning.problems import Problem, SpecError
from rotlab.planning.shape import Shape, shape_of
from rotlab.planning.spec import Spec
from rotlab.planning.stage import StageKind


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


@dataclass(frozen=True, slots=True)
class Excluded:
    """An arm that the search space leaves out, and why it says so."""

    arm: Mapping[str, Any]
    because: str


@dataclass(frozen=True, slots=True)
class Arm:
    """One choice on every axis that makes a difference, for one measure.

    Args:
        measure: what is measured.
        shape: the stage kinds that it takes.
        values: axis -> value, in the file's order.
        chosen: axis -> index of the value among the axis's values.
    """

    measure: str
    shape: Shape
    values: Mapping[str, Any]
    chosen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Arms:
    """What is compared, what is not, and why.

    Args:
        arms: in the order of the axes' values.
        collapsed: which axes some arms do not have.
        excluded: arms left out.
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
    groups: dict[tuple[str, ...], _Group] = {}
    for measure, shape, choices, chosen in _combinations(spec, kinds):
        live = {axis: index for axis, index in chosen.items() if shape.reads(axis)}
        identity = (measure, *live.items())
        dead = tuple(axis for axis in chosen if axis not in live)
        groups.setdefault(dead, _Group()).add(choices, identity)
        if identity not in arms:
            values = {axis: spec.axes[axis][index] for axis, index in live.items()}
            arms[identity] = Arm(measure, shape, values, live)
    kept, excluded, warnings = _exclude(spec, list(arms.values()))
    everywhere = {
        "measure": spec.measure,
        "init": spec.values("init"),
        "modality": spec.values("modality"),
    }
    collapsed = tuple(group.collapsed(dead, everywhere) for dead, group in groups.items() if dead)
    return Arms(tuple(kept), collapsed, tuple(excluded), tuple(warnings))


def _combinations(
    spec: Spec, kinds: Mapping[str, StageKind]
) -> Iterator[tuple[str, Shape, dict[str, str], dict[str, int]]]:
    """Every measure and combination: measure, shape, what decides the shape, axis -> index."""
    shapes: dict[tuple[str, str, str], Shape] = {}
    for measure in spec.measure:
        for indices in product(*(range(len(values)) for values in spec.axes.values())):
            chosen = dict(zip(spec.axes, indices, strict=True))
            init = spec.values("init")[chosen.get("init", 0)]
            modality = spec.values("modality")[chosen.get("modality", 0)]
            known = (measure, init, modality)
            if known not in shapes:
                shapes[known] = shape_of(measure, init, modality, kinds)
            choices = {"measure": measure, "init": init, "modality": modality}
            yield measure, shapes[known], choices, chosen


class _Group:
    """The combinations that lose the same axes."""

    def __init__(self) -> None:
        self._choices: dict[str, dict[str, None]] = {}
        self._combinations = 0
        self._arms: set[tuple[object, ...]] = set()

    def add(self, choices: Mapping[str, str], arm: tuple[object, ...]) -> None:
        for choice, value in choices.items():
            self._choices.setdefault(choice, {})[value] = None
        self._combinations += 1
        self._arms.add(arm)

    def collapsed(
        self, dead: tuple[str, ...], everywhere: Mapping[str, tuple[str, ...]]
    ) -> Collapsed:
        where = {
            choice: tuple(values)
            for choice, values in self._choices.items()
            if len(values) < len(everywhere[choice])
        }
        return Collapsed(dead, where, self._combinations, len(self._arms))


def _exclude(spec: Spec, arms: list[Arm]) -> tuple[list[Arm], list[Excluded], list[str]]:
    kept: list[Arm] = []
    excluded: list[Excluded] = []
    matched = [False] * len(spec.exclude)
    for arm in arms:
        reasons = []
        for index, exclude in enumerate(spec.exclude):
            if exclude.matches(arm.values):
                matched[index] = True
                reasons.append(exclude.because)
        if reasons:
            excluded.append(Excluded(arm.values, "; ".join(reasons)))
        else:
            kept.append(arm)
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
