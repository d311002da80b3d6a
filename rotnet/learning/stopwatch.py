"""How long the parts of training steps take: a meter that is the training's watch as well."""

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from rotnet.learning.meter import PARTS, Part
from rotnet.learning.watch import StopWish, Unwatched

WARM, TIMED, TRACED = 4, 10, 3  # steps that are not measured, that are, and that are traced


@dataclass(frozen=True)
class Times:
    """Where the time of some steps went.

    Args:
        steps: how many.
        seconds: of each part, all steps together.
        busy: the share of the traced steps' time in which a CUDA device computed; None on a CPU.
    """

    steps: int
    seconds: Mapping[Part, float]
    busy: float | None

    @property
    def step_s(self) -> float:
        """Seconds of a step, the mean."""
        return sum(self.seconds.values()) / self.steps


class Stopwatch(Unwatched):
    """Times some steps, traces some more, and then has the training stop.

    A part ends where the next begins, so that the parts are the step. A CUDA device's parts lie
    between events on its stream: nothing waits for it, and what it waits for counts.

    Args:
        device: that is computed on.
        trace: gets the traced steps, in Chrome's format.
        warm: steps before the first that is timed.
        timed: steps, at least 1.
        traced: steps, at least 1, which are slower for it.
    """

    def __init__(
        self,
        device: torch.device,
        trace: Path,
        warm: int = WARM,
        timed: int = TIMED,
        traced: int = TRACED,
    ) -> None:
        self._device, self._trace = device, trace
        self._timed = range(warm, warm + timed)
        self._end = warm + timed + traced
        self._step = -1
        self._marks: list[tuple[Part, float | torch.cuda.Event]] = []
        self._range: AbstractContextManager[object] | None = None
        self._profiler: profile | None = None
        self._busy: float | None = None
        self._traced_from = 0.0

    def enter(self, part: Part) -> None:
        """Note that a part begins; "load" begins a step."""
        if part == "load":
            self._step += 1
            self._begin_step()
        if self._step in self._timed:
            self._marks.append((part, self._now()))
        elif self._profiler is not None:
            self._end_range()
            self._range = record_function(part)
            self._range.__enter__()

    def should_stop(self) -> StopWish:
        """Wish to stop after the last step that is traced."""
        if self._step + 1 < self._end:
            return "no"
        self._end_trace()
        return "now"

    def times(self) -> Times:
        """Return what was found, once the training has stopped.

        Raises:
            ValueError: if it stopped by itself before all steps were taken.
        """
        if self._busy is None:
            raise ValueError("no step was traced: the training has not come so far")
        seconds: dict[Part, float] = dict.fromkeys(PARTS, 0.0)
        for (part, begin), (_, end) in zip(self._marks, self._marks[1:], strict=False):
            seconds[part] += _between(begin, end)
        return Times(len(self._timed), seconds, self._busy if self._is_cuda else None)

    @property
    def _is_cuda(self) -> bool:
        return self._device.type == "cuda"

    def _begin_step(self) -> None:
        if self._step == self._timed.start:
            self._wait()
            if self._is_cuda:
                torch.cuda.reset_peak_memory_stats(self._device)
        if self._step == self._timed.stop:
            self._marks.append(("load", self._now()))
            self._wait()
            os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # its news are none for who trains
            activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * self._is_cuda
            self._profiler = profile(activities=activities)
            self._profiler.__enter__()
            self._traced_from = perf_counter()

    def _end_trace(self) -> None:
        if self._profiler is None:
            return
        self._end_range()
        self._wait()
        seconds = perf_counter() - self._traced_from
        self._profiler.__exit__(None, None, None)
        self._profiler.export_chrome_trace(str(self._trace))
        computed = [
            (one.time_range.start, one.time_range.end)
            for one in self._profiler.events()
            if one.device_type.name == "CUDA" and not one.is_user_annotation
        ]
        self._busy = covered(computed) / 1e6 / seconds

    def _end_range(self) -> None:
        if self._range is not None:
            self._range.__exit__(None, None, None)
            self._range = None

    def _now(self) -> float | torch.cuda.Event:
        if not self._is_cuda:
            return perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _wait(self) -> None:
        if self._is_cuda:
            torch.cuda.synchronize(self._device)


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return how much of an axis spans [start, end) cover together.

    Example:
        [0, 2) and [1, 3) cover 3.
    """
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _between(begin: float | torch.cuda.Event, end: float | torch.cuda.Event) -> float:
    """Return the seconds from one mark to the next."""
    if isinstance(begin, float) and isinstance(end, float):
        return end - begin
    if isinstance(begin, torch.cuda.Event) and isinstance(end, torch.cuda.Event):
        return begin.elapsed_time(end) / 1000
    raise TypeError(f"marks of two kinds: {begin!r} and {end!r}")
