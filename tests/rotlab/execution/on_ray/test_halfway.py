"""A stage that is only tried: stopped once at a checkpoint, then watched to go on from there."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from rotlab.execution.on_ray.halfway import Halfway, NotContinuedError
from rotlab.execution.stage.perform import perform
from rotlab.store.store import Store
from rotnet.learning.watch import Stopped, StopWish, Unwatched
from tests.rotlab.execution.lab import make_stage
from tests.rotlab.execution.stage.test_perform import make_work


class Heard(Unwatched):
    """Hears of steps, and wants what it is made with."""

    def __init__(self, wish: StopWish = "no") -> None:
        self.steps: list[int] = []
        self.wish = wish

    def report(self, step: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        self.steps.append(step)

    def should_stop(self) -> StopWish:
        return self.wish


def test_a_stage_is_stopped_after_a_step_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    stage = make_stage("count", name="a", epochs=4)
    work = replace(make_work(tmp_path, stage), few=1)
    note, heard = Store(tmp_path).halfway_path(stage), Heard()
    note.parent.mkdir(parents=True)
    with pytest.raises(Stopped):
        perform(stage.key, work, Halfway(heard, note))
    assert perform(stage.key, work, Halfway(heard, note)).metrics["resumed_at"] == 1
    assert heard.steps == [1, 2, 3, 4]


def test_two_steps_are_taken_where_each_is_followed_by_the_question(tmp_path: Path) -> None:
    watch = Halfway(Heard(), tmp_path / "note")
    assert [watch.should_stop() for _ in range(3)] == ["no", "at_checkpoint", "at_checkpoint"]
    watch.saved(3, tmp_path)
    again = Halfway(Heard(), tmp_path / "note")
    assert [again.should_stop() for _ in range(3)] == ["no"] * 3


def test_a_stage_that_begins_again_is_an_error(tmp_path: Path) -> None:
    watch = Halfway(Heard(), tmp_path / "note")
    watch.should_stop()
    watch.should_stop()
    watch.saved(2, tmp_path)
    again = Halfway(Heard(), tmp_path / "note")
    with pytest.raises(NotContinuedError, match="it did not go on from there: it did step 1"):
        again.report(1, {})
    Halfway(Heard(), tmp_path / "note").report(3, {})


def test_a_stage_that_saves_nothing_may_begin_again(tmp_path: Path) -> None:
    watch = Halfway(Heard(), tmp_path / "note")
    watch.should_stop()
    watch.should_stop()
    Halfway(Heard(), tmp_path / "note").report(1, {})


def test_a_wish_from_outside_comes_first(tmp_path: Path) -> None:
    watch = Halfway(Heard("now"), tmp_path / "note")
    assert [watch.should_stop() for _ in range(3)] == ["now"] * 3
    assert not (tmp_path / "note").exists()
