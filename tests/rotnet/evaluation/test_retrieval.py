"""Retrieval: nearness by cosine, every video asked for and ranked."""

import csv
from pathlib import Path

import numpy as np
import pytest

from rotnet.config import RetrieveConfig
from rotnet.data.manifest import Manifest
from rotnet.evaluation.retrieval import KS, cosine, retrieval_metrics, retrieve
from rotnet.learning.watch import Unwatched


def test_nearness_is_the_cosine_whatever_the_length() -> None:
    queries = np.array([[1, 0], [0, 0]], dtype=np.float32)
    gallery = np.array([[5, 0], [0, 0.1], [-1, -1]], dtype=np.float32)
    found = cosine(queries, gallery)
    np.testing.assert_allclose(found, [[1, 0, -(0.5**0.5)], [0, 0, 0]], atol=1e-6)
    assert found.dtype == np.float32


def test_features_that_point_to_their_class_find_it() -> None:
    labels = np.arange(40) % 4
    rng = np.random.default_rng(0)
    apart = np.eye(4)[labels] + 0.01 * rng.standard_normal((40, 4))
    features = apart.astype(np.float32)
    order = np.argsort(-cosine(features[:8], features[8:]), axis=1)
    found = retrieval_metrics(order, labels[:8], labels[8:])
    assert found["recall_at_1"] == found["mean_average_precision"] == 1.0
    assert found["chance"] == found["chance_recall_at_1"] == pytest.approx(0.25)
    assert "recall_at_20" in found
    assert "recall_at_50" not in found  # the gallery has 32


def test_every_video_is_asked_for_and_its_nearest_are_listed(
    tmp_path: Path, actions: Manifest, small: dict[str, object]
) -> None:
    config = RetrieveConfig.model_validate({**small, "retrieval": {"clips": 2}})
    train, test = actions.select("train", 1), actions.select("test", 1)
    metrics = retrieve(config, None, train, test, tmp_path, Unwatched())
    assert (metrics["videos"], metrics["gallery"]) == (len(test), len(train))
    recalls = [metrics[f"recall_at_{k}"] for k in KS if k <= len(train)]
    assert recalls == sorted(recalls)
    with (tmp_path / "neighbours.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["video"] for row in rows)) == [v.path for v in test.videos]
    first = [row for row in rows if row["rank"] == "1"]
    right = [row["label"] == row["neighbour_label"] for row in first]
    assert metrics["recall_at_1"] == pytest.approx(np.mean(right))
    nearness = [float(row["cosine"]) for row in rows if row["video"] == rows[0]["video"]]
    assert nearness == sorted(nearness, reverse=True)
    assert {row["neighbour"] for row in rows} <= {video.path for video in train.videos}
    assert retrieve(config, None, train, test, tmp_path, Unwatched()) == metrics
