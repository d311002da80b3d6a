"""What the cause of a failure leads to."""

from functools import partial

import pytest

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.failures import (
    Cause,
    Failure,
    LostHelperError,
    death,
    failure_of,
    telling,
)
from rotlab.execution.conduct.retries import ADVICE, MOST_DEATHS, Retries
from rotlab.planning.stage import Resources
from rotnet.errors import DataError

ONE = Resources(1, 0.25)


class OutOfMemoryError(RuntimeError):
    """Named as torch's own."""


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LostHelperError(Failure("node", "its node has died")), "node"),
        (ValueError("no"), "bug"),
        (RuntimeError("size mismatch"), "bug"),
        (DataError("gone"), "refused"),
        (FloatingPointError("the loss is nan"), "diverged"),
        (MemoryError(), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory"),
        (OSError(12, "Cannot allocate memory"), "memory"),
        (OSError(28, "No space left on device"), "disk"),
        (OSError(122, "Disk quota exceeded"), "disk"),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "gpu memory"),
        (RuntimeError("CUDA error: out of memory"), "gpu memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "gpu memory"),
    ],
)
def test_an_error_has_a_cause(error: Exception, cause: Cause) -> None:
    assert failure_of(error).cause == cause


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("The actor died because its node has died. Node Id: ab", "node"),
        ("its node was terminated expectedly: received SIGTERM", "node"),
        ("Task was killed due to the node running low on memory", "memory"),
        ("Worker unexpectedly exits with a connection error code 2. End of file.", "worker"),
        ("the worker process died: no reason given", "worker"),
    ],
)
def test_a_death_has_a_cause(reason: str, cause: Cause) -> None:
    assert death(reason) == Failure(cause, reason)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("The actor died because its node has died. Node Id: ab", "node"),
        ("The actor is dead because its node has died. Node Id: ab", "node"),
        ("its node was terminated expectedly: received SIGTERM", "node"),
        ("The actor is dead because all references to the actor were removed.", "worker"),
        ("Task was killed due to the node running low on memory", "memory"),
    ],
)
def test_of_an_account_of_a_death_the_line_that_says_why_counts(said: str, cause: Cause) -> None:
    lines = ["The actor died unexpectedly before finishing this task.", "\tip: 10.77.0.3"]
    found = telling([*lines, f"\t{said} Some common causes include: (1) a crash", "more"])
    assert found == said
    assert death(found).cause == cause
    assert telling(lines) is None


def next_request(retries: Retries, cause: Cause, given: Resources = ONE, step: int = 0) -> object:
    return retries.next_request("key", Failure(cause, "why"), given, step)


@pytest.mark.parametrize("cause", ["bug", "refused", "diverged"])
def test_an_error_is_not_tried_again(cause: Cause) -> None:
    assert next_request(Retries(lambda: Capacity(8, 1)), cause) is None


@pytest.mark.parametrize("cause", list(MOST_DEATHS))
def test_deaths_are_forgiven_so_many_times(cause: Cause) -> None:
    retries = Retries(lambda: Capacity(8, 1))
    for _ in range(MOST_DEATHS[cause] - 1):
        assert next_request(retries, cause) == ONE
    assert next_request(retries, cause) is None


def test_a_stage_that_gets_further_each_time_is_tried_for_ever() -> None:
    retries = Retries(lambda: Capacity(8, 1))
    for step in range(1, 100):
        assert next_request(retries, "worker", step=step) == ONE
    for _ in range(MOST_DEATHS["worker"] - 2):
        assert next_request(retries, "worker", step=99) == ONE
    assert next_request(retries, "worker", step=99) is None


def test_out_of_gpu_memory_a_share_is_doubled_once() -> None:
    retries = Retries(lambda: Capacity(8, 1))
    assert next_request(retries, "gpu memory") == Resources(1, 0.5)
    assert next_request(retries, "gpu memory", Resources(1, 0.5)) is None


@pytest.mark.parametrize("gpus", [0.0, 1.0, 2.0, None])
def test_a_whole_device_has_no_larger_share(gpus: float | None) -> None:
    retries = Retries(lambda: Capacity(8, 4))
    assert next_request(retries, "gpu memory", Resources(1, gpus)) is None


def test_out_of_memory_no_more_cores_are_asked_for_than_a_machine_has() -> None:
    for given, machine, wanted in ((1, 8, 2), (3, 4, 4), (4, 4, 4)):
        nodes = ((2.0, 0.0), (float(machine), 0.0))
        retries = Retries(partial(Capacity, 64, 0, nodes))
        assert next_request(retries, "memory", Resources(given, 0)) == Resources(wanted, 0)
        assert next_request(retries, "memory", Resources(wanted, 0)) is None


def test_out_of_memory_every_process_gets_more_cores_where_there_is_room_for_all() -> None:
    two = Resources(4, 0.0, 2)
    for machines, wanted in (
        ((8.0,), 8),
        ((6.0,), 6),
        ((4.0,), 4),
        ((4.0, 4.0), 8),
        ((3.0, 2.0), 4),
    ):
        nodes = tuple((cores, 0.0) for cores in machines)
        retries = Retries(partial(Capacity, 64, 0, nodes))
        assert next_request(retries, "memory", two) == Resources(wanted, 0.0, 2)


def test_what_is_given_up_for_memory_comes_with_advice() -> None:
    retries = Retries(lambda: Capacity(8, 1))
    causes: tuple[Cause, ...] = ("memory", "gpu memory")
    for cause in causes:
        advice = ADVICE[cause]
        assert retries.given_up(Failure(cause, "why")).reason == f"why; {advice}"
    assert retries.given_up(Failure("bug", "why")).reason == "why"


def test_errors_that_differ_in_numbers_and_paths_are_one() -> None:
    first = Failure("bug", "ValueError: 3 clips of /data/a/b.avi, key 0f3a99bc, lr 1e-3")
    second = Failure("bug", "ValueError: 17 clips of /x.mp4, key deadbeef0, lr 0.5")
    assert first.likeness == second.likeness
    assert first.likeness != Failure("bug", "TypeError: 3 clips of /data/a/b.avi").likeness


def test_out_of_memory_the_cores_of_machines_without_devices_do_not_count() -> None:
    retries = Retries(lambda: Capacity(72, 1, ((64.0, 0.0), (8.0, 1.0))))
    assert next_request(retries, "memory", Resources(8, 1.0)) == Resources(8, 1.0)
