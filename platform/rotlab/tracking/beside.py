"""Other people's numbers as rows beside a study's cells, from a CSV that names their source."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rotlab.planning.space.names import unknown
from rotlab.tracking.roster import NULL
from rotnet.errors import UserError

BESIDE = "BESIDE"  # the state of such a row: nobody ran it here
SOURCE = "source"


def beside(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a study's cells, then a row for each line of a file, with a last column "source".

    Args:
        frame: as `rotlab.results` returns it.
        path: a CSV whose first line names columns: axes (in full or by their last part), target,
            measure, metrics, and source, which every line must give. A value of an axis is JSON
            where it can be read so, else text; what is left empty is not known. Metrics are in the
            study's own unit: an accuracy of 62.9 % is 0.629.

    Raises:
        UserError: if the file cannot be read, or a line of it: with its number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = _columns(reader.fieldnames or (), frame, path)
            rows = [_row(line, names, frame, f"{path}, line {reader.line_num}") for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV: {error}") from error
    added = pd.DataFrame(rows, columns=[*frame.columns, SOURCE], dtype=object)
    own = frame.assign(**{SOURCE: pd.Series([None] * len(frame), dtype=object)})
    if not rows:
        joined = own
    else:
        kinds = {name: frame.dtypes[name] for name in frame.columns}
        joined = pd.concat([own, added.astype(kinds)], ignore_index=True)
    joined.attrs = dict(frame.attrs)
    return joined


def _columns(given: Sequence[str], frame: pd.DataFrame, path: Path) -> dict[str, str]:
    """Return heading -> column."""
    metrics = frame.attrs["metrics"]
    known = [*frame.attrs["axes"], "target", "measure", *metrics, SOURCE]
    if SOURCE not in given:
        raise UserError(f"{path}: a column {SOURCE!r} must say where each line comes from")
    found: dict[str, str] = {}
    for name in given:
        last = [one for one in frame.attrs["axes"] if one.rpartition(".")[2] == name]
        if name not in known and len(last) != 1:
            raise UserError(f"{path}: {unknown('column', name, known)}")
        found[name] = name if name in known else last[0]
    return found


def _row(
    line: Mapping[str, Any], names: Mapping[str, str], frame: pd.DataFrame, where: str
) -> dict[str, Any]:
    if None in line or None in line.values():
        raise UserError(f"{where}: has another number of values than the first line has names")
    row: dict[str, Any] = dict.fromkeys([*frame.columns, SOURCE]) | {"state": BESIDE}
    for heading, column in names.items():
        text = line[heading].strip()
        if not text:
            continue
        row[column] = _value(text, column, frame, where)
    if not row.get(SOURCE):
        raise UserError(f"{where}: the column {SOURCE!r} is empty; say where the line comes from")
    return row


def _value(text: str, column: str, frame: pd.DataFrame, where: str) -> Any:  # noqa: ANN401
    if column in frame.attrs["metrics"]:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UserError(f"{where}: {column} must be a number, got {text!r}")
        return number
    if column not in frame.attrs["axes"]:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return NULL if value is None else value
