"""Why an attempt at a stage did not end well: causes, told from errors and from deaths. No Ray."""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rotnet.errors import UserError

# What the cause decides is in `rotlab.execution.conduct.retries`.
Cause = Literal[
    "bug",  # the stage raised an error, and would again
    "refused",  # likewise, one that its user can mend: of data, settings, files
    "diverged",  # a loss or a metric is no finite number
    "gpu memory",  # there was not enough of the device's
    "memory",  # there was not enough of the host's
    "disk",  # there was no room for what it writes
    "hung",  # it showed no sign of life within its limit
    "worker",  # its process died
    "node",  # its machine was lost or taken away
    "stopped",  # it ended as if asked to, and was not
]
_NODE = re.compile(r"\bnode (has |was |is )?(died|dead|terminated|preempted|lost|unreachable)\b")
_TELLING = re.compile(rf"memory|dead because|{_NODE.pattern}")
_LOW = re.compile(r"low on memory|out.?of.?memory|\boom\b", re.IGNORECASE)
_CUDA_LOW = re.compile(
    r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED"
    r"|CUDNN_STATUS_ALLOC_FAILED|HIP out of memory"
)
_HOST_LOW = re.compile(r"DefaultCPUAllocator|Cannot allocate memory|unable to mmap")
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_PARTICULAR = re.compile(r"(/[^\s:,'\"]+)|\b[0-9a-f]{8,}\b|\d+(\.\d+)?(e[+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt's end.

    Args:
        cause: of it.
        reason: one line.
    """

    cause: Cause
    reason: str

    @property
    def likeness(self) -> str:
        """Return the reason less its numbers, paths and keys: equal ones are one error.

        >>> Failure("bug", "ValueError: 3 of 7 in /a/b").likeness
        'ValueError: # of # in #'
        """
        return _PARTICULAR.sub("#", self.reason)


class LostHelperError(Exception):
    """A stage that several processes compute ended by what one of the others met.

    Args:
        failure: that one's.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"a helper ended: {failure.reason}")
        self.failure = failure


class Alike:
    """Counts the stages that an error of the code, or of what a user can mend, has ended."""

    def __init__(self) -> None:
        self._stages: dict[str, set[str]] = {}

    def count(self, key: str, failure: Failure) -> int:
        """Return how many stages have ended so, this one among them; 0 for other causes."""
        if failure.cause not in ("bug", "refused"):
            return 0
        stages = self._stages.setdefault(failure.likeness, set())
        stages.add(key)
        return len(stages)


def failure_of(error: BaseException) -> Failure:
    """Return what a stage's own error says."""
    if isinstance(error, LostHelperError):
        return Failure(error.failure.cause, str(error))
    return Failure(_cause_of(error), describe(error))


def telling(account: Iterable[str]) -> str | None:
    """Return the line of Ray's account of a dead worker that says why; None where none does.

    >>> telling(["The actor died unexpectedly.", "  ip: 10.77.0.3", "its node has died. Id: ab"])
    'its node has died. Id: ab'
    """
    found = (line.strip() for line in account if _TELLING.search(line))
    line = next(found, None)
    return None if line is None else line.split(" Some common causes")[0]


def death(reason: str) -> Failure:
    """Return what Ray's account of a dead worker says.

    Args:
        reason: one line.
    """
    if _LOW.search(reason):
        return Failure("memory", reason)
    return Failure("node" if _NODE.search(reason) else "worker", reason)


def outside(reason: str) -> Failure:
    """Return what an error says that the worker's own code met, before or after the stage.

    Args:
        reason: one line.
    """
    return Failure("disk" if _FULL.search(reason) else "bug", f"outside of the stage: {reason}")


def hung_stage(key: str) -> Failure:
    """Return what is to be said of a stage that gave no sign of life within its limit."""
    where = f"where it stood is shown by: rotlab logs {key[:12]}"
    return Failure("hung", f"it gave no sign of life within its limit; {where}")


def describe(error: BaseException) -> str:
    """Return an exception's type and first line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def store_option(options: Sequence[str]) -> tuple[str, ...]:
    """Return the part of a run's options that says where its store is.

    >>> store_option(("--store", "s", "--data", "d"))
    ('--store', 's')
    """
    pairs = zip(options[::2], options[1::2], strict=True)
    return next((pair for pair in pairs if pair[0] == "--store"), ())


def debug_line(key: str, options: Sequence[str]) -> str:
    """Return the command that runs one stage in the foreground.

    Args:
        key: of the stage.
        options: of the run it failed in, such as ("--store", "s").
    """
    return shlex.join(["rotlab", "run-stage", key[:12], "--local", *options])


def _cause_of(error: BaseException) -> Cause:
    """By name and text where torch's own errors are meant: it need not be loaded here."""
    text = str(error)
    names = {each.__name__ for each in type(error).__mro__}
    if "OutOfMemoryError" in names or (isinstance(error, RuntimeError) and _CUDA_LOW.search(text)):
        return "gpu memory"
    if isinstance(error, OSError) and _FULL.search(text):
        return "disk"
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError | OSError) and _HOST_LOW.search(text)
    ):
        return "memory"
    if isinstance(error, FloatingPointError):
        return "diverged"
    return "refused" if isinstance(error, UserError) else "bug"
