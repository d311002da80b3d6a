"""How much work a stage is: what cost models are given, and what they say. Values only."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True, slots=True)
class Size:
    """What a cost model needs to know of the videos that a stage is given in a role.

    Args:
        videos: how many.
        classes: how many; 0 where unlabelled.
        source: of these numbers, in words.
    """

    videos: int
    classes: int
    source: str


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one stage.

    Args:
        amount: in the unit.
        unit: "flop", which takes as long as the device needs for it, or "second", where the kind
            knows its time on any device.
        like: whatever else the time hangs on. Of stages of one kind with equal `like`, the times
            are as the amounts.
        result_bytes: what its result takes on disk.
        precision: in which the device computes.
    """

    amount: float
    unit: Literal["flop", "second"] = "flop"
    like: Hashable = ()
    result_bytes: int = 0
    precision: Precision = "fp32"
