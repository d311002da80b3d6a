"""Which class was taken for which, as stages have left it in MLflow."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotlab.tracking.kept_files import read_files

FILE = "confusion.csv"


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of what was taken for what.

    Args:
        classes: K names.
        counts: (K, K), row the true class, column the one it was taken for.
    """

    classes: tuple[str, ...]
    counts: NDArray[np.int64]

    def __add__(self, other: "Confusion") -> "Confusion":
        """Add counts of the same classes."""
        return Confusion(self.classes, self.counts + other.counts)


def parse_confusion(text: str) -> Confusion | None:
    """Return what a table says; None where it is no table of counts."""
    rows = list(csv.reader(io.StringIO(text)))
    try:
        classes = tuple(rows[0][1:])
        counts = np.array([[int(cell) for cell in row[1:]] for row in rows[1:]], dtype=np.int64)
    except (IndexError, ValueError):
        return None
    named = tuple(row[0] for row in rows[1:])
    fits = named == classes and counts.shape == (len(classes), len(classes)) and bool(classes)
    return Confusion(classes, counts) if fits else None


def load_confusion(path: Path) -> Confusion | None:
    """Return what a file says; None where it is no table of counts."""
    return parse_confusion(path.read_text(encoding="utf-8"))


def read_confusions(uri: str, run_ids: Iterable[str]) -> dict[str, Confusion]:
    """Return run -> what was taken for what, of those whose artifacts tell it.

    One request each: ask for few.
    """
    return read_files(uri, run_ids, FILE, load_confusion)
