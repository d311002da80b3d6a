"""Which network stands for an arm: the one that is best on its own held-out videos, no test videos.

A candidate is what gave a cell its result: a fine-tuned network, or those that a fusion joins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Stage, is_held_out
from rotlab.store.record import Record
from rotlab.store.store import Store, StoreError
from rotnet.errors import UserError
from rotnet.evaluation.fuse import WEIGHTS
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.learning.table import read_table

ALONE, JOINED = "val_accuracy", "accuracy of the joined scores of held-out videos"
_WAYS_OUT = {
    "pretrain": "promote a fine-tuning that starts from it, or write it with `rotnet export`",
    "linear": "a regression on frozen features is no network; promote a fine-tuning",
    "retrieval": "nothing was trained there; promote a fine-tuning",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network, or several joined, that name actions.

    Args:
        key: of the fine-tuning, or of the fusion.
        kind: of that stage.
        metrics: that it is reported with; those of test videos are called "test.NAME".
        folders: name -> folder of each network.
        weights: name -> weight of each, summing to 1.
        of_logits: whether a mean is of outputs, or of probabilities.
        judged_by: what `value` is.
        value: how well it does on held-out videos; None where none were held out.
    """

    key: str
    kind: str
    metrics: Mapping[str, float]
    folders: Mapping[str, Path]
    weights: Mapping[str, float]
    of_logits: bool
    judged_by: str
    value: float | None


def candidate_of(key: str, plan: Plan, store: Store) -> Candidate:
    """Return what a stage has its result from.

    Args:
        key: of a fine-tuning, of a scoring of one, or of a fusion of such.
        plan: that holds the stage.
        store: that holds its result.

    Raises:
        UserError: if it is of another sort, or its result or files are not in the store.
    """
    stage = plan.stages[key]
    if stage.kind == "fuse":
        return _joined(stage, plan, store)
    network = _network_of(stage, plan)
    record = _record(network, store)
    scored = store.record(stage.key, stage.kind)
    return Candidate(
        network.key,
        network.kind,
        {**record.metrics, **(_of_test(scored) if scored and stage is not network else {})},
        {"network": store.result_folder(record)},
        {"network": 1.0},
        of_logits=False,
        judged_by=ALONE,
        value=record.metrics.get(ALONE),
    )


def best(candidates: Iterable[Candidate]) -> Candidate:
    """Return the candidate that is best on held-out videos; the first of equal ones.

    Raises:
        UserError: if there is none, or several that held-out videos do not tell apart.
    """
    found = list({one.key: one for one in candidates}.values())
    if not found:
        raise UserError("no cell that is meant has a result; see `rotlab status`")
    if len(found) == 1:
        return found[0]
    if len({one.judged_by for one in found}) > 1:
        raise UserError(
            "single networks and fusions are judged by different scores of held-out videos: choose "
            "between them, as with --where \"modality == 'rgb'\""
        )
    judged = [(one.value, one) for one in found if one.value is not None]
    if len(judged) < len(found):
        keys = ", ".join(one.key[:12] for one in found[:4]) + (", ..." if len(found) > 4 else "")
        raise UserError(
            f"{len(found) - len(judged)} of {len(found)} networks have learnt from all training "
            f"videos (finetune.final: train+val, or val_fraction: 0), and none is chosen by test "
            f"videos: name one by its KEY ({keys})"
        )
    return max(judged, key=lambda pair: pair[0])[1]


def _joined(stage: Stage, plan: Plan, store: Store) -> Candidate:
    record = _record(stage, store)
    scorings = {
        name: plan.stages[parent] for name, parent in stage.inputs.items() if not is_held_out(name)
    }
    networks = {name: _record(_network_of(one, plan), store) for name, one in scorings.items()}
    rule = str(record.config["fuse"]["rule"])
    weights = _weights(rule, tuple(networks), store.result_folder(record))
    places = {name: store.result_folder(_record(one, store)) for name, one in scorings.items()}
    return Candidate(
        stage.key,
        stage.kind,
        _of_test(record),
        {name: store.result_folder(one) for name, one in networks.items()},
        weights,
        of_logits=rule == "mean_logits",
        judged_by=JOINED,
        value=_held_out_accuracy(places, weights, of_logits=rule == "mean_logits"),
    )


def _of_test(record: Record) -> dict[str, float]:
    return {f"test.{name}": value for name, value in record.metrics.items()}


def _network_of(stage: Stage, plan: Plan) -> Stage:
    """The fine-tuning that a scoring is of."""
    if stage.kind == "finetune":
        return stage
    inputs = [plan.stages[key] for key in stage.inputs.values()]
    if stage.kind == "evaluate" and len(inputs) == 1 and inputs[0].kind == "finetune":
        return inputs[0]
    way_out = _WAYS_OUT.get(stage.kind, "promote a fine-tuning, or a scoring or fusion of some")
    raise UserError(f"{stage.kind} {stage.key[:12]} has no network that names actions: {way_out}")


def _record(stage: Stage, store: Store) -> Record:
    record = store.record(stage.key, stage.kind)
    if record is None:
        raise StoreError(
            f"{stage.kind} {stage.key[:12]} is not in {store.name}: run the study first, or give "
            "another --store"
        )
    return record


def _weights(rule: str, names: Sequence[str], folder: Path) -> dict[str, float]:
    if rule != "fitted":
        return dict.fromkeys(names, 1 / len(names))
    return {row["member"]: float(row["weight"]) for row in read_table(folder / WEIGHTS)}


def _held_out_accuracy(
    places: Mapping[str, Path], weights: Mapping[str, float], *, of_logits: bool
) -> float | None:
    """How often a fusion is right about the videos that all its members have held out."""
    if not all((place / VAL_SCORES).exists() for place in places.values()):
        return None
    held = {name: Scores.load(place, VAL_SCORES) for name, place in places.items()}
    common = sorted(set.intersection(*({*one.videos} for one in held.values())))
    if not common:
        return None
    parts: list[NDArray[np.float64]] = []
    truth = np.zeros(len(common), dtype=np.int64)
    for name, one in held.items():
        said = one.logits if of_logits else one.probabilities
        if said is None:
            return None
        rows = [one.videos.index(video) for video in common]
        parts.append(weights[name] * said[rows])
        truth = one.labels[rows]
    return float((np.sum(parts, axis=0).argmax(axis=1) == truth).mean())
