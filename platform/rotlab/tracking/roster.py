"""The cells that a study plans, as tags of its MLflow run: so MLflow knows what is missing."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rotlab.planning.plan.decisions import Awaited
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell

NULL = "none"  # how an axis's value null is told: of an axis that is not read there is no value
BASELINE_TAG = (
    "rotlab.baseline"  # the arm around which axes vary one at a time, {} where there is none
)
LOOKS_TAG = "rotlab.looks"  # at which seeds were added, {} where all arms have all
_PREFIX = "rotlab.cells."
_PART_CHARS = 5000  # the least that any MLflow backend takes in a tag


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell as the roster knows it: what it is, not how it comes about.

    Args:
        key: its identity within the study.
        arm: axis -> value, only the axes that some stage of the cell reads.
        target: name of the data set it is measured on.
        replicate: "seed", and "split" where the target has splits.
        measure: what is measured.
    """

    key: str
    arm: Mapping[str, Any]
    target: str
    replicate: Mapping[str, int]
    measure: str


@dataclass(frozen=True, slots=True)
class Roster:
    """What a study compares: its axes, in the order of the search space, and its cells."""

    axes: tuple[str, ...]
    cells: tuple[PlannedCell, ...]


def cell_key(
    arm: Mapping[str, Any], target: str, replicate: Mapping[str, int], measure: str
) -> str:
    """Return a cell's identity in a study: equal for equal arm, target, replicate and measure."""
    return _key(canonical(arm), canonical(target), canonical(replicate), canonical(measure))


def _key(*fields: str) -> str:
    return hashlib.sha256(f"[{','.join(fields)}]".encode()).hexdigest()[:16]


def looks_of(plan: Plan) -> dict[str, Any]:
    """Return how looks chose the number of seeds: "at" how many, and by which "metrics"."""
    families = tuple(plan.families.values())
    if not families:
        return {}
    metrics = dict.fromkeys(f"{one.metric} of {one.measure}" for one in families)
    return {"at": list(families[0].at), "metrics": list(metrics)}


def roster_tags(axes: Iterable[str], cells: Iterable[Cell | Awaited]) -> dict[str, str]:
    """Return the tags that hold a roster, for `read_roster`.

    Arms, targets and so on are listed once and cells name them by number, so that 432 cells take
    about 8,000 characters; they are cut into parts that fit a tag.
    """
    tables: tuple[dict[str, int], ...] = ({}, {}, {}, {})
    rows = [
        [
            table.setdefault(canonical(value), len(table))
            for table, value in zip(tables, fields, strict=True)
        ]
        for fields in ((cell.arm, cell.target, cell.replicate, cell.measure) for cell in cells)
    ]
    arms, targets, replicates, measures = ([json.loads(text) for text in table] for table in tables)
    text = json.dumps(
        {
            "axes": list(axes),
            "arms": arms,
            "targets": targets,
            "replicates": replicates,
            "measures": measures,
            "cells": rows,
        },
        separators=(",", ":"),
    )
    parts = [text[start : start + _PART_CHARS] for start in range(0, len(text), _PART_CHARS)]
    return {f"{_PREFIX}parts": str(len(parts))} | {
        f"{_PREFIX}{number}": part for number, part in enumerate(parts)
    }


def read_roster(tags: Mapping[str, str]) -> Roster:
    """Return the roster that tags hold.

    Raises:
        KeyError: if a part is missing.
        ValueError: if the parts are not whole.
    """
    parts = int(tags[f"{_PREFIX}parts"])
    held = json.loads("".join(tags[f"{_PREFIX}{number}"] for number in range(parts)))
    tables = [held[name] for name in ("arms", "targets", "replicates", "measures")]
    texts = [[canonical(value) for value in table] for table in tables]  # once, not for every cell
    cells = []
    for row in held["cells"]:
        key = _key(*(text[number] for text, number in zip(texts, row, strict=True)))
        cells.append(PlannedCell(key, *(t[number] for t, number in zip(tables, row, strict=True))))
    return Roster(tuple(held["axes"]), tuple(cells))


def canonical(value: object) -> str:
    """Return a value as JSON, equal for equal values whatever the order of their keys."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
