"""What a comparison says, as HTML: the answer, tables of arms and differences, figures."""

from collections.abc import Sequence

import numpy as np

from rotlab.reporting.arms import ArmSummary, varying_axes
from rotlab.reporting.comparison import Comparison
from rotlab.reporting.contrasts import Contrast
from rotlab.reporting.factorial import Factorial, factorial
from rotlab.reporting.grid import grids
from rotlab.reporting.outside import NOTE, Outside, beside
from rotlab.reporting.page.markup import figure, listed, paragraph, table, text
from rotlab.reporting.page.plots import arms_plot, contrast_name, effects_plot
from rotlab.reporting.power import LEVEL, findable
from rotlab.reporting.ranks import FEWEST_SETS, ranking
from rotlab.reporting.report import findings
from rotlab.reporting.scale import Scale, scale_of
from rotlab.reporting.sentences import describe, is_shown, show_p
from rotlab.reporting.statistics import Difference
from rotlab.reporting.tables import Column, arms_table
from rotlab.reporting.typeset import grid_html, outside_columns

_MOST_SENTENCES = 6
_MOST_GRIDS = 6


def answer(comparisons: Sequence[Comparison]) -> str:
    """Return the study's answer, from the statistics alone."""
    parts = []
    for comparison in comparisons:
        said = findings(comparison)
        if len(said) > _MOST_SENTENCES:
            said = [_counted(comparison)]
        where = f"{comparison.target}, {comparison.measure}: " if len(comparisons) > 1 else ""
        parts += [where + one for one in said]
    return listed(parts) or paragraph("There is nothing to compare yet.")


def comparison_html(number: int, comparison: Comparison, outside: Sequence[Outside]) -> str:
    """Return everything about one comparison."""
    scale = scale_of(comparison.metric)
    name = f"c{number}"
    names = _arm_names(comparison)
    parts = [
        table(f"{name}-arms", f"Arms on {comparison.target}", arms_table(comparison)),
        figure(
            f"{name}-means",
            "Arms: the dot is the mean, the bar its 95 % interval, a stroke one seed",
            arms_plot(comparison.arms, names, scale, scale.unit),
        ),
    ]
    effects = effects_plot(comparison.contrasts, scale, scale.difference_unit)
    if effects is not None:
        against = " or ".join(dict.fromkeys(describe(one.baseline) for one in comparison.contrasts))
        parts.append(
            figure(
                f"{name}-effects",
                f"Difference to {against} with 95 % interval; filled: shown after correction",
                effects,
            )
        )
        caption = f"Differences to {against} on {comparison.target}"
        columns = difference_columns(comparison.contrasts, scale)
        parts.append(table(f"{name}-differences", caption, columns))
    parts += [_grids_html(comparison), _effects_html(name, comparison)]
    if findable_text := smallest_findable(comparison):
        parts.append(paragraph(findable_text))
    if held := beside(comparison, outside):
        parts += [
            paragraph(NOTE),
            table(f"{name}-outside", f"By others on {comparison.target}", outside_columns(held)),
        ]
    return "\n".join(part for part in parts if part)


def difference_columns(contrasts: Sequence[Contrast], scale: Scale) -> list[Column]:
    """Return a row for each difference, with its tests and what it is made from."""
    rows = [_difference_row(one, scale) for one in contrasts]
    heads = ["arm", "difference", "95 % interval", "n", "p", "p, Holm", "g", "shown", "by"]
    if any(one.elsewhere is not None for one in contrasts):
        heads.insert(3, "for other test videos")
    return [
        Column(head, tuple(row[head] for row in rows), number=head not in ("arm", "shown", "by"))
        for head in heads
    ]


def ranks_html(comparisons: Sequence[Comparison]) -> str:
    """Return how arms rank over data sets, for each measure that has five or more of them."""
    parts = []
    for measure in dict.fromkeys(one.measure for one in comparisons):
        own = [one for one in comparisons if one.measure == measure]
        if len(own) < FEWEST_SETS or len({one.metric for one in own}) > 1:
            continue
        arms = [describe(arm.arm) for arm in own[0].arms]
        values = np.array([[_mean(one, name) for name in arms] for one in own])
        found = ranking(values, higher_is_better=scale_of(own[0].metric).better != "lower")
        if found is None:
            continue
        columns = [
            Column("arm", tuple(arms)),
            Column("mean rank", tuple(f"{rank:.2f}" for rank in found.mean_ranks), number=True),
        ]
        said = f"{found.sets} data sets; ranks {found.critical:.2f} apart differ (Nemenyi, 5 %)"
        said += "" if found.p is None else f"; Friedman {show_p(found.p)}"
        parts.append(table(f"ranks-{measure}", f"{measure}: mean ranks, 1 the best", columns))
        parts.append(paragraph(said + "."))
    return "".join(parts)


def smallest_findable(comparison: Comparison) -> str:
    """Return which difference the seeds there are would find, where none was shown."""
    hidden = [
        one.difference
        for one in comparison.contrasts
        if one.difference is not None
        and one.difference.p is not None
        and not is_shown(one.difference)
    ]
    spreads = [arm.estimate.sd for arm in comparison.arms if arm.estimate and arm.estimate.sd]
    if not hidden or not spreads:
        return ""
    scale = scale_of(comparison.metric)
    sd = float(np.sqrt(np.mean(np.square(spreads))))
    seeds = min(min(one.n) for one in hidden)
    level = LEVEL / max(len(comparison.contrasts), 1)
    said = [
        f"{scale.show(findable(sd, count, level))}{scale.difference_unit} with {count}"
        for count in dict.fromkeys((seeds, 2 * seeds, 4 * seeds))
    ]
    return (
        f"With sd {scale.show(sd)} between seeds, a true difference is found in four studies of "
        f"five from {', '.join(said)} seeds an arm (t-test at 5 % over "
        f"{len(comparison.contrasts)} differences)."
    )


def _difference_row(contrast: Contrast, scale: Scale) -> dict[str, str]:
    one = contrast.difference
    row = dict.fromkeys(
        ("difference", "95 % interval", "for other test videos", "n", "p", "p, Holm", "g", "by"),
        "-",
    )
    row |= {"arm": contrast_name(contrast), "shown": "no whole seed"}
    if one is None:
        return row
    row |= {
        "difference": scale.show_signed(one.difference),
        "95 % interval": _interval(one, scale),
        "n": "/".join(map(str, dict.fromkeys(one.n))),
        "p": _p(one.p),
        "p, Holm": _p(one.adjusted_p),
        "g": "-" if one.effect is None else f"{one.effect:.2f}",
        "shown": "too few seeds" if one.p is None else "yes" if is_shown(one) else "no",
        "by": one.how,
    }
    if contrast.elsewhere is not None:
        row["for other test videos"] = _interval(contrast.elsewhere, scale)
    return row


def _interval(one: Difference, scale: Scale) -> str:
    if one.low is None or one.high is None:
        return "-"
    return f"[{scale.show(one.low)}, {scale.show(one.high)}]"


def _p(p: float | None) -> str:
    return "-" if p is None else show_p(p).removeprefix("p").removeprefix("=")


def _counted(comparison: Comparison) -> str:
    """One sentence for many differences: how many are shown, and the largest."""
    known = [(one, one.difference) for one in comparison.contrasts if one.difference is not None]
    shown = [pair for pair in known if is_shown(pair[1])]
    scale = scale_of(comparison.metric)
    against = " or ".join(dict.fromkeys(describe(one.baseline) for one in comparison.contrasts))
    start = f"Of {len(comparison.contrasts)} differences to {against}, {len(shown)}"
    if not shown:
        return f"{start} are shown: the study does not tell these arms apart."
    up = sum(difference.difference > 0 for _, difference in shown)
    contrast, largest = max(shown, key=lambda pair: abs(pair[1].difference))
    size = f"{scale.show_signed(largest.difference)}{scale.difference_unit}"
    return (
        f"{start} are shown, {up} of them upwards. The largest is {contrast_name(contrast)}: "
        f"{size} {_interval(largest, scale)}."
    )


def _grids_html(comparison: Comparison) -> str:
    """The paper's tables over the last two axes on which most arms differ."""
    varying = varying_axes(comparison.arms, comparison.axes)
    if len(varying) < 2:
        return ""
    made = grids([comparison], varying[-1], varying[-2])
    shown = "".join(
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(grid.title)}">'
        f"{grid_html(grid)}</div>"
        for grid in made[:_MOST_GRIDS]
    )
    more = len(made) - _MOST_GRIDS
    rest = (
        f"{more} more such tables: rotlab results --rows AXIS --columns AXIS." if more > 0 else ""
    )
    return shown + (paragraph(rest, "note") if rest else "")


def _effects_html(name: str, comparison: Comparison) -> str:
    found = factorial(comparison.arms, comparison.axes)
    if found is None:
        return ""
    columns = [
        Column("effect", tuple(" x ".join(one.axes) for one in found.effects)),
        Column("F", tuple(f"{one.f:.2f}" for one in found.effects), number=True),
        Column(
            "df", tuple(f"{one.freedom[0]}, {one.freedom[1]}" for one in found.effects), number=True
        ),
        Column("p", tuple(_p(one.p) for one in found.effects), number=True),
        Column(
            "partial eta²",
            tuple("-" if one.share is None else f"{one.share:.2f}" for one in found.effects),
            number=True,
        ),
    ]
    return table(f"{name}-factors", _effects_caption(found), columns)


def _effects_caption(found: Factorial) -> str:
    said = f"Main effects and interactions over {found.arms} arms, n={found.chains} chains"
    if found.groups is None:
        return f"{said} (analysis of variance, type II)"
    return f"{said} in {found.groups} groups that share stages (mixed model)"


def _arm_names(comparison: Comparison) -> list[str]:
    axes = varying_axes(comparison.arms, comparison.axes)
    return [
        describe({axis: arm.arm[axis] for axis in axes if axis in arm.arm}) or comparison.measure
        for arm in comparison.arms
    ]


def _mean(comparison: Comparison, name: str) -> float:
    found: dict[str, ArmSummary] = {describe(arm.arm): arm for arm in comparison.arms}
    arm = found.get(name)
    return float("nan") if arm is None or arm.estimate is None else arm.estimate.mean
