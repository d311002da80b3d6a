"""A study's answer as text: for each target its arms, what pretraining changes, how to read it."""

import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console

from rotlab.reporting.arms import ArmSummary, has_values
from rotlab.reporting.comparison import Comparison
from rotlab.reporting.contrasts import Contrast
from rotlab.reporting.scale import scale_of, short_name
from rotlab.reporting.sentences import describe, sentence, show_value
from rotlab.reporting.tables import arms_table, markdown, plain
from rotlab.tracking.query import STAGES


def report_text(comparisons: list[Comparison], question: str) -> str:
    """Return the report as aligned plain text."""
    parts = [question] if question else []
    for comparison in comparisons:
        parts += [title(comparison), plain(arms_table(comparison))]
        if found := findings(comparison):
            parts.append("\n".join(found))
    return "\n\n".join([*parts, "\n".join(notes(comparisons))])


def report_markdown(comparisons: list[Comparison], question: str) -> str:
    """Return the report as Markdown."""
    parts = [f"**{question}**"] if question else []
    for comparison in comparisons:
        parts += [
            f"### {title(comparison)}",
            markdown(arms_table(comparison)),
        ]
        if found := findings(comparison):
            parts.append("\n".join(f"- {finding}" for finding in found))
    return "\n\n".join([*parts, "\n".join(notes(comparisons))])


def print_report(comparisons: list[Comparison], question: str, console: Console) -> None:
    """Print the report on a terminal, with headings and findings in bold."""
    if question:
        console.print(question, style="bold", markup=False)
    for comparison in comparisons:
        console.print()
        console.print(title(comparison), markup=False, highlight=False)
        heading, *rows = plain(arms_table(comparison)).splitlines()
        console.print()
        console.print(heading, style="bold", markup=False, highlight=False, soft_wrap=True)
        for row in rows:
            console.print(row, markup=False, highlight=False, soft_wrap=True)
        console.print()
        for finding in findings(comparison):
            console.print(finding, style="bold", markup=False, highlight=False)
    console.print()
    for note in notes(comparisons):
        console.print(note, style="dim", markup=False, highlight=False)


def tidy_csv(frame: pd.DataFrame) -> str:
    """Return the cells, one a line, values of sets as JSON and numbers in full."""
    axes = frame.attrs["axes"]
    shown = frame.drop(columns=STAGES, errors="ignore")
    for axis in axes:
        shown[axis] = [None if value is None else show_value(value) for value in frame[axis]]
    return shown.to_csv(index=False).rstrip("\n")


def tidy_json(frame: pd.DataFrame) -> str:
    """Return the cells as a JSON list of objects; what is not known is null."""
    records = [
        {str(name): None if _is_absent(value) else value for name, value in record.items()}
        for record in frame.drop(columns=STAGES, errors="ignore").to_dict("records")
    ]
    return json.dumps(records, indent=2)


def tidy_parquet(frame: pd.DataFrame) -> bytes:
    """Return the cells as a Parquet file; an axis whose values are of several types is text."""
    shown = frame.drop(columns=STAGES, errors="ignore")
    for axis in frame.attrs["axes"]:
        kinds = {type(value) for value in frame[axis] if value is not None}
        if len(kinds) > 1 or kinds & {dict, list}:
            shown[axis] = [None if value is None else show_value(value) for value in frame[axis]]
    shown.attrs = {}
    sink = io.BytesIO()
    shown.to_parquet(sink, index=False)
    return sink.getvalue()


def _is_absent(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def title(comparison: Comparison) -> str:
    """Return what a comparison is of: target, measure, metric, chance, how much is missing."""
    scale = scale_of(comparison.metric)
    said = f"{comparison.target}, {comparison.measure}: {comparison.metric}"
    if scale.percent:
        said += " in %"
    missing = sum(arm.missing for arm in comparison.arms)
    cells = sum(arm.cells for arm in comparison.arms)
    for metric, chance in comparison.chance.items():
        of = "" if metric == comparison.metric else f" of {short_name(metric)}"
        said += f"; chance{of} {100 * chance:.1f} %"
    return said + (f"; {missing} of {cells} cells missing" if missing else "")


def findings(comparison: Comparison) -> list[str]:
    """Return a sentence for each difference, or why there is none."""
    if comparison.instead:
        there = ", ".join(comparison.instead)
        return [f"{comparison.measure} has no {comparison.metric}; --metric can be: {there}"]
    if comparison.asked and not comparison.contrasts and len(comparison.arms) > 1:
        return [_why_nothing(comparison, comparison.asked)]
    scale = scale_of(comparison.metric)
    several = len({describe(contrast.treatment) for contrast in comparison.contrasts}) > 1
    return [sentence(one, scale, is_one_of_several=several) for one in comparison.contrasts]


def _why_nothing(comparison: Comparison, asked: Mapping[str, Any]) -> str:
    """Why no arm is set against the baseline that was asked for."""
    held = {axis for arm in comparison.arms for axis in arm.arm}
    if lacking := [axis for axis in asked if axis not in held]:
        return f"Nothing to compare here: {comparison.measure} does not read {', '.join(lacking)}"
    bases = [arm.arm for arm in comparison.arms if has_values(arm, asked)]
    if not bases:
        return f"Nothing to compare here: no arm is {describe(asked)}"
    more = list(dict.fromkeys(axis for arm in bases for axis in arm if axis not in asked))
    return (
        f"Nothing to compare here: no other arm is equal to {describe(asked)} on "
        f"{' and '.join(more)}; name that in --baseline as well"
    )


def _shows_random_network(comparison: Comparison) -> bool:
    starts = {arm.arm.get("init") for arm in comparison.arms}
    return comparison.measure in ("linear", "retrieval") and "scratch" in starts


def notes(comparisons: list[Comparison]) -> list[str]:
    """Return how tables and sentences are to be read."""
    contrasts = [each for comparison in comparisons for each in comparison.contrasts]
    notes = [
        "n counts seeds; splits are averaged within a seed; intervals are 95 % t intervals, for "
        "other seeds on the same test videos."
    ]
    if any(len(chain.seeds) > 1 for arm in _arms(comparisons) for chain in arm.chains):
        notes.append("Seeds that share a stage, such as one pretraining, count as one: their mean.")
    if contrasts:
        against = dict.fromkeys(describe(contrast.baseline) for contrast in contrasts)
        notes.append(
            f"Differences are against {' or '.join(against)}, all else equal{_how(contrasts)}"
        )
    elif any(len(one.arms) > 1 and one.asked is None for one in comparisons):
        notes.append("To see differences, say what to set arms against: --baseline AXIS=VALUE.")
    most = max((len(comparison.contrasts) for comparison in comparisons), default=0)
    if most > 1:
        notes.append(
            "p is corrected for the number of differences of a table (Holm), intervals are not; "
            "g is the difference in standard deviations (Hedges)."
        )
    elif most:
        notes.append("g is the difference in standard deviations (Hedges).")
    if any(_shows_random_network(comparison) for comparison in comparisons):
        notes.append(
            "Linear and retrieval leave networks as they are: scratch is the random network."
        )
    for looks in [one.looks for one in comparisons if one.looks][:1]:
        at, by = ", ".join(map(str, looks["at"])), " and ".join(looks["metrics"])
        notes.append(
            f"How many seeds an arm has (n) was chosen by looks at held-out videos ({by}), at {at} "
            "seeds, until its difference was shown or hopeless there; what is shown here was not "
            "looked at, and p and intervals are as for numbers chosen beforehand."
        )
    if any(arm.missing for arm in _arms(comparisons)):
        notes.append("A seed counts once none of its cells is missing.")
    return notes


def _how(contrasts: Sequence[Contrast]) -> str:
    """What the intervals of differences are made from."""
    held = {one.difference.how for one in contrasts if one.difference is not None}
    words = {
        "pooled": "pooled over arms that spread alike",
        "welch": "Welch's, unpaired",
        "paired": "paired where the two share a stage",
        "resampled": "over random splits, corrected for their overlap (Nadeau and Bengio)",
    }
    made = "; ".join(text for how, text in words.items() if how in held)
    return f". Their intervals are {made}." if made else "."


def _arms(comparisons: Iterable[Comparison]) -> Iterator[ArmSummary]:
    return (arm for comparison in comparisons for arm in comparison.arms)
