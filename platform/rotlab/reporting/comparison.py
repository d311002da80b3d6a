"""What a study's cells say about its arms: means over seeds, and differences to a baseline.

Chains of stages are the independent replicates: seeds, where no stage is shared between them.
Splits of one seed share a pretraining, so they are averaged first: nine cells of three seeds and
three splits are three values, not nine. A seed counts once all its splits are there, because splits
differ in difficulty; what is missing is counted, never averaged away.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pandas as pd

from rotlab.planning.plan.baselines import untrained
from rotlab.planning.space.names import unknown
from rotlab.reporting.arms import BESIDE, ArmSummary, as_text, summarise, value_of
from rotlab.reporting.chains import Record
from rotlab.reporting.contrasts import Contrast, contrasts_of
from rotnet.errors import UserError

ELSEWHERE = (
    "BESIDE"  # the state of a row that holds other people's numbers, which are never compared
)
MAIN_METRICS = ("accuracy", "recall_at_1", "val_accuracy")  # a measure's own is the first it has
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All arms on one target, by one measure.

    Args:
        target: name of the data set.
        measure: such as "finetune".
        metric: what the numbers are.
        axes: in the order of the search space.
        arms: in the order of the plan.
        contrasts: against the baseline; empty where no arm is one.
        chance: metric -> what guessing gives, where the study says so.
        instead: the metrics that cells have where none that ended has this one; else empty.
        asked: the baseline, where the reader named one.
        looks: how looks at held-out videos chose the number of seeds; empty where none did.
    """

    target: str
    measure: str
    metric: str
    axes: tuple[str, ...]
    arms: tuple[ArmSummary, ...]
    contrasts: tuple[Contrast, ...]
    chance: Mapping[str, float]
    instead: tuple[str, ...] = ()
    asked: Mapping[str, Any] | None = None
    looks: Mapping[str, Any] = field(default_factory=dict)


def compare(
    frame: pd.DataFrame,
    metric: str | None = None,
    baseline: Mapping[str, Any] | None = None,
    test_share: float | None = None,
) -> list[Comparison]:
    """Return what a study's cells say, one comparison for each target and measure.

    Args:
        frame: as `rotlab.tracking.query.results` returns it; rows of other people's numbers, of
            state BESIDE, are passed over.
        metric: name of the column to compare; None takes each measure's own: accuracy,
            recall_at_1 of a retrieval, val_accuracy of a pretraining.
        baseline: axis -> value; every other arm is set against the arm that has these values and
            is equal to it on all other axes that it has. None takes init scratch, or the random
            network where none is trained from scratch.
        test_share: of the videos that each split tests on, where splits are drawn at random and not
            official: arms of but one seed are then compared over splits.

    Raises:
        UserError: if there are results, but none has this metric; if the baseline names an axis
            that the study does not have, or values that no arm has, or none has all at once.
    """
    metrics: list[str] = frame.attrs["metrics"]
    if metrics and metric is not None and metric not in metrics:
        raise UserError(unknown("metric", metric, metrics))
    axes: tuple[str, ...] = tuple(frame.attrs["axes"])
    if baseline is not None:
        _check_baseline(baseline, frame, axes)
    own = frame[frame["state"] != ELSEWHERE].to_dict("records")
    groups = _group(own, lambda record: (record["target"], record["measure"]))
    looks = frame.attrs.get("looks", {})
    found = [
        _comparison(records, target, measure, metric, axes, metrics, baseline, test_share)
        for (target, measure), records in groups.items()
    ]
    return [replace(one, looks=looks) for one in found]


def _comparison(
    records: Sequence[Record],
    target: str,
    measure: str,
    metric: str | None,
    axes: tuple[str, ...],
    metrics: Sequence[str],
    baseline: Mapping[str, Any] | None,
    test_share: float | None,
) -> Comparison:
    metric = metric or main_metric(records)
    by_arm = _group(records, lambda record: tuple(as_text(record[axis]) for axis in axes))
    instead = () if any(_has(each, metric) for each in records) else _held(records, metrics)
    arms = tuple(
        summarise(cells, metric, axes, metrics, is_lacking=bool(instead))
        for cells in by_arm.values()
    )
    shown = () if instead else (metric, *BESIDE.get(metric, ()))
    chance = {each: _chance(records, each) for each in shown}
    return Comparison(
        target=target,
        measure=measure,
        metric=metric,
        axes=axes,
        arms=arms,
        contrasts=contrasts_of(
            arms,
            axes,
            untrained([arm.arm for arm in arms]) if baseline is None else baseline,
            test_share,
        ),
        chance={each: value for each, value in chance.items() if value is not None},
        instead=instead,
        asked=baseline,
    )


def main_metric(records: Sequence[Record]) -> str:
    """Return the metric that cells of one measure are compared by unless another is asked for."""
    present = (each for each in MAIN_METRICS if any(_has(record, each) for record in records))
    return next(present, MAIN_METRICS[0])


def _chance(records: Sequence[Record], metric: str) -> float | None:
    """What guessing gives: a metric's own figure, or the one of accuracies of one guess."""
    own = _present(record.get(f"chance_{metric}") for record in records)
    if not own and "accuracy" in metric and not metric.startswith(("top", "pretext.")):
        own = _present(record.get("chance") for record in records)
    return math.fsum(own) / len(own) if own else None


def _held(records: Sequence[Record], metrics: Sequence[str]) -> tuple[str, ...]:
    """The cells' own metrics: those of any that ended well, less their pretext's."""
    return tuple(
        metric
        for metric in metrics
        if not metric.startswith("pretext.") and any(_has(each, metric) for each in records)
    )


def _check_baseline(
    baseline: Mapping[str, Any], frame: pd.DataFrame, axes: tuple[str, ...]
) -> None:
    for axis, value in baseline.items():
        if axis not in axes:
            raise UserError(unknown("axis", axis, axes))
        held = list(dict.fromkeys(as_text(each) for each in frame[axis] if each is not None))
        if as_text(value) not in held:
            raise UserError(f"no arm has {axis}={as_text(value)}; there are {', '.join(held)}")
    together = (
        all(as_text(record[axis]) == as_text(value) for axis, value in baseline.items())
        for record in frame.to_dict("records")
    )
    if not any(together):
        said = " and ".join(f"{axis}={as_text(value)}" for axis, value in baseline.items())
        raise UserError(f"no arm has {said}, all at once")


def _has(record: Record, metric: str) -> bool:
    return value_of(record, metric) is not None


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and not math.isnan(value)]


def _group(records: Iterable[Record], key: Callable[[Record], Key]) -> dict[Key, list[Record]]:
    groups: dict[Key, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups
