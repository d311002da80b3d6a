"""The arms of a search space: combinations of axis values, collapsed and less the exclusions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from rotlab.planning.key import canonical
from rotlab.planning.plan.collapse import Collapsed, Group
from rotlab.planning.space.combinations import Chosen, Combinations
from rotlab.planning.space.matching import Matching
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.shape import ImpossibleError, Shape
from rotlab.planning.space.shapes import Shapes
from rotlab.planning.space.spec import Spec
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
class Overridden:
    """Arms for which the search space sets something beside their choices, and why.

    Args:
        settings: setting -> value.
        because: the reason.
        arms: of each, axis -> value.
    """

    settings: Mapping[str, Any]
    because: str
    arms: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """One choice on every axis that makes a difference, for one measure.

    Args:
        measure: what is measured.
        shape: the stage kinds that it takes.
        values: axis -> value, in the file's order.
        chosen: axis -> index of the value among the axis's values.
        alike: the inits that are this work; it goes by the first that is not excluded.
        overrides: setting -> value, of what the file sets for such arms beside their choices.
        tuned: member of the shape -> the same, with what searches have found for it.
    """

    measure: str
    shape: Shape
    values: Mapping[str, Any]
    chosen: Mapping[str, int]
    alike: tuple[str, ...]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tuned: Mapping[str, "Arm"] = field(default_factory=dict)

    def of_member(self, name: str) -> "Arm":
        """Return the arm with the settings that its stages of one member have."""
        return self.tuned.get(name, self)


@dataclass(frozen=True, slots=True)
class Arms:
    """What is compared, what is not, and why.

    Args:
        arms: in the order of the axes' values, those given one by one last.
        collapsed: which axes some arms do not have.
        excluded: arms left out, first those that cannot be, by what makes them so.
        overridden: for each override of the file, the arms in which it changes a setting.
        warnings: conditions, exclusions and overrides that match nothing.
    """

    arms: tuple[Arm, ...]
    collapsed: tuple[Collapsed, ...]
    excluded: tuple[Excluded, ...]
    overridden: tuple[Overridden, ...]
    warnings: tuple[str, ...]


def expand(spec: Spec, kinds: Mapping[str, StageKind]) -> Arms:
    """Return the arms of a search space.

    Raises:
        SpecError: every arm is excluded.
    """
    arms: dict[tuple[object, ...], Arm] = {}
    groups: dict[tuple[str, tuple[str, ...]], Group] = {}
    shapes = Shapes(spec, kinds)
    matching = Matching(spec, shapes)
    inits = spec.values("init")
    impossible: dict[str, Excluded] = {}
    for choices, chosen in _combinations(spec, matching):
        shape = shapes.get(choices)
        if isinstance(shape, ImpossibleError):
            cause = {shape.choice: choices[shape.choice]}
            impossible.setdefault(
                canonical([choices["measure"], cause]), Excluded(cause, str(shape), impossible=True)
            )
            continue
        alike = shapes.alike(choices)
        live = {axis: chosen[axis] for axis in shapes.live_axes(choices) if axis in chosen}
        if "init" in live:
            live["init"] = inits.index(alike[0])
        measure = choices["measure"]
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
    kept, excluded, unmatched = _exclude(spec, list(arms.values()), matching)
    kept, overridden, idle = _override(spec, kept, matching)
    return Arms(
        arms=tuple(kept),
        collapsed=_collapsed(spec, groups),
        excluded=(*impossible.values(), *excluded),
        overridden=overridden,
        warnings=(*matching.never_held(), *unmatched, *idle),
    )


def _combinations(spec: Spec, matching: Matching) -> Iterator[tuple[dict[str, str], Chosen]]:
    """Every measure and combination: what decides the shape, axis -> index."""
    grid = None if spec.factors is None else Combinations(spec.factors, spec.ablate)
    inits, modalities = spec.values("init"), spec.values("modality")
    for measure in spec.measure:
        crossed = grid.all(matching.conditions_of(measure)) if grid else ()
        listed = ({axis: one[axis] for axis in spec.axes if axis in one} for one in spec.listed)
        for chosen in chain(crossed, listed):
            init = inits[chosen.get("init", 0)]
            modality = modalities[chosen.get("modality", 0)]
            yield {"measure": measure, "init": init, "modality": modality}, chosen


def _collapsed(
    spec: Spec, groups: Mapping[tuple[str, tuple[str, ...]], Group]
) -> tuple[Collapsed, ...]:
    """What became of the combinations of each measure that lose the same axes."""
    everywhere = {
        "measure": spec.measure,
        "init": spec.values("init"),
        "modality": spec.values("modality"),
    }
    merged: dict[tuple[tuple[str, ...], object], Group] = {}
    for (_, dead), group in groups.items():  # measures that lose the same axes at the same place
        merged.setdefault((dead, group.place()), Group()).join(group)
    return tuple(group.collapsed(dead, everywhere) for (dead, _), group in merged.items() if dead)


def _exclude(
    spec: Spec, arms: list[Arm], matching: Matching
) -> tuple[list[Arm], list[Excluded], list[str]]:
    kept: list[Arm] = []
    excluded: list[Excluded] = []
    matched = [False] * len(spec.exclude)
    for arm in arms:
        left = []
        for init in arm.alike:
            values = {**arm.values, "init": init} if "init" in arm.values else arm.values
            hits = [
                index
                for index, one in enumerate(spec.exclude)
                if matching.matches(one.when, arm.chosen, (init,))
            ]
            for index in hits:
                matched[index] = True
            if not hits:
                left.append(values)
            elif not left:
                excluded.append(Excluded(values, spec.exclude[hits[0]].because))
        if left:
            kept.append(replace(arm, values=left[0]))
    if not kept:
        said = "every arm is excluded; nothing is left"
        raise SpecError(spec.path, [spec.problem(said, "exclude")])
    warnings = [
        f"{spec.line(f'exclude.{index}')} exclude: matches no arm"
        for index, hit in enumerate(matched)
        if not hit
    ]
    return kept, excluded, warnings


def _override(
    spec: Spec, arms: list[Arm], matching: Matching
) -> tuple[list[Arm], tuple[Overridden, ...], list[str]]:
    """Give arms the settings that overrides set for them, of those that their stages read."""
    if not spec.overrides:
        return arms, (), []
    found: list[Arm] = []
    changed: list[list[Mapping[str, Any]]] = [[] for _ in spec.overrides]
    for arm in arms:
        settings: dict[str, Any] = {}
        for index, one in enumerate(spec.overrides):
            if not matching.matches(one.when, arm.chosen, arm.alike):
                continue
            own = {name: value for name, value in one.settings.items() if arm.shape.reads(name)}
            settings |= own
            if own:
                changed[index].append(arm.values)
        found.append(replace(arm, overrides=settings) if settings else arm)
    overridden = tuple(
        Overridden(one.settings, one.because, tuple(of_one))
        for one, of_one in zip(spec.overrides, changed, strict=True)
        if of_one
    )
    warnings = [
        f"{spec.line(f'overrides.{index}')} overrides: changes nothing in any arm"
        for index, of_one in enumerate(changed)
        if not of_one
    ]
    return found, overridden, warnings
