"""Which class was taken for which, as stages have left it in MLflow."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from rotlab.tracking.client import open_client

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


def read_confusions(uri: str, run_ids: Iterable[str]) -> dict[str, Confusion]:
    """Return run -> what was taken for what, of those whose artifacts tell it.

    One request each: ask for few.
    """
    client, found = open_client(uri), {}
    with TemporaryDirectory(prefix="rotlab-") as folder:
        for run_id in run_ids:
            try:
                path = client.download_artifacts(run_id, FILE, folder)
                confusion = parse_confusion(Path(path).read_text(encoding="utf-8"))
            except (MlflowException, OSError):  # it has none, or they are not at hand here
                continue
            if confusion is not None:
                found[run_id] = confusion
    return found
