"""A resumed attempt's first own checkpoint makes room of earlier ones, and nothing else does."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.stage import Stage
from rotlab.store.store import Store
from rotnet.learning.watch import Stopped, Unwatched
from tests.rotlab.execution.lab import KINDS, make_stage

STAGE = make_stage("count", name="a", epochs=4)
OTHER = make_stage("count", name="b", epochs=1)


class At(Unwatched):
    """Does something when an epoch is reported, and when its checkpoint is told of."""

    def __init__(self, reported: Callable[[int], None], saved: Callable[[int], None]) -> None:
        self._reported, self._saved = reported, saved

    def report(self, step: int, metrics: object) -> None:  # noqa: ARG002
        self._reported(step)

    def saved(self, step: int, path: Path) -> None:  # noqa: ARG002
        self._saved(step)


def nothing(_: int) -> None:
    pass


def stop(step: int) -> None:
    if step == 2:
        raise Stopped


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two attempts were stopped: the first after two epochs, the second before its own first."""
    store = Store(tmp_path)
    with pytest.raises(Stopped):
        work(store, STAGE, "1", At(nothing, stop))
    store.new_attempt(STAGE, "2")
    assert states(store) == {"1", "2"}
    return store


def work(store: Store, stage: Stage, attempt: str, watch: Unwatched) -> None:
    todo = Work({stage.key: stage}, KINDS, {}, store.root, {"count": 1})
    perform(stage.key, todo, watch, attempt)


def states(store: Store) -> set[str]:
    """The attempts that hold a checkpoint."""
    return {path.parent.name for path in store.attempts(STAGE.key, STAGE.kind).glob("*/state.json")}


def test_a_checkpoint_lies_once_from_the_first_own_one_on(store: Store) -> None:
    seen: dict[str, set[str]] = {}

    def note(name: str) -> Callable[[int], None]:
        return lambda step: seen.update({f"{name} {step}": states(store)})

    work(store, STAGE, "3", At(note("reported"), note("told")))
    assert seen == {
        "reported 3": {"1", "2", "3"},
        "told 3": {"1", "2", "3"},
        "reported 4": {"3"},
        "told 4": {"3"},
    }


def test_ended_while_the_first_own_one_is_told_of_all_are_there(store: Store) -> None:
    def die(_: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        work(store, STAGE, "3", At(nothing, die))
    assert states(store) == {"1", "2", "3"}


def test_that_of_an_attempt_at_work_stays(store: Store) -> None:
    def write(step: int) -> None:
        if step == 3:
            path = store.attempts(STAGE.key, STAGE.kind) / "1" / "state.json"
            os.utime(path, (time.time() + 1, time.time() + 1))

    seen: list[set[str]] = []
    work(store, STAGE, "3", At(write, lambda _: seen.append(states(store))))
    assert seen == [{"1", "2", "3"}, {"1", "3"}]


def test_that_of_an_attempt_that_began_from_another_result_stays(tmp_path: Path) -> None:
    store, child = Store(tmp_path), make_stage("count", {"x": OTHER}, name="c", epochs=3)
    todo = Work({one.key: one for one in (OTHER, child)}, KINDS, {}, tmp_path, {"count": 1})
    perform(OTHER.key, todo, Unwatched())
    with pytest.raises(Stopped):
        perform(child.key, todo, At(nothing, stop), "1")
    record = store.record(OTHER.key, OTHER.kind)
    assert record is not None
    store.set_aside(record, "a bad disk")
    perform(OTHER.key, todo, Unwatched())
    with pytest.raises(Stopped):
        perform(child.key, todo, At(nothing, stop), "2")
    there = store.attempts(child.key, child.kind).glob("*/state.json")
    assert {path.parent.name for path in there} == {"1", "2"}


def test_the_next_attempt_goes_on_from_the_newest(store: Store) -> None:
    def stop_later(step: int) -> None:
        if step == 4:
            raise Stopped

    with pytest.raises(Stopped):
        work(store, STAGE, "3", At(stop_later, nothing))
    work(store, STAGE, "4", Unwatched())
    record = store.record(STAGE.key, STAGE.kind)
    assert record is not None
    assert record.metrics["resumed_at"] == 4
