"""What a study's cells say about each arm: independent values, their mean, what is missing."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from rotlab.planning.plan import baselines
from rotlab.reporting.chains import Chain, Record, chains_of
from rotlab.reporting.statistics import Estimate, mean_interval

BESIDE = {"recall_at_1": ("mean_average_precision",)}  # metrics that are shown with another one
DONE = ("FINISHED", "REUSED")
_PRETEXT_METRICS = ("val_accuracy", "accuracy")


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One arm on one target.

    Args:
        arm: axis -> value, without the axes that it does not have.
        cells: how many are planned.
        missing: how many of them have no result.
        chains: its independent values.
        estimate: their mean; None where there is none.
        pretext: modality, or "" where there is but one -> mean held-out accuracy of the
            pretraining.
        beside: metric -> its mean over chains, of those shown beside the main one.
        without: in words, each cell that has no result.
    """

    arm: Mapping[str, Any]
    cells: int
    missing: int
    chains: tuple[Chain, ...]
    estimate: Estimate | None
    pretext: Mapping[str, float]
    beside: Mapping[str, float] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    @property
    def seed_means(self) -> tuple[float, ...]:
        """One value for each independent chain: for each seed, where nothing else is shared."""
        return tuple(chain.value for chain in self.chains)


def summarise(
    cells: Sequence[Record],
    metric: str,
    axes: tuple[str, ...],
    metrics: Sequence[str],
    *,
    is_lacking: bool = False,
) -> ArmSummary:
    """Return what an arm's cells on one target say.

    Args:
        cells: records of a results frame, at least one.
        metric: what is compared.
        axes: all of the study.
        metrics: all that the frame has.
        is_lacking: no cell of the whole comparison has the metric, so none lacks it.
    """
    chains = chains_of(cells, partial(value_of, metric=metric))
    beside = {
        each: chains_of(cells, partial(value_of, metric=each)) for each in BESIDE.get(metric, ())
    }
    without = [
        cell
        for cell in cells
        if (cell["state"] not in DONE if is_lacking else value_of(cell, metric) is None)
    ]
    return ArmSummary(
        arm={axis: cells[0][axis] for axis in axes if cells[0][axis] is not None},
        cells=len(cells),
        missing=len(without),
        chains=chains,
        estimate=mean_interval([chain.value for chain in chains]) if chains else None,
        pretext=_pretext(cells, metrics),
        beside={name: _mean(one.value for one in held) for name, held in beside.items() if held},
        without=tuple(map(_in_words, without)),
    )


def has_values(arm: ArmSummary, values: Mapping[str, Any]) -> bool:
    """Say whether an arm has all of these: axis -> value."""
    return baselines.has_values(arm.arm, values)


def varying_axes(arms: Iterable[ArmSummary], axes: Iterable[str]) -> tuple[str, ...]:
    """Return the axes on which arms that have them differ."""
    held = list(arms)
    values = {axis: {as_text(arm.arm[axis]) for arm in held if axis in arm.arm} for axis in axes}
    return tuple(axis for axis, found in values.items() if len(found) > 1)


def value_of(record: Record, metric: str) -> float | None:
    """Return a cell's value, None where the cell has not ended well or has none."""
    value = record.get(metric)
    return None if record["state"] not in DONE or pd.isna(value) else float(value)


def as_text(value: object) -> str:
    """Return an axis value as JSON, for equal values equal."""
    return json.dumps(value, sort_keys=True)


def _in_words(record: Record) -> str:
    draws = {
        name: int(record[name])
        for name in record
        if isinstance(name, str)
        and (name in ("seed", "split") or name.startswith("seed."))
        and not pd.isna(record[name])
    }
    places = ", ".join(f"{name} {value}" for name, value in draws.items())
    return f"{places}: {str(record['state']).lower()}"


def _pretext(cells: Sequence[Record], metrics: Sequence[str]) -> dict[str, float]:
    """Return the pretext's mean accuracy over seeds, by modality. Splits share a pretraining."""
    for wanted in _PRETEXT_METRICS:
        found: dict[str, float] = {}
        for metric in metrics:
            if not (metric.startswith("pretext.") and metric.endswith(f".{wanted}")):
                continue
            of_seed = {record["seed"]: value_of(record, metric) for record in cells}
            present = [value for value in of_seed.values() if value is not None]
            if present:
                modality = metric.removeprefix("pretext.").removesuffix(wanted).rstrip(".")
                found[modality] = _mean(present)
        if found:
            return found
    return {}


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return math.fsum(held) / len(held)
