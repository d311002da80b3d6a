"""Retrieval: is a test video near training videos of its class, by features nobody has tuned?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotnet.config import RetrieveConfig
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError
from rotnet.evaluation.features import last_vector, video_features
from rotnet.evaluation.frozen import check_pair, frozen_network
from rotnet.evaluation.inputs import labels_of, network_input, scoring_loader
from rotnet.evaluation.ranking import (
    chance_mean_average_precision,
    chance_recall_at,
    mean_average_precision,
    recall_at,
)
from rotnet.learning.device import find_device
from rotnet.learning.table import write_table
from rotnet.learning.watch import Watch
from rotnet.models.net import VideoNet

NEIGHBOURS = "neighbours.csv"
KS = (1, 5, 10, 20, 50)
LISTED = 10  # neighbours of each test video in the table


def retrieve(
    config: RetrieveConfig,
    init: Path | None,
    train: VideoSet,
    test: VideoSet,
    folder: Path,
    watch: Watch,
    look: Callable[[VideoNet], None] | None = None,
) -> dict[str, float]:
    """Rank all training videos by how near each test video they are, and say how well.

    A video's features are what the network's head would see (the last stage, averaged over time and
    space), averaged over its evenly spread clips; nearness is the cosine. Nothing is fitted, and no
    video is left out. Equally near videos stay in the training part's order.

    Args:
        config: clip, views, model, clips per video.
        init: folder of a saved network; None is a random one: see
            `rotnet.evaluation.frozen.frozen_network`.
        train: the gallery.
        test: the queries.
        folder: gets neighbours.csv: the 10 nearest videos of every test video.
        watch: may stop it between batches.
        look: is given the network once it has been measured.

    Returns:
        recall_at_<k> for k in 1, 5, 10, 20, 50, as far as the gallery reaches: the share of test
        videos with a video of their class among the k nearest; mean_average_precision; what both
        are on average for random orders (exact: see `rotnet.evaluation.ranking`) as
        chance_recall_at_<k> and chance_mean_average_precision; chance, that of k = 1; videos and
        gallery, counts.

    Raises:
        CheckpointError: if the network cannot be read, does not fit or has diverged.
        DataError: if the two sets are not the sides of one split, there is no video, or the network
            may have learnt from the test videos.
        Stopped: if the watch wished so.
    """
    check_pair(train, test)
    device = find_device()
    model = frozen_network(config, init, train, watch)

    def features(videos: VideoSet) -> NDArray[np.float32]:
        found = video_features(
            last_vector(model),
            scoring_loader(videos, config.clip, config.modality, config.runtime),
            network_input(config.modality, config.views, device),
            clips=config.retrieval.clips,
            batch_size=config.runtime.eval_batch,
            watch=watch,
        )
        return found["features"]

    try:
        nearness = cosine(features(test), features(train))
    except CheckpointError as error:
        raise CheckpointError(f"{init or 'the random network'}: {error}") from None
    order = np.argsort(-nearness, axis=1, kind="stable")
    _write_neighbours(folder / NEIGHBOURS, test, train, nearness, order)
    if look is not None:
        look(model)
    return retrieval_metrics(
        order, labels_of(test.videos, test.classes), labels_of(train.videos, train.classes)
    )


def cosine(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of every query (Q, D) with every item (N, D), (Q, N); 0 for no length."""
    return _unit(queries) @ _unit(gallery).T


def retrieval_metrics(
    order: NDArray[np.int64], queries: NDArray[np.int64], gallery: NDArray[np.int64]
) -> dict[str, float]:
    """Return the figures of `retrieve`.

    Args:
        order: (Q, N), for each query the gallery's indices, nearest first.
        queries: (Q,), labels.
        gallery: (N,), labels.
    """
    right = gallery[order] == queries[:, None]
    found: dict[str, float] = {}
    for k in KS:
        if k <= len(gallery):
            found[f"recall_at_{k}"] = recall_at(right, k)
            found[f"chance_recall_at_{k}"] = chance_recall_at(queries, gallery, k)
    return {
        **found,
        "mean_average_precision": mean_average_precision(right),
        "chance_mean_average_precision": chance_mean_average_precision(queries, gallery),
        "chance": found["chance_recall_at_1"],
        "videos": float(len(queries)),
        "gallery": float(len(gallery)),
    }


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def _write_neighbours(
    path: Path,
    queries: VideoSet,
    gallery: VideoSet,
    nearness: NDArray[np.float32],
    order: NDArray[np.int64],
) -> None:
    write_table(
        path,
        ["video", "label", "rank", "neighbour", "neighbour_label", "cosine"],
        (
            [
                video.path,
                video.label,
                rank,
                gallery.videos[item].path,
                gallery.videos[item].label,
                f"{nearness[row, item]:.6f}",
            ]
            for row, video in enumerate(queries.videos)
            for rank, item in enumerate(order[row, :LISTED].tolist(), 1)
        ),
    )
