"""Lists and tables in text files, as they were published: lines, rows, cells."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from rotnet.errors import DataError


def read_lines(path: Path) -> list[str]:
    """Return the lines of a list that are not blank, without the blanks at their ends.

    Raises:
        DataError: if there is no such file, or it cannot be read as text.
    """
    return [line.strip() for line in _text(path).split("\n") if line.strip()]


def read_rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file that are not blank, each a list of cells without outer blanks.

    Raises:
        DataError: if there is no such file, or it cannot be read as CSV.
    """
    try:
        rows = csv.reader(io.StringIO(_text(path), newline=""), skipinitialspace=True, strict=True)
        return [cells for row in rows if any(cells := [cell.strip() for cell in row])]
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as CSV: {error}") from error


def read_table(path: Path) -> list[Mapping[str, str]]:
    """Return the rows of a CSV file by its header's names.

    Raises:
        DataError: if a row has more or fewer cells than the header, or a name stands there twice.
    """
    rows = read_rows(path)
    if not rows:
        raise DataError(f"{path} is empty: its first line must name the columns")
    header = rows[0]
    if len(set(header)) < len(header):
        raise DataError(f"{path} names a column twice: {', '.join(header)}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataError(
                f"{path}, row {number}: {len(row)} cells for {len(header)} columns "
                f"({', '.join(header)}); a cell that holds a comma needs quotes"
            )
    return [dict(zip(header, row, strict=True)) for row in rows[1:]]


def _text(path: Path) -> str:
    """Return a file's text; bytes that are none stay what they are in names of files."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist: give --lists or --csv where it lies") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
