"""A paper's table: two axes as rows and columns, an arm in each place. What it says, not how."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from rotlab.planning.space.names import unknown
from rotlab.reporting.arms import ArmSummary, as_text, varying_axes
from rotlab.reporting.comparison import Comparison
from rotlab.reporting.scale import Scale, scale_of
from rotlab.reporting.sentences import describe, show_value
from rotlab.reporting.statistics import Difference
from rotnet.errors import UserError

TARGET = "target"
ABSENT = "-"
MARKS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))

Rank = Literal["best", "second"]


@dataclass(frozen=True, slots=True)
class Place:
    """One arm in a table.

    Args:
        mean: as shown.
        interval: as shown; "" where there is none.
        mark: stars of the corrected test against the baseline; "" where it shows nothing.
        rank: among those of the column; None for the others.
        note: number of the footnote on what is missing; None where nothing is.
        arm: what it shows.
    """

    mean: str
    interval: str
    mark: str
    rank: Rank | None
    note: int | None
    arm: ArmSummary


@dataclass(frozen=True, slots=True)
class Grid:
    """One table.

    Args:
        title: what it shows of which measure.
        rows: name of the axis and its values, as shown.
        columns: likewise.
        places: by row, then column; None where no arm is.
        notes: footnotes, the first of them number 1.
        is_marked: whether any mark is in it.
    """

    title: str
    rows: tuple[str, tuple[str, ...]]
    columns: tuple[str, tuple[str, ...]]
    places: tuple[tuple[Place | None, ...], ...]
    notes: tuple[str, ...]
    is_marked: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    values: Mapping[str, Any]
    arm: ArmSummary
    difference: Difference | None


def grids(comparisons: Sequence[Comparison], rows: str, columns: str) -> list[Grid]:
    """Return a table for each measure, and each choice on the other axes on which arms differ.

    An arm that does not have one of those other axes, such as scratch without rotations, stands in
    all of their tables.

    Args:
        comparisons: of one study.
        rows: an axis, or "target".
        columns: another.

    Raises:
        UserError: if one is unknown, both are the same, or no measure has arms with both.
    """
    axes = comparisons[0].axes if comparisons else ()
    for name in (rows, columns):
        if name not in (*axes, TARGET):
            raise UserError(unknown("axis", name, [*axes, TARGET]))
    if rows == columns:
        raise UserError(f"--rows and --columns are both {rows}: a table needs two axes")
    measures = dict.fromkeys((one.measure, one.metric) for one in comparisons)
    return [
        grid
        for measure, metric in measures
        for grid in _of_measure(
            [one for one in comparisons if (one.measure, one.metric) == (measure, metric)],
            rows,
            columns,
        )
    ]


def _of_measure(comparisons: Sequence[Comparison], rows: str, columns: str) -> list[Grid]:
    first = comparisons[0]
    entries = [entry for comparison in comparisons for entry in _entries(comparison)]
    arms = [entry.arm for entry in entries]
    others = [axis for axis in varying_axes(arms, first.axes) if axis not in (rows, columns)]
    if TARGET not in (rows, columns) and len(comparisons) > 1:
        others.append(TARGET)
    choices = [[one for one in _levels(entries, axis) if one is not None] for axis in others]
    return [
        _grid(
            [
                entry
                for entry in entries
                if all(
                    axis not in entry.values or as_text(entry.values[axis]) == as_text(value)
                    for axis, value in zip(others, choice, strict=True)
                )
            ],
            _title(comparisons, dict(zip(others, choice, strict=True))),
            rows,
            columns,
            scale_of(first.metric),
        )
        for choice in product(*choices)
    ]


def _entries(comparison: Comparison) -> list[_Entry]:
    found = {one.arms[0]: one.difference for one in comparison.contrasts}
    return [
        _Entry({**arm.arm, TARGET: comparison.target}, arm, found.get(place))
        for place, arm in enumerate(comparison.arms)
    ]


def _grid(entries: Sequence[_Entry], title: str, rows: str, columns: str, scale: Scale) -> Grid:
    heads, sides = _levels(entries, columns), _levels(entries, rows)
    lines: list[list[Place | None]] = [[None] * len(heads) for _ in sides]
    notes: list[str] = []
    for column, head in enumerate(heads):
        here = [_at(entries, rows, side, columns, head) for side in sides]
        ranks = _ranks([None if one is None else one.arm for one in here], scale)
        for row, entry in enumerate(here):
            if entry is not None:
                lines[row][column] = _place(entry, ranks.get(row), scale, notes)
    return Grid(
        title,
        (rows, tuple(map(_shown, sides))),
        (columns, tuple(map(_shown, heads))),
        tuple(map(tuple, lines)),
        tuple(notes),
        any(one is not None and one.mark for line in lines for one in line),
    )


def _place(entry: _Entry, rank: Rank | None, scale: Scale, notes: list[str]) -> Place:
    arm, note = entry.arm, None
    if arm.missing:
        notes.append(f"{arm.missing} of {arm.cells} cells missing ({_listed(arm.without)})")
        note = len(notes)
    estimate = arm.estimate
    mean = ABSENT if estimate is None else scale.show(estimate.mean)
    interval = ""
    if estimate is not None and estimate.low is not None and estimate.high is not None:
        interval = f"[{scale.show(estimate.low)}, {scale.show(estimate.high)}]"
    return Place(mean, interval, mark_of(entry.difference), rank, note, arm)


def mark_of(difference: Difference | None) -> str:
    """Return the stars of a difference, by its corrected p-value: * 5 %, ** 1 %, *** 0.1 %."""
    p = None if difference is None else difference.adjusted_p or difference.p
    return next((mark for level, mark in MARKS if p is not None and p <= level), "")


def _ranks(arms: Sequence[ArmSummary | None], scale: Scale) -> dict[int, Rank]:
    """Which of a column are best and second; none where no way is better, or there is but one.

    Of two, the other is no second.
    """
    means = {
        place: arm.estimate.mean
        for place, arm in enumerate(arms)
        if arm is not None and arm.estimate is not None
    }
    if scale.better is None or len(means) < 2:
        return {}
    names: tuple[Rank, ...] = ("best", "second") if len(means) > 2 else ("best",)
    ordered = sorted(set(means.values()), reverse=scale.better == "higher")[: len(names)]
    return {place: names[ordered.index(mean)] for place, mean in means.items() if mean in ordered}


def _at(
    entries: Iterable[_Entry], rows: str, side: object, columns: str, head: object
) -> _Entry | None:
    found = (
        entry
        for entry in entries
        if as_text(entry.values.get(rows)) == as_text(side)
        and as_text(entry.values.get(columns)) == as_text(head)
    )
    return next(found, None)


def _levels(entries: Iterable[_Entry], axis: str) -> list[Any]:
    """The values of an axis in their order; None where an arm does not have it."""
    found = {as_text(entry.values.get(axis)): entry.values.get(axis) for entry in entries}
    return list(found.values())


def _title(comparisons: Sequence[Comparison], others: Mapping[str, Any]) -> str:
    first, scale = comparisons[0], scale_of(comparisons[0].metric)
    target = f"{first.target}, " if len(comparisons) == 1 else ""
    where = f", {describe(others)}" if others else ""
    return f"{target}{first.measure}: {first.metric}{' in %' if scale.percent else ''}{where}"


def _shown(value: object) -> str:
    return ABSENT if value is None else show_value(value)


def _listed(words: Sequence[str], most: int = 4) -> str:
    more = f"; {len(words) - most} more" if len(words) > most else ""
    return "; ".join(words[:most]) + more
