"""Scores: what a network, or several, say of every video."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from rotnet.errors import DataError

SCORES = "scores.npz"
VAL_SCORES = "val_scores.npz"
_OPTIONAL = ("logits", "clips", "clips_right")


@dataclass(frozen=True, eq=False)
class Scores:
    """Class probabilities of videos.

    Args:
        videos: paths, relative to the data set, N of them.
        classes: names, K of them.
        labels: (N,) int64, the true class of each video.
        probabilities: (N, K) float64, rows sum to 1.
        logits: (N, K) float64, what a softmax would be taken of, averaged over a video's clips;
            None where there is no such thing, as in a mean of probabilities.
        clips: (N,) int64, how many clips of a video were scored; None where none were.
        clips_right: (N,) int64, how many of them alone would have been right; goes with `clips`.
    """

    videos: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    logits: NDArray[np.float64] | None = None
    clips: NDArray[np.int64] | None = None
    clips_right: NDArray[np.int64] | None = None

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
        if self.logits is not None and self.logits.shape != wanted:
            raise ValueError(f"logits must be {wanted}, got {self.logits.shape}")
        counts = [None if one is None else one.shape for one in (self.clips, self.clips_right)]
        if counts not in ([None, None], [wanted[:1]] * 2):
            raise ValueError(
                f"clips and clips_right must both be ({wanted[0]},), got {counts[0]} and "
                f"{counts[1]}"
            )

    def __repr__(self) -> str:
        """Shapes, not data."""
        return f"Scores(videos={len(self.videos)}, classes={len(self.classes)})"

    def save(self, folder: Path, name: str = SCORES) -> Path:
        """Write <folder>/<name> and return the path."""
        aside = folder / (name + ".part")
        also = {part: getattr(self, part) for part in _OPTIONAL}
        with aside.open("wb") as file:
            np.savez(
                file,
                videos=np.array(self.videos),
                classes=np.array(self.classes),
                labels=self.labels,
                probabilities=self.probabilities,
                **{part: array for part, array in also.items() if array is not None},
            )
        return aside.replace(folder / name)

    @classmethod
    def load(cls, folder: Path, name: str = SCORES) -> Self:
        """Return the scores in a stage's folder; files of older versions lack the optional parts.

        Raises:
            DataError: if there are none, or they cannot be read.
        """
        path = folder / name
        if not path.exists():
            raise DataError(f"{path}: no scores there; evaluate a network into this folder first")
        try:
            with np.load(path, allow_pickle=False) as found:
                return cls(
                    videos=tuple(found["videos"].tolist()),
                    classes=tuple(found["classes"].tolist()),
                    labels=found["labels"],
                    probabilities=found["probabilities"],
                    **{part: found[part] for part in _OPTIONAL if part in found},
                )
        except (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
            raise DataError(f"{path}: no readable scores ({error}); evaluate again") from error
