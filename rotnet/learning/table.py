"""Tables beside results: CSV files, written whole or not at all."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CONFUSION = "confusion.csv"


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a header and rows to a CSV file and return its path; None is an empty cell.

    Names of files may hold what is not text; they are written as the system gave them.
    """
    aside = path.with_name(path.name + ".part")
    with aside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return aside.replace(path)


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table that `write_table` wrote, by column."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def write_confusion(folder: Path, names: Sequence[str], counts: NDArray[np.int64]) -> Path:
    """Write <folder>/confusion.csv and return its path.

    Args:
        folder: of a result.
        names: K of them.
        counts: (K, K) at [i, j]: how many of i were taken for j; a row of the table each.
    """
    rows = ([name, *row] for name, row in zip(names, counts.tolist(), strict=True))
    return write_table(folder / CONFUSION, ["class", *names], rows)
