"""Grids as Markdown, LaTeX, CSV, HTML and plain text."""

import csv
import html
import io
from collections.abc import Callable, Sequence

from rotlab.reporting.grid import ABSENT, Grid, Place
from rotlab.reporting.outside import NOTE, Outside
from rotlab.reporting.scale import scale_of
from rotlab.reporting.tables import Column, markdown, plain

LEGEND = "Bold: best of a column; underlined: second. [95 % interval]."
STARS = "Differs from the baseline at * 5 %, ** 1 %, *** 0.1 %, corrected for their number (Holm)."

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
}


def legend(grid: Grid) -> list[str]:
    """Return how to read a grid, and its footnotes."""
    notes = [f"{number}: {note}" for number, note in enumerate(grid.notes, start=1)]
    ranked = any(place is not None and place.rank for line in grid.places for place in line)
    return [*([LEGEND] if ranked else []), *([STARS] if grid.is_marked else []), *notes]


def grid_text(grid: Grid) -> str:
    """Return a grid as aligned text; best and second are marked 1st and 2nd."""
    ranks = {"best": " (1st)", "second": " (2nd)", None: ""}

    def shown(place: Place) -> str:
        note = "" if place.note is None else f" ({place.note})"
        return f"{place.mean}{place.mark} {place.interval}".rstrip() + ranks[place.rank] + note

    lines = [grid.title, "", plain(_columns(grid, shown)), "", *legend(grid)]
    return "\n".join(lines).replace(LEGEND, "[95 % interval].").rstrip()


def grid_markdown(grid: Grid) -> str:
    """Return a grid in GitHub's Markdown."""
    ranks = {"best": ("**", "**"), "second": ("<u>", "</u>"), None: ("", "")}

    def shown(place: Place) -> str:
        before, after = ranks[place.rank]
        mark = place.mark.replace("*", "\\*")
        note = "" if place.note is None else f" <sup>{place.note}</sup>"
        return f"{before}{place.mean}{after}{mark} {place.interval}".rstrip() + note

    notes = [note.replace("*", "\\*") for note in legend(grid)]
    return "\n\n".join([f"### {grid.title}", markdown(_columns(grid, shown)), *notes])


def grid_latex(grid: Grid) -> str:
    """Return a grid as a LaTeX table, for the package booktabs."""
    ranks = {"best": r"\textbf{%s}", "second": r"\underline{%s}", None: "%s"}

    def shown(place: Place | None) -> str:
        if place is None:
            return ABSENT
        mark = f"$^{{{place.mark}}}$".replace("*", r"\ast ") if place.mark else ""
        note = "" if place.note is None else rf"\textsuperscript{{{place.note}}}"
        interval = rf" {{\scriptsize {place.interval}}}" if place.interval else ""
        return ranks[place.rank] % place.mean + mark + note + interval

    rows, columns = grid.rows, grid.columns
    width = len(columns[1])
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex(grid.title)}}}",
        rf"\begin{{tabular}}{{l{'c' * width}}}",
        r"\toprule",
        rf" & \multicolumn{{{width}}}{{c}}{{{latex(columns[0])}}} \\",
        rf"\cmidrule(l){{2-{width + 1}}}",
        " & ".join([latex(rows[0]), *map(latex, columns[1])]) + r" \\",
        r"\midrule",
        *(
            " & ".join([latex(side), *map(shown, line)]) + r" \\"
            for side, line in zip(rows[1], grid.places, strict=True)
        ),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\smallskip{{\footnotesize {latex(note)}}}" for note in legend(grid)),
        r"\end{table}",
    ]
    return "\n".join(lines)


def grid_csv(grid: Grid) -> str:
    """Return a grid as CSV: for each column its mean, the ends of its interval, n and mark."""
    names = ("mean", "low", "high", "n", "mark", "missing")
    head = [grid.rows[0], *(f"{one} {name}" for one in grid.columns[1] for name in names)]
    body = [
        [side, *(value for place in line for value in _numbers(place))]
        for side, line in zip(grid.rows[1], grid.places, strict=True)
    ]
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows([head, *body])
    return made.getvalue().rstrip("\n")


def grid_html(grid: Grid) -> str:
    """Return a grid as an HTML table with a caption, all text escaped."""
    ranks = {"best": "strong", "second": "u", None: "span"}

    def shown(place: Place | None) -> str:
        if place is None:
            return f"<td>{ABSENT}</td>"
        tag = ranks[place.rank]
        note = "" if place.note is None else f"<sup>{place.note}</sup>"
        interval = f" <small>{html.escape(place.interval)}</small>" if place.interval else ""
        return f"<td><{tag}>{html.escape(place.mean)}</{tag}>{place.mark}{note}{interval}</td>"

    rows, columns = grid.rows, grid.columns
    heads = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in columns[1])
    body = "\n".join(
        f'<tr><th scope="row">{html.escape(side)}</th>{"".join(map(shown, line))}</tr>'
        for side, line in zip(rows[1], grid.places, strict=True)
    )
    notes = "".join(f"<p><small>{html.escape(note)}</small></p>" for note in legend(grid))
    corner = html.escape(f"{rows[0]} \\ {columns[0]}")
    return (
        f"<table>\n<caption>{html.escape(grid.title)}</caption>\n"
        f'<thead><tr><th scope="col">{corner}</th>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>\n{notes}"
    )


def outside_columns(outside: Sequence[Outside]) -> list[Column]:
    """Return other people's numbers as a table's columns."""
    return [
        Column("by others", tuple(one.method for one in outside)),
        Column(
            "value",
            tuple(
                f"{one.value:.1f}" if scale_of(one.metric).percent else f"{one.value:g}"
                for one in outside
            ),
            number=True,
        ),
        Column("with", tuple(one.details for one in outside)),
        Column("source", tuple(one.source for one in outside)),
    ]


def outside_text(outside: Sequence[Outside]) -> str:
    """Return other people's numbers as aligned text, marked as such."""
    return f"{NOTE}\n\n{plain(outside_columns(outside))}"


def outside_markdown(outside: Sequence[Outside]) -> str:
    """Return other people's numbers in Markdown, marked as such."""
    return f"{NOTE}\n\n{markdown(outside_columns(outside))}"


def latex(text: str) -> str:
    """Return text with all that LaTeX would read as a command escaped."""
    return "".join(_LATEX.get(character, character) for character in text)


def _columns(grid: Grid, shown: Callable[[Place], str]) -> list[Column]:
    sides = Column(f"{grid.rows[0]} \\ {grid.columns[0]}", grid.rows[1])
    return [
        sides,
        *(
            Column(head, tuple(ABSENT if one is None else shown(one) for one in column))
            for head, column in zip(grid.columns[1], zip(*grid.places, strict=True), strict=True)
        ),
    ]


def _numbers(place: Place | None) -> tuple[object, ...]:
    if place is None:
        return ("",) * 6
    estimate = place.arm.estimate
    if estimate is None:
        return ("", "", "", 0, "", place.arm.missing)
    return (
        estimate.mean,
        "" if estimate.low is None else estimate.low,
        "" if estimate.high is None else estimate.high,
        estimate.n,
        place.mark,
        place.arm.missing,
    )
