"""Scores, and their figures."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rotnet.errors import DataError
from rotnet.evaluation.metrics import confusion, metrics
from rotnet.evaluation.outcome import leave
from rotnet.evaluation.scores import Scores


def scores(probabilities: list[list[float]], labels: list[int], first: str = "a") -> Scores:
    videos = (first, *(f"v{index}" for index in range(1, len(labels))))
    classes = tuple("xyzuvwst"[: len(probabilities[0])])
    return Scores(videos, classes, np.array(labels), np.array(probabilities))


def test_scores_come_back_as_they_were(tmp_path: Path) -> None:
    saved = scores([[0.25, 0.75], [1.0, 0.0]], [1, 1])
    saved.save(tmp_path)
    found = Scores.load(tmp_path)
    assert (found.videos, found.classes) == (saved.videos, saved.classes)
    np.testing.assert_array_equal(found.probabilities, saved.probabilities)
    np.testing.assert_array_equal(found.labels, saved.labels)
    assert [found.logits, found.clips, found.clips_right] == [None] * 3
    more = replace(
        saved,
        logits=np.log(saved.probabilities + 1),
        clips=np.array([3, 1]),
        clips_right=np.array([2, 0]),
    )
    more.save(tmp_path, "other.npz")
    again = Scores.load(tmp_path, "other.npz")
    for name in ("logits", "clips", "clips_right"):
        np.testing.assert_array_equal(getattr(again, name), getattr(more, name))


def test_accuracy_of_a_case_worked_by_hand() -> None:
    found = metrics(scores([[0.6, 0.4], [0.3, 0.7], [0.9, 0.1], [0.2, 0.8]], [0, 0, 0, 1]))
    assert found["accuracy"] == 0.75
    assert found["mean_class_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["chance"] == 0.5
    assert found["videos"] == 4
    assert "top5_accuracy" not in found


def test_top5_counts_the_five_most_probable() -> None:
    rows = [[0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05], [0.05, 0.3, 0.2, 0.15, 0.12, 0.1, 0.08]]
    found = metrics(scores(rows, [4, 0]))
    assert found["top5_accuracy"] == 0.5
    assert found["accuracy"] == 0.0


def test_shapes_and_sums_are_checked() -> None:
    with pytest.raises(ValueError, match=r"need probabilities \(1, 2\)"):
        Scores(("a",), ("x", "y"), np.array([0]), np.ones((2, 2)) / 2)
    with pytest.raises(ValueError, match="must sum to 1"):
        Scores(("a",), ("x", "y"), np.array([0]), np.array([[0.5, 0.1]]))
    good = scores([[0.5, 0.5]], [0])
    with pytest.raises(ValueError, match=r"logits must be \(1, 2\), got \(2, 1\)"):
        replace(good, logits=np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"must both be \(1,\), got \(1,\) and None"):
        replace(good, clips=np.array([3]))


def test_missing_and_damaged_scores_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no scores there"):
        Scores.load(tmp_path)
    path = scores([[0.25, 0.75], [1.0, 0.0]], [1, 1]).save(tmp_path)
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    for content in (b"", b"text", whole[:300], (tmp_path / "other.npz").read_bytes()):
        path.write_bytes(content)
        with pytest.raises(DataError, match="no readable scores"):
            Scores.load(tmp_path)


def test_clips_are_counted_one_by_one() -> None:
    plain = scores([[0.6, 0.4], [0.3, 0.7]], [0, 0])
    assert "clip_accuracy" not in metrics(plain)
    counted = replace(plain, clips=np.array([10, 2]), clips_right=np.array([6, 0]))
    assert metrics(counted)["clip_accuracy"] == 0.5
    assert metrics(counted)["accuracy"] == 0.5


def test_the_confusion_and_the_classes_are_left_beside_the_scores(tmp_path: Path) -> None:
    rows = [[0.6, 0.4, 0.0], [0.3, 0.7, 0.0], [0.1, 0.9, 0.0]]
    given = scores(rows, [0, 0, 1])
    np.testing.assert_array_equal(confusion(given), [[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert leave(given, tmp_path) == metrics(given)
    assert Scores.load(tmp_path).videos == given.videos
    with (tmp_path / "confusion.csv").open() as file:
        table = list(csv.reader(file))
    assert table == [
        ["class", "x", "y", "z"],
        ["x", "1", "1", "0"],
        ["y", "0", "1", "0"],
        ["z", "0", "0", "0"],
    ]
    with (tmp_path / "classes.csv").open() as file:
        shares = [row["accuracy"] for row in csv.DictReader(file)]
    assert shares == ["0.5", "1.0", ""]
