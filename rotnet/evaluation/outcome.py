"""What a scoring leaves in its folder: the scores, and tables of them for people."""

from pathlib import Path

from rotnet.evaluation.metrics import confusion, metrics
from rotnet.evaluation.scores import Scores
from rotnet.learning.table import write_confusion, write_table

CLASSES = "classes.csv"


def leave(scores: Scores, folder: Path) -> dict[str, float]:
    """Write scores.npz, confusion.csv and classes.csv into a folder, and return the metrics.

    A row of confusion.csv is a true class, a column what its videos were taken for. classes.csv has
    each class's number of videos, how many are right, and their share, empty for a class without
    videos.

    Returns:
        See `rotnet.evaluation.metrics.metrics`.
    """
    counts = confusion(scores)
    scores.save(folder)
    write_confusion(folder, scores.classes, counts)
    videos, right = counts.sum(axis=1).tolist(), counts.diagonal().tolist()
    write_table(
        folder / CLASSES,
        ["class", "videos", "right", "accuracy"],
        (
            [name, total, hits, hits / total if total else None]
            for name, total, hits in zip(scores.classes, videos, right, strict=True)
        ),
    )
    return metrics(scores)
