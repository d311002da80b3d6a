"""Why a stage did not end well, and what is done about it. Decides only."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Cause = Literal["raised", "died", "stopped"]
# Of a stage whose worker died: a machine may have been lost, but a stage may also kill its worker.
MAX_REPEATS = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt's end.

    Args:
        cause: the stage raised an error, its worker process died, or it was stopped.
        reason: one line.
    """

    cause: Cause
    reason: str


def is_repeated(failure: Failure, repeats: int) -> bool:
    """Say whether the stage is tried again, after it was tried again `repeats` times already.

    An error of the stage's own would come back; the death of a process need not.
    """
    return failure.cause != "raised" and repeats < MAX_REPEATS


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
