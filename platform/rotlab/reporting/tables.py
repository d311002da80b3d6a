"""Tables of text: aligned with blanks, or as Markdown."""

from dataclasses import dataclass

from rotlab.reporting.arms import ArmSummary
from rotlab.reporting.comparison import Comparison
from rotlab.reporting.scale import Scale, scale_of, short_name
from rotlab.reporting.sentences import show_value

_ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, the cells below it, and whether they are numbers, which stand to the right."""

    heading: str
    cells: tuple[str, ...]
    number: bool = False


def arms_table(comparison: Comparison) -> list[Column]:
    """Return a row for each arm: axes, n, mean, interval and spread over seeds, what stands beside.

    Axes that none of them has are left out.
    """
    scale, arms = scale_of(comparison.metric), comparison.arms
    columns = [
        Column(axis, tuple(_axis_value(arm, axis) for arm in arms))
        for axis in comparison.axes
        if any(axis in arm.arm for arm in arms)
    ]
    columns += [
        Column("n", tuple(str(len(arm.seed_means)) for arm in arms), number=True),
        Column(f"mean{scale.unit}", tuple(_mean(arm, scale) for arm in arms), number=True),
        Column("95 % interval", tuple(_interval(arm, scale) for arm in arms), number=True),
        Column("sd", tuple(_spread(arm, scale) for arm in arms), number=True),
    ]
    for metric in dict.fromkeys(metric for arm in arms for metric in arm.beside):
        shown = tuple(scale_of(metric).show(arm.beside.get(metric)) for arm in arms)
        columns.append(Column(f"{short_name(metric)}{scale_of(metric).unit}", shown, number=True))
    if comparison.measure != "pretrain" and any(arm.pretext for arm in arms):
        columns.append(Column("pretext %", tuple(_pretext(arm) for arm in arms), number=True))
    if any(arm.missing for arm in arms):
        columns.append(Column("missing", tuple(_missing(arm) for arm in arms)))
    return columns


def plain(columns: list[Column]) -> str:
    """Return a table as lines of aligned text, without blanks at their ends."""
    widths = [max(len(text) for text in (column.heading, *column.cells)) for column in columns]
    lines = [
        "  ".join(
            text.rjust(width) if column.number else text.ljust(width)
            for text, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in _rows(columns)
    ]
    return "\n".join(lines)


def markdown(columns: list[Column]) -> str:
    """Return a table in GitHub's Markdown."""
    heading, *rows = (
        "| " + " | ".join(text.replace("|", "\\|") for text in row) + " |" for row in _rows(columns)
    )
    rule = "| " + " | ".join("---:" if column.number else "---" for column in columns) + " |"
    return "\n".join([heading, rule, *rows])


def _rows(columns: list[Column]) -> list[tuple[str, ...]]:
    return [
        tuple(column.heading for column in columns),
        *zip(*(column.cells for column in columns), strict=True),
    ]


def _axis_value(arm: ArmSummary, axis: str) -> str:
    return show_value(arm.arm[axis]) if axis in arm.arm else _ABSENT


def _mean(arm: ArmSummary, scale: Scale) -> str:
    return scale.show(arm.estimate.mean) if arm.estimate else _ABSENT


def _interval(arm: ArmSummary, scale: Scale) -> str:
    if arm.estimate is None or arm.estimate.low is None:
        return _ABSENT
    return f"[{scale.show(arm.estimate.low)}, {scale.show(arm.estimate.high)}]"


def _spread(arm: ArmSummary, scale: Scale) -> str:
    return scale.show(arm.estimate.sd) if arm.estimate else _ABSENT


def _pretext(arm: ArmSummary) -> str:
    shown = [f"{modality} {100 * value:.1f}".strip() for modality, value in arm.pretext.items()]
    return ", ".join(shown) or _ABSENT


def _missing(arm: ArmSummary) -> str:
    return f"{arm.missing} of {arm.cells} cells" if arm.missing else ""
