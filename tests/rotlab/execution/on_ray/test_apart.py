"""Who hears a signal that is meant for a whole group."""

import os
import subprocess

from rotlab.execution.on_ray.apart import apart


def group_of_a_child() -> tuple[int, int]:
    """Return the process group of a child started as Ray starts its own, and the child."""
    child = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: None)  # noqa: S607
    try:
        return os.getpgid(child.pid), child.pid
    finally:
        child.kill()
        child.wait()


def test_what_is_started_apart_has_a_group_of_its_own() -> None:
    with apart():
        group, child = group_of_a_child()
    assert group == child


def test_what_is_started_otherwise_shares_the_group_of_this_process() -> None:
    with apart():
        pass
    group, _ = group_of_a_child()
    assert group == os.getpgrp()
