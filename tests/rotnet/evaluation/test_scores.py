"""Scores, their figures, and their fusion."""

from pathlib import Path

import numpy as np
import pytest

from rotnet.config import FusionConfig
from rotnet.errors import DataError
from rotnet.evaluation.fuse import fuse, mean_softmax
from rotnet.evaluation.metrics import metrics
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


def test_fusion_is_the_mean_of_the_probabilities(tmp_path: Path) -> None:
    members = {"rgb": scores([[0.9, 0.1]], [1]), "dif": scores([[0.0, 1.0]], [1])}
    np.testing.assert_allclose(mean_softmax(members).probabilities, [[0.45, 0.55]])
    for name, member in members.items():
        (tmp_path / name).mkdir()
        member.save(tmp_path / name)
    found = fuse(FusionConfig(), {name: tmp_path / name for name in members}, tmp_path)
    assert found["accuracy"] == 1.0
    assert Scores.load(tmp_path).probabilities.shape == (1, 2)


def test_a_fusion_of_different_videos_or_of_one_network_is_refused() -> None:
    one = scores([[0.9, 0.1]], [1])
    other = scores([[0.9, 0.1]], [1], first="b")
    with pytest.raises(DataError, match="rgb and dif did not score the same videos"):
        mean_softmax({"rgb": one, "dif": other})
    with pytest.raises(DataError, match="at least 2 members, got 1"):
        mean_softmax({"rgb": one})


def test_shapes_and_sums_are_checked() -> None:
    with pytest.raises(ValueError, match=r"need probabilities \(1, 2\)"):
        Scores(("a",), ("x", "y"), np.array([0]), np.ones((2, 2)) / 2)
    with pytest.raises(ValueError, match="must sum to 1"):
        Scores(("a",), ("x", "y"), np.array([0]), np.array([[0.5, 0.1]]))


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


def test_a_fusion_neither_replaces_a_member_nor_mixes_labels(tmp_path: Path) -> None:
    rgb, dif = scores([[0.9, 0.1]], [1]), scores([[0.9, 0.1]], [0])
    with pytest.raises(DataError, match="rgb and dif give the same videos other labels"):
        mean_softmax({"rgb": rgb, "dif": dif})
    for name in ("rgb", "dif"):
        (tmp_path / name).mkdir()
        rgb.save(tmp_path / name)
    members = {name: tmp_path / name for name in ("rgb", "dif")}
    with pytest.raises(DataError, match="choose another folder"):
        fuse(FusionConfig(), members, tmp_path / "dif")
