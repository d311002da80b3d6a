"""On which test videos each arm was right, from the scores in the store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rotlab.reporting.arms import ArmSummary, as_text
from rotlab.reporting.chains import Chain, Record
from rotlab.reporting.comparison import Comparison
from rotlab.reporting.contrasts import Contrast
from rotlab.reporting.videos import Judged, TestSet, with_test_set
from rotlab.store.store import Store
from rotlab.tracking.query import STAGES
from rotnet.data.framestore.layout import is_url
from rotnet.data.manifest import Manifest
from rotnet.errors import UserError
from rotnet.evaluation.scores import SCORES, Scores

METRIC = "accuracy"  # the one metric that is a mean over videos

Array = NDArray[np.float64]


def with_test_sets(
    comparison: Comparison, frame: pd.DataFrame, store: Store, study: str, data: Path | str
) -> Comparison:
    """Return a comparison whose contrasts say what holds for other test videos of the kind.

    Args:
        comparison: by accuracy; one by another metric is returned as it is.
        frame: that it was made from.
        store: that holds the scores of its cells.
        study: its name.
        data: folder of prepared sets; the target's tells which videos are of one group.

    Raises:
        UserError: if the store or the data set has not what is needed.
    """
    if comparison.metric != METRIC or comparison.instead:
        return comparison
    saved = store.study(study)
    if saved is None:
        raise UserError(f"store {store.name} holds no study {study!r}, so no scores of it either")
    kinds = {stage["key"]: stage["kind"] for stage in saved.plan["stages"]}
    if is_url(data):
        raise UserError(
            f"groups of videos are read from a folder, not from {data}: give --data one"
        )
    manifest = Manifest.load(Path(data) / comparison.target, whole=False)
    groups = {video.path: video.group or video.path for video in manifest.videos}
    own = frame[(frame["target"] == comparison.target) & (frame["measure"] == comparison.measure)]
    cells = own.to_dict("records")
    held: dict[str, tuple[Array, Array]] = {}
    names = {name: place for place, name in enumerate(sorted(set(groups.values())))}
    for cell in cells:
        key = (cell[STAGES] or ("",))[-1]
        if key in kinds and cell[METRIC] == cell[METRIC]:
            held[key] = _by_group(store, key, kinds[key], groups, names)
    judged = [_judged(arm, cells, comparison.axes, held) for arm in comparison.arms]
    return replace(
        comparison, contrasts=tuple(_wider(contrast, judged) for contrast in comparison.contrasts)
    )


def _wider(contrast: Contrast, judged: Sequence[Judged | None]) -> Contrast:
    first, second = (judged[place] for place in contrast.arms)
    if contrast.difference is None or first is None or second is None:
        return contrast
    generator = np.random.default_rng(0)
    test = TestSet.of(first, second, generator)
    return replace(contrast, elsewhere=with_test_set(contrast.difference, test))


def _judged(
    arm: ArmSummary,
    cells: Sequence[Record],
    axes: Sequence[str],
    held: Mapping[str, tuple[Array, Array]],
) -> Judged | None:
    """Return what an arm's chains have right; None where the scores of one are not there."""
    own = [
        cell
        for cell in cells
        if all(as_text(cell[axis]) == as_text(arm.arm.get(axis)) for axis in axes)
        and cell[STAGES]
        and cell[STAGES][-1] in held
    ]
    by_chain = [_by_split(chain, own, held) for chain in arm.chains]
    if not by_chain or any(one.keys() != by_chain[0].keys() or not one for one in by_chain):
        return None
    right = np.stack([np.stack([right for right, _ in one.values()]) for one in by_chain])
    return Judged(right, np.stack([videos for _, videos in by_chain[0].values()]))


def _by_split(
    chain: Chain, cells: Sequence[Record], held: Mapping[str, tuple[Array, Array]]
) -> dict[int, tuple[Array, Array]]:
    """Split -> videos right and videos there, by group; the mean of a chain's replicates."""
    found: dict[int, list[tuple[Array, Array]]] = {}
    for cell in cells:
        if set(cell[STAGES]) <= chain.stages:
            split: int = 0 if pd.isna(cell["split"]) else int(cell["split"])
            found.setdefault(split, []).append(held[cell[STAGES][-1]])
    return {
        each: (np.mean([right for right, _ in found[each]], axis=0), found[each][0][1])
        for each in sorted(found)
    }


def _by_group(
    store: Store, key: str, kind: str, groups: Mapping[str, str], names: Mapping[str, int]
) -> tuple[Array, Array]:
    record = store.record(key, kind)
    if record is None or SCORES not in record.files:
        raise UserError(f"store {store.name} holds no scores of {kind} {key[:12]}")
    scores = Scores.load(store.result_folder(record))
    if lost := [video for video in scores.videos if video not in groups]:
        raise UserError(
            f"{kind} {key[:12]} was scored on {lost[0]!r}, which the prepared set does not have"
        )
    places = np.array([names[groups[video]] for video in scores.videos])
    is_right = scores.probabilities.argmax(axis=1) == scores.labels
    size = len(names)
    return (
        np.bincount(places[is_right], minlength=size).astype(float),
        np.bincount(places, minlength=size).astype(float),
    )
