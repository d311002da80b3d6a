"""Which cells a filter selects: its names are found among columns, its values set against theirs.

A comparison with a value that is not there is never so: `rotations != 4` leaves out cells that have
no rotations. `none` is the value null of an axis, `is missing` is no value at all.
"""

import json
import math
import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, assert_never

import numpy as np
import pandas as pd

from rotlab.planning.space.names import unknown
from rotlab.tracking.expression import (
    Compare,
    Constant,
    Expression,
    Junction,
    Missing,
    Name,
    Negation,
    OneOf,
    parse,
    refusal,
)
from rotlab.tracking.query import STAGES
from rotlab.tracking.roster import NULL

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NAMED = ("study", "target", "measure")  # columns of which, as of axes, all values are known
_LISTED = 8


def select(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the cells for which a filter is so.

    Args:
        frame: as `rotlab.results` returns it.
        where: a filter; `rotlab.tracking.expression` has the language. Columns are named in full,
            or by their last parts where no other has the same.

    Raises:
        FilterError: if it cannot be read, or names a column, or a value of an axis, that there is
            not, or compares text with numbers.
    """
    mask = _Evaluation(frame, where).of(parse(where))
    chosen = frame[mask].reset_index(drop=True)
    chosen.attrs = dict(frame.attrs)
    return chosen


class _Evaluation:
    def __init__(self, frame: pd.DataFrame, text: str) -> None:
        self._frame = frame
        self._text = text
        self._columns = [str(name) for name in frame.columns if name != STAGES]
        self._closed = {*frame.attrs.get("axes", ()), *_NAMED}

    def of(self, tree: Expression) -> np.ndarray:
        match tree:
            case Junction(word, parts):
                masks = [self.of(part) for part in parts]
                joined = np.logical_and if word == "and" else np.logical_or
                return joined.reduce(masks)
            case Negation(inner):
                return ~self.of(inner)
            case Missing(name, negated):
                there = np.array([not _absent(value) for value in self._values(name)], bool)
                return there if negated else ~there
            case OneOf(left, among, negated):
                masks = [self._compare(Compare(left, "==", one)) for one in among]
                there = np.array([not _absent(value) for value in self._values(left)], bool)
                found = np.logical_or.reduce(masks)
                return there & ~found if negated else found
            case Compare():
                return self._compare(tree)
            case _:
                assert_never(tree)

    def _compare(self, tree: Compare) -> np.ndarray:
        self._check(tree.left, tree.right, tree.comparator)
        self._check(tree.right, tree.left, tree.comparator)
        pairs = zip(self._values(tree.left), self._values(tree.right), strict=True)
        return np.array([_holds(tree.comparator, left, right) for left, right in pairs], bool)

    def _check(self, side: Name | Constant, other: Name | Constant, comparator: str) -> None:
        """Refuse a value that could never be in a column."""
        if not (isinstance(side, Name) and isinstance(other, Constant)):
            return
        column, value = self._column(side), _meant(other)
        held = [_shown(one) for one in self._values(side) if not _absent(one)]
        if not held or value == NULL:
            return
        kinds = {_kind(one) for one in held}
        if _kind(value) not in kinds:
            names = {"text": "text", "number": "numbers", "flag": "true or false"}
            is_ = " and ".join(names[kind] for kind in sorted(kinds))
            raise refusal(
                self._text, other.position, f"{column} is {is_} ({_listed(held)}), not {value!r}"
            )
        ordered = comparator not in ("==", "!=")
        if column in self._closed and isinstance(value, str) and value not in held and not ordered:
            texts = [str(one) for one in dict.fromkeys(held)]
            raise refusal(self._text, other.position, unknown(f"value of {column}:", value, texts))

    def _values(self, side: Name | Constant) -> Sequence[Any]:
        if isinstance(side, Constant):
            return [_meant(side)] * len(self._frame)
        return [_shown(one) for one in self._frame[self._column(side)].tolist()]

    def _column(self, name: Name) -> str:
        if name.name in self._columns:
            return name.name
        found = [one for one in self._columns if one.endswith(f".{name.name}")]
        if len(found) == 1:
            return found[0]
        if found:
            why = f"{name.name!r} may be {' or '.join(found)}; write it in full"
        else:
            why = unknown("column", name.name, self._columns)
            if any(name.name == one for one in self._texts()):
                why = f"text is written in quotes: '{name.name}'"
        raise refusal(self._text, name.position, why)

    def _texts(self) -> Iterable[Hashable]:
        return (
            value
            for column in self._columns
            if column in self._closed
            for value in self._frame[column]
            if isinstance(value, str)
        )


def _holds(comparator: str, left: object, right: object) -> bool:
    if _absent(left) or _absent(right):
        return False
    if _kind(left) != _kind(right):
        return comparator == "!="
    return _OPERATORS[comparator](left, right)


def _meant(constant: Constant) -> object:
    """Return a value that was written; null goes by the name that it has in results."""
    return NULL if constant.value is None else constant.value


def _shown(value: object) -> object:
    """Return a cell's value as filters see it: sets as their JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def _kind(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "flag"
    return "text" if isinstance(value, str) else "number"


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _listed(values: Sequence[object]) -> str:
    distinct = list(dict.fromkeys(map(str, values)))
    more = ", ..." if len(distinct) > _LISTED else ""
    return ", ".join(distinct[:_LISTED]) + more
