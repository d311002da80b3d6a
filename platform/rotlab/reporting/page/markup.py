"""Pieces of HTML: tables that sort and filter, figures with their numbers. All text is escaped."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rotlab.reporting.tables import Column

FILTER_FROM = 8  # rows; fewer are seen at a glance


def text(value: object) -> str:
    """Return a value as text that no browser reads as a tag."""
    return html.escape(str(value))


def paragraph(value: object, kind: str = "") -> str:
    """Return a paragraph of plain text."""
    return f"<p{_class(kind)}>{text(value)}</p>"


def listed(values: Sequence[str], kind: str = "") -> str:
    """Return a list of plain texts; nothing for none."""
    items = "".join(f"<li>{text(value)}</li>" for value in values)
    return f"<ul{_class(kind)}>{items}</ul>" if items else ""


def section(name: str, title: str, body: str) -> str:
    """Return a section with a heading of its own; nothing where there is nothing to show."""
    if not body:
        return ""
    return (
        f'<section id="{text(name)}" aria-labelledby="{text(name)}-title">\n'
        f'<h2 id="{text(name)}-title">{text(title)}</h2>\n{body}\n</section>'
    )


def table(name: str, caption: str, columns: Sequence[Column]) -> str:
    """Return a table whose columns sort, with a box to filter its rows where there are many.

    Args:
        name: an identity, once in the page.
        caption: what it shows.
        columns: of equal length; the first one heads the rows.
    """
    rows = list(zip(*(column.cells for column in columns), strict=True))
    heads = "".join(
        f'<th scope="col"{_class("number" if column.number else "")}>'
        f'<button type="button">{text(column.heading)}</button></th>'
        for column in columns
    )
    body = "\n".join(
        "<tr>"
        + f'<th scope="row">{text(row[0])}</th>'
        + "".join(
            f"<td{_class('number' if column.number else '')}>{text(cell)}</td>"
            for column, cell in zip(columns[1:], row[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    box = ""
    if len(rows) >= FILTER_FROM:
        box = (
            f'<p class="filter"><label for="{text(name)}-filter">Show rows with</label> '
            f'<input type="search" id="{text(name)}-filter" data-table="{text(name)}"> '
            f'<output for="{text(name)}-filter">{len(rows)} of {len(rows)}</output></p>'
        )
    return (
        f'{box}<div class="wide" role="region" tabindex="0" aria-label="{text(caption)}">'
        f'<table id="{text(name)}" class="sortable"><caption>{text(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def figure(name: str, caption: str, plot: Mapping[str, Any], numbers: str = "") -> str:
    """Return a plot that scripts draw, with its numbers as a table for whoever cannot see it.

    Args:
        name: an identity, once in the page.
        caption: what it shows.
        plot: "data" and "layout" as plotly.js takes them.
        numbers: the same as HTML, folded away; "" where a table beside it has them.
    """
    own, said = text(name), text(caption)
    folded = f"<details><summary>Numbers of this figure</summary>{numbers}</details>"
    return (
        f'<figure><div class="plot" id="{own}" role="img" aria-label="{said}"></div>'
        f"<figcaption>{said}</figcaption>{folded if numbers else ''}"
        f'<script type="application/json" data-plot="{own}">{as_script(plot)}</script></figure>'
    )


def as_script(value: object) -> str:
    """Return JSON for a script element: nothing in it ends that, or opens a comment."""
    return (
        json.dumps(value, allow_nan=False)
        .replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
