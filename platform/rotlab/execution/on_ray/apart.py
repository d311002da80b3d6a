"""Processes that are started apart: a signal to this process's group does not reach them."""

import contextlib
import os
from collections.abc import Iterator

_state = {"is_apart": False}


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Put what is forked in the block into process groups of its own.

    A terminal and `timeout` signal a whole group; what this process has started for its own use is
    to be ended by this process. It concerns processes that are started with a function to be run
    between fork and exec, as all of Ray's are: Python calls what is registered for a fork only
    then. They stay this process's children, and end with it where they were made to.
    """
    _state["is_apart"] = True
    try:
        yield
    finally:
        _state["is_apart"] = False


def _leave_group() -> None:
    if _state["is_apart"]:
        os.setpgid(0, 0)


os.register_at_fork(after_in_child=_leave_group)
