"""Scores: what a network, or several, say of every test video."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from rotnet.errors import DataError

SCORES = "scores.npz"


@dataclass(frozen=True, eq=False)
class Scores:
    """Class probabilities of videos.

    Args:
        videos: paths, relative to the data set, N of them.
        classes: names, K of them.
        labels: (N,) int64, the true class of each video.
        probabilities: (N, K) float64, rows sum to 1.
    """

    videos: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check shapes and sums.

        Raises:
            ValueError: if they do not fit together.
        """
        wanted = (len(self.videos), len(self.classes))
        if self.probabilities.shape != wanted or self.labels.shape != wanted[:1]:
            raise ValueError(
                f"{wanted[0]} videos and {wanted[1]} classes need probabilities {wanted} and "
                f"labels ({wanted[0]},), got {self.probabilities.shape} and {self.labels.shape}"
            )
        if not np.allclose(self.probabilities.sum(axis=1), 1.0, atol=1e-4):
            raise ValueError("every row of probabilities must sum to 1")

    def __repr__(self) -> str:
        """Shapes, not data."""
        return f"Scores(videos={len(self.videos)}, classes={len(self.classes)})"

    def save(self, folder: Path) -> Path:
        """Write <folder>/scores.npz and return the path."""
        aside = folder / (SCORES + ".part")
        with aside.open("wb") as file:
            np.savez(
                file,
                videos=np.array(self.videos),
                classes=np.array(self.classes),
                labels=self.labels,
                probabilities=self.probabilities,
            )
        return aside.replace(folder / SCORES)

    @classmethod
    def load(cls, folder: Path) -> "Scores":
        """Return the scores in a stage's folder.

        Raises:
            DataError: if there are none, or they cannot be read.
        """
        path = folder / SCORES
        if not path.exists():
            raise DataError(f"{path}: no scores there; evaluate a network into this folder first")
        try:
            with np.load(path, allow_pickle=False) as found:
                return cls(
                    videos=tuple(found["videos"].tolist()),
                    classes=tuple(found["classes"].tolist()),
                    labels=found["labels"],
                    probabilities=found["probabilities"],
                )
        except (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
            raise DataError(f"{path}: no readable scores ({error}); evaluate again") from error
