"""What a stage says while it works: one file for each attempt, kept beside its results."""

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_FORMAT = "%(asctime)s %(name)s: %(message)s"
_TALKING = ("rotnet", "rotlab")  # whose news, not only their warnings, go into the log
# How faulthandler heads what it writes of a hung process, of which frames are all that follows.
_HUNG = re.compile(r"^Timeout \(\d+:\d\d:\d\d(\.\d+)?\)!\n(Thread |Current thread )", re.MULTILINE)
_TAIL_BYTES = 1 << 16


@contextlib.contextmanager
def logged(path: Path, *, silent: bool) -> Iterator[None]:
    """Write what is logged into a file, and, if silent, all that is printed, by C code too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as file, talking():
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter(_FORMAT))
        logging.getLogger().addHandler(handler)
        try:
            with _printed_to(file.fileno()) if silent else contextlib.nullcontext():
                yield
        finally:
            logging.getLogger().removeHandler(handler)


@contextlib.contextmanager
def talking() -> Iterator[None]:
    """Let be said, during the block, what logs are to hold; those begun within it begin sooner."""
    before = {name: logging.getLogger(name).level for name in _TALKING}
    _set_levels(dict.fromkeys(_TALKING, logging.INFO))
    try:
        yield
    finally:
        _set_levels(before)


def was_hung(path: Path) -> bool:
    """Say whether an attempt's log holds what is written of a hung process."""
    return _HUNG.search(tail(path)) is not None


def tail(path: Path) -> str:
    """Return the end of a log; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def _printed_to(descriptor: int) -> Iterator[None]:
    """Point this process's standard output and error elsewhere for a while."""
    _flush()
    kept = [os.dup(number) for number in (1, 2)]
    for number in (1, 2):
        os.dup2(descriptor, number)
    try:
        yield
    finally:
        _flush()
        for number, old in zip((1, 2), kept, strict=True):
            os.dup2(old, number)
            os.close(old)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _set_levels(levels: Mapping[str, int]) -> None:
    """Set levels that are others now: each change empties the caches of all loggers."""
    for name, level in levels.items():
        logger = logging.getLogger(name)
        if logger.level != level:
            logger.setLevel(level)
