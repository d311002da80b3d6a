"""What a study's cells say about its arms: means over seeds, and differences to a baseline.

Seeds are the independent replicates. Splits of one seed share a pretraining, so they are averaged
first: nine cells of three seeds and three splits are three values, not nine. A seed counts once all
its splits are there, because splits differ in difficulty; what is missing is counted, never
averaged away.
"""

import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd

from rotlab.planning.names import unknown
from rotlab.reporting.statistics import Difference, Estimate, mean_interval, welch
from rotnet.errors import UserError

SCRATCH: Mapping[str, Any] = {"init": "scratch"}
RANDOM: Mapping[str, Any] = {"init": "random-frozen"}
UNTRAINED = (SCRATCH, RANDOM)  # what arms are set against unless something else is asked for
MAIN_METRICS = ("accuracy", "recall_at_1", "val_accuracy")  # a measure's own is the first it has
BESIDE = {"recall_at_1": ("mean_average_precision",)}  # metrics that are shown with another one
_PRETEXT_METRICS = ("val_accuracy", "accuracy")
_DONE = ("FINISHED", "REUSED")

Record = Mapping[Hashable, Any]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One arm on one target.

    Args:
        arm: axis -> value, without the axes that it does not have.
        cells: how many are planned.
        missing: how many of them have no result.
        seed_means: one value for each seed of which no cell is missing.
        estimate: their mean; None where there is no whole seed.
        pretext: modality, or "" where there is but one -> mean held-out accuracy of the
            pretraining.
        beside: metric -> its mean over whole seeds, of those shown beside the main one.
    """

    arm: Mapping[str, Any]
    cells: int
    missing: int
    seed_means: tuple[float, ...]
    estimate: Estimate | None
    pretext: Mapping[str, float]
    beside: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contrast:
    """An arm against a baseline, all else equal.

    Args:
        treatment: axis -> value, of the axes that the baseline names, such as init: rotation.
        baseline: axis -> value, such as init: scratch.
        setting: axis -> value, of the other axes on which the study's arms differ.
        difference: the arm's mean minus the baseline's; None where either has no whole seed.
        without: which of the two has none, "arm" or "baseline".
    """

    treatment: Mapping[str, Any]
    baseline: Mapping[str, Any]
    setting: Mapping[str, Any]
    difference: Difference | None
    without: tuple[str, ...]


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


def compare(
    frame: pd.DataFrame, metric: str | None = None, baseline: Mapping[str, Any] | None = None
) -> list[Comparison]:
    """Return what a study's cells say, one comparison for each target and measure.

    Args:
        frame: as `rotlab.tracking.query.results` returns it.
        metric: name of the column to compare; None takes each measure's own: accuracy,
            recall_at_1 of a retrieval, val_accuracy of a pretraining.
        baseline: axis -> value; every other arm is set against the arm that has these values and
            is equal to it on all other axes that it has. None takes init scratch, or the random
            network where none is trained from scratch.

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
    groups = _group(frame.to_dict("records"), lambda record: (record["target"], record["measure"]))
    return [
        _comparison(records, target, measure, metric, axes, metrics, baseline)
        for (target, measure), records in groups.items()
    ]


def varying_axes(arms: Iterable[ArmSummary], axes: Iterable[str]) -> tuple[str, ...]:
    """Return the axes on which arms that have them differ."""
    held = {axis: {_text(arm.arm[axis]) for arm in arms if axis in arm.arm} for axis in axes}
    return tuple(axis for axis, values in held.items() if len(values) > 1)


def _comparison(
    records: Sequence[Record],
    target: str,
    measure: str,
    metric: str | None,
    axes: tuple[str, ...],
    metrics: Sequence[str],
    baseline: Mapping[str, Any] | None,
) -> Comparison:
    metric = metric or main_metric(records)
    by_arm = _group(records, lambda record: tuple(_text(record[axis]) for axis in axes))
    instead = () if any(_has(each, metric) for each in records) else _held(records, metrics)
    arms = tuple(
        _summary(cells, metric, axes, metrics, is_lacking=bool(instead))
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
        contrasts=_contrasts(arms, axes, _untrained(arms) if baseline is None else baseline),
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


def _untrained(arms: Sequence[ArmSummary]) -> Mapping[str, Any]:
    held = (one for one in UNTRAINED if any(has_values(arm, one) for arm in arms))
    return next(held, SCRATCH)


def _held(records: Sequence[Record], metrics: Sequence[str]) -> tuple[str, ...]:
    """The cells' own metrics: those of any that ended well, less their pretext's."""
    return tuple(
        metric
        for metric in metrics
        if not metric.startswith("pretext.") and any(_has(each, metric) for each in records)
    )


def _summary(
    cells: Sequence[Record],
    metric: str,
    axes: tuple[str, ...],
    metrics: Sequence[str],
    *,
    is_lacking: bool,
) -> ArmSummary:
    whole = _seed_means(cells, metric)
    beside = {each: _seed_means(cells, each) for each in BESIDE.get(metric, ())}
    ended = sum(record["state"] in _DONE for record in cells)
    known = ended if is_lacking else sum(_has(record, metric) for record in cells)
    return ArmSummary(
        arm={axis: cells[0][axis] for axis in axes if cells[0][axis] is not None},
        cells=len(cells),
        missing=len(cells) - known,
        seed_means=whole,
        estimate=mean_interval(whole) if whole else None,
        pretext=_pretext(cells, metrics),
        beside={each: math.fsum(means) / len(means) for each, means in beside.items() if means},
    )


def _seed_means(cells: Sequence[Record], metric: str) -> tuple[float, ...]:
    """A value for each seed of which no cell lacks the metric."""
    seeds = _group(cells, lambda record: None if pd.isna(record["seed"]) else int(record["seed"]))
    values = [[_value(record, metric) for record in of_seed] for of_seed in seeds.values()]
    return tuple(
        math.fsum(present) / len(present)
        for of_seed in values
        if len(present := _present(of_seed)) == len(of_seed)
    )


def _pretext(cells: Sequence[Record], metrics: Sequence[str]) -> dict[str, float]:
    """Return the pretext's mean accuracy over seeds, by modality. Splits share a pretraining."""
    for wanted in _PRETEXT_METRICS:
        found: dict[str, float] = {}
        for metric in metrics:
            if not (metric.startswith("pretext.") and metric.endswith(f".{wanted}")):
                continue
            of_seed = {
                record["seed"]: _value(record, metric) for record in cells if _has(record, metric)
            }
            if present := _present(of_seed.values()):
                modality = metric.removeprefix("pretext.").removesuffix(wanted).rstrip(".")
                found[modality] = math.fsum(present) / len(present)
        if found:
            return found
    return {}


def _check_baseline(
    baseline: Mapping[str, Any], frame: pd.DataFrame, axes: tuple[str, ...]
) -> None:
    for axis, value in baseline.items():
        if axis not in axes:
            raise UserError(unknown("axis", axis, axes))
        held = list(dict.fromkeys(_text(each) for each in frame[axis] if each is not None))
        if _text(value) not in held:
            raise UserError(f"no arm has {axis}={_text(value)}; there are {', '.join(held)}")
    together = (
        all(_text(record[axis]) == _text(value) for axis, value in baseline.items())
        for record in frame.to_dict("records")
    )
    if not any(together):
        said = " and ".join(f"{axis}={_text(value)}" for axis, value in baseline.items())
        raise UserError(f"no arm has {said}, all at once")


def _contrasts(
    arms: Sequence[ArmSummary], axes: tuple[str, ...], baseline: Mapping[str, Any]
) -> tuple[Contrast, ...]:
    others = [axis for axis in axes if axis not in baseline]
    bases = [arm for arm in arms if has_values(arm, baseline)]
    treated = [
        arm
        for arm in arms
        if not has_values(arm, baseline) and any(axis in arm.arm for axis in baseline)
    ]
    shown = varying_axes(treated, others)
    return tuple(
        _contrast(arm, base, baseline, shown)
        for arm in treated
        for base in bases
        if all(
            axis not in base.arm or _text(base.arm[axis]) == _text(arm.arm.get(axis))
            for axis in others
        )
    )


def _contrast(
    arm: ArmSummary, base: ArmSummary, baseline: Mapping[str, Any], shown: Sequence[str]
) -> Contrast:
    without = tuple(
        name for name, side in (("arm", arm), ("baseline", base)) if side.estimate is None
    )
    return Contrast(
        treatment={axis: arm.arm[axis] for axis in baseline if axis in arm.arm},
        baseline=baseline,
        setting={axis: arm.arm[axis] for axis in shown if axis in arm.arm},
        difference=None if without else welch(arm.seed_means, base.seed_means),
        without=without,
    )


def has_values(arm: ArmSummary, values: Mapping[str, Any]) -> bool:
    """Say whether an arm has all of these: axis -> value."""
    return all(
        axis in arm.arm and _text(arm.arm[axis]) == _text(value) for axis, value in values.items()
    )


def _value(record: Record, metric: str) -> float | None:
    """Return a cell's value, None where the cell has not ended well or has none."""
    value = record.get(metric)
    return None if record["state"] not in _DONE or pd.isna(value) else float(value)


def _has(record: Record, metric: str) -> bool:
    return _value(record, metric) is not None


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and not math.isnan(value)]


def _group(records: Iterable[Record], key: Callable[[Record], Key]) -> dict[Key, list[Record]]:
    groups: dict[Key, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
