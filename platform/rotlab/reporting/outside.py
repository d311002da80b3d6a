"""Other people's numbers, with their sources: published ones, and those of a user's own file.

They were reached under other protocols. They stand beside ours and are never compared with them.
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rotlab.reporting.comparison import ELSEWHERE, Comparison
from rotlab.reporting.scale import scale_of
from rotlab.reporting.sentences import describe
from rotnet.errors import UserError

PUBLISHED = Path(__file__).with_name("published.csv")
NEEDED = ("method", "target", "metric", "value", "source")
OPTIONAL = ("measure", "network", "input", "pretrained_on")
NOTE = "Other people's numbers, under other protocols: not to be compared as ours are."


@dataclass(frozen=True, slots=True)
class Outside:
    """One number of other people's.

    Args:
        method: as they call it.
        target: the data set.
        measure: such as "finetune"; "" goes with every measure.
        metric: such as "accuracy".
        value: shares in per cent, as they are printed.
        source: where it stands.
        details: network, input and pretraining, as far as they are told.
    """

    method: str
    target: str
    measure: str
    metric: str
    value: float
    source: str
    details: str


def read_outside(path: Path = PUBLISHED) -> list[Outside]:
    """Return the numbers of a CSV file.

    Raises:
        UserError: if it cannot be read, lacks a column, has an unknown one, or a row without a
            number or source.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if lacking := [name for name in NEEDED if name not in names]:
        raise UserError(f"{path}: has no column {lacking[0]!r}; needed are {', '.join(NEEDED)}")
    if unknown := [name for name in names if name not in (*NEEDED, *OPTIONAL)]:
        known = ", ".join((*NEEDED, *OPTIONAL))
        raise UserError(f"{path}: unknown column {unknown[0]!r}; there can be {known}")
    return [_outside(row, f"{path}: row {number}") for number, row in enumerate(rows, start=2)]


def outside_of(frame: pd.DataFrame) -> list[Outside]:
    """Return the numbers of other people that stand among results, as rows of state BESIDE."""
    axes: list[str] = frame.attrs["axes"]
    return [
        Outside(
            method=describe({axis: row[axis] for axis in axes if row[axis] is not None}) or "-",
            target=str(row["target"] or ""),
            measure=str(row["measure"] or ""),
            metric=metric,
            value=row[metric] * (100 if scale_of(metric).percent else 1),
            source=str(row["source"]),
            details="",
        )
        for row in frame[frame["state"] == ELSEWHERE].to_dict("records")
        for metric in frame.attrs["metrics"]
        if not pd.isna(row[metric])
    ]


def beside(comparison: Comparison, outside: Iterable[Outside]) -> list[Outside]:
    """Return those on a comparison's target, by its measure and metric, the best first."""
    found = [
        one
        for one in outside
        if _bare(one.target) == _bare(comparison.target)
        and one.metric == comparison.metric
        and one.measure in ("", comparison.measure)
    ]
    lower = scale_of(comparison.metric).better == "lower"
    return sorted(found, key=lambda one: one.value if lower else -one.value)


def _outside(row: dict[str, str], where: str) -> Outside:
    held = {name: (row.get(name) or "").strip() for name in (*NEEDED, *OPTIONAL)}
    if empty := [name for name in NEEDED if not held[name]]:
        raise UserError(f"{where}: {empty[0]} is empty; every number needs {', '.join(NEEDED)}")
    try:
        value = float(held["value"])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{where}: value must be a number, got {held['value']!r}")
    details = "; ".join(
        text
        for text in (
            held["network"],
            held["input"],
            held["pretrained_on"] and f"pretrained on {held['pretrained_on']}",
        )
        if text
    )
    return Outside(
        held["method"],
        held["target"],
        held["measure"],
        held["metric"],
        value,
        held["source"],
        details,
    )


def _bare(name: str) -> str:
    """A data set's name as it is spelt here or there: "UCF-101" and "ucf101" are one."""
    return "".join(character for character in name.lower() if character.isalnum())
