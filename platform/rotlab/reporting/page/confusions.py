"""What was taken for what, arm by arm: the sum over its cells, shaded by shares of each row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import pandas as pd

from rotlab.reporting.arms import DONE, as_text
from rotlab.reporting.page.markup import paragraph, table, text
from rotlab.reporting.sentences import describe, show_value
from rotlab.reporting.tables import Column
from rotlab.tracking.confusions import Confusion
from rotlab.tracking.query import STAGES
from rotlab.tracking.stage_runs import StageRun

MOST = 24  # arms, or sorts of pretraining; more are no page to read
MOST_CLASSES = 24  # of a matrix; of more, the most frequent mistakes are told
_MISTAKES = 12
_DARKEST = 45  # per cent of colour, on which text can still be read


@dataclass(frozen=True, slots=True)
class Sum:
    """What several stages took for what.

    Args:
        stages: so many tell it.
        of: so many there are.
        total: the sum of their counts.
    """

    stages: int
    of: int
    total: Confusion


def wanted(groups: Iterable[Mapping[str, Sequence[str]]]) -> list[str]:
    """Return the stages that are asked of, each once: of each group first one, then a second one.

    Args:
        groups: name -> keys of stages, for each part of a page; those that have no room are left.
    """
    shown = [keys for part in groups for keys in list(part.values())[:MOST]]
    turns = chain.from_iterable(zip_longest(*shown))
    return list(dict.fromkeys(key for key in turns if key is not None))


def summed(
    groups: Mapping[str, Iterable[str]], confusions: Mapping[str, Confusion]
) -> dict[str, Sum]:
    """Return group -> the sum over its stages; those of other classes are left out.

    Args:
        groups: name -> keys of stages.
        confusions: key of a stage -> what it took for what.
    """
    found = {}
    for name, keys in groups.items():
        unique = dict.fromkeys(keys)
        held = [confusions[key] for key in unique if key in confusions]
        alike = [one for one in held if one.classes == held[0].classes]
        if alike:
            total = alike[0]
            for one in alike[1:]:
                total = total + one
            found[name] = Sum(len(alike), len(unique), total)
    return found


def results_of(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return arm -> keys of the stages that its cells have their results from."""
    axes: list[str] = frame.attrs["axes"]
    varying = [axis for axis in axes if len(set(map(as_text, frame[axis]))) > 1]
    several = [name for name in ("target", "measure") if frame[name].nunique() > 1]
    found: dict[str, list[str]] = {}
    for cell in frame.to_dict("records"):
        if cell[STAGES] and cell["state"] in DONE:
            arm = {axis: show_value(cell[axis]) for axis in varying if cell[axis] is not None}
            place = ", ".join(str(cell[name]) for name in several)
            name = ": ".join(part for part in (place, describe(arm)) if part) or "all cells"
            found.setdefault(name, []).append(cell[STAGES][-1])
    return found


def pretexts_of(stages: Sequence[StageRun], names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return arm -> keys of its pretrainings."""
    found: dict[str, list[str]] = {}
    for stage in stages:
        if stage.kind == "pretrain" and stage.state in DONE:
            found.setdefault(names.get(stage.key, stage.kind), []).append(stage.key)
    return found


def confusions_html(name: str, sums: Mapping[str, Sum], what: str) -> str:
    """Return a folded table for each arm; nothing where nothing was recorded.

    Args:
        name: an identity, once in the page.
        sums: arm -> what its stages took for what.
        what: that is counted, such as "videos".
    """
    parts = []
    for number, (arm, found) in enumerate(list(sums.items())[:MOST], start=1):
        one, which = found.total, "" if found.stages == found.of else f"{found.stages} of "
        right, of = int(one.counts.trace()), int(one.counts.sum())
        said = f"{arm}: {right:,} of {of:,} {what} right, {which}{found.of} stage"
        said += "s" * (found.of != 1)
        own = f"{name}-{number}"
        shown = _matrix(own, said, one) if len(one.classes) <= MOST_CLASSES else _pairs(own, one)
        parts.append(f"<details><summary>{text(said)}</summary>{shown}</details>")
    if len(sums) > MOST:
        parts.append(paragraph(f"{MOST} of {len(sums)} are shown.", "note"))
    return "".join(parts)


def _matrix(name: str, said: str, one: Confusion) -> str:
    heads = "".join(f'<th scope="col">{text(each)}</th>' for each in one.classes)
    rows = []
    for true, counts in zip(one.classes, one.counts.tolist(), strict=True):
        total = sum(counts)
        cells = "".join(_cell(count, total) for count in counts)
        rows.append(f'<tr><th scope="row">{text(true)}</th>{cells}</tr>')
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(said)}">'
        f'<table id="{text(name)}" class="matrix"><caption>Row: true class; column: what it was '
        f"taken for; colour: its share of the row</caption><thead><tr>"
        f'<th scope="col">true</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _cell(count: int, total: int) -> str:
    if not count:
        return '<td class="number">0</td>'
    shade = round(_DARKEST * count / total)
    style = f"background: color-mix(in srgb, var(--c0) {shade}%, var(--paper))"
    return f'<td class="number" style="{style}">{count:,}</td>'


def _pairs(name: str, one: Confusion) -> str:
    """The most frequent mistakes of many classes."""
    found = [
        (count, true, said)
        for true, row in zip(one.classes, one.counts.tolist(), strict=True)
        for said, count in zip(one.classes, row, strict=True)
        if said != true and count
    ]
    found.sort(key=lambda each: -each[0])
    top = found[:_MISTAKES]
    totals = dict(zip(one.classes, one.counts.sum(axis=1).tolist(), strict=True))
    columns = [
        Column("true class", tuple(true for _, true, _ in top)),
        Column("taken for", tuple(said for _, _, said in top)),
        Column("so often", tuple(f"{count:,}" for count, _, _ in top), number=True),
        Column("of", tuple(f"{totals[true]:,}" for _, true, _ in top), number=True),
    ]
    caption = f"The {len(top)} most frequent mistakes among {len(one.classes)} classes"
    return table(name, caption, columns)
