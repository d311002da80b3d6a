"""A longer training goes on from a shorter one's end where that is sound, to the same result."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Length, Stage
from rotlab.store.record import Record, record_from_json, record_to_json
from rotlab.store.store import Store
from rotlab.store.trunk import KeepStates, Lineage
from rotnet.errors import UserError
from rotnet.learning.watch import Stopped, StopWish, Unwatched
from tests.rotlab.execution.lab import KINDS, LEARN, make_plan, make_stage

SHORT, LONG, LONGEST = (make_stage("learn", name="a", epochs=n) for n in (2, 4, 8))


class Ear(Unwatched):
    """Hears the steps, and stops a stage after some."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[int] = []
        self.stop_after = stop_after

    def report(self, step: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        self.steps.append(step)

    def should_stop(self) -> StopWish:
        return "now" if len(self.steps) == self.stop_after else "no"


class Lab:
    """A store, and a plan in which 2, 4 and 8 epochs are one training."""

    def __init__(self, root: Path, plan: Plan | None = None, *, kept: bool = False) -> None:
        self.store = Store(root)
        plan = plan or make_plan([SHORT, LONG, LONGEST])
        length = LEARN.length
        assert length is not None
        kinds = {**KINDS, "learn": replace(LEARN, length=replace(length, kept=kept))}
        cpus = dict.fromkeys(KINDS, 1)
        self.work = Work(plan.stages, kinds, {}, root, cpus, continues=plan.continues)

    def do(self, stage: Stage, watch: Ear | None = None) -> Record:
        return perform(stage.key, self.work, watch or Ear())

    def result(self, stage: Stage) -> str:
        record = self.store.record(stage.key, stage.kind)
        assert record is not None
        return (self.store.result_folder(record) / "learnt.json").read_text()

    def state(self, stage: Stage) -> Path:
        record = self.store.record(stage.key, stage.kind)
        assert record is not None
        return self.store.state_path(record)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "store")


@pytest.fixture
def straight(tmp_path: Path) -> Record:
    """The record of 4 epochs that no shorter ones were planned for."""
    return Lab(tmp_path / "straight", make_plan([LONG])).do(LONG)


def expect_same_result(record: Record, straight: Record) -> None:
    assert (record.key, record.metrics, record.files) == (
        straight.key,
        straight.metrics,
        straight.files,
    )


def test_each_length_goes_on_from_the_next_shorter_one(lab: Lab, straight: Record) -> None:
    heard = {stage.key: Ear() for stage in (SHORT, LONG, LONGEST)}
    records = [lab.do(stage, heard[stage.key]) for stage in (SHORT, LONG, LONGEST)]
    assert [ear.steps for ear in heard.values()] == [[1, 2], [3, 4], [5, 6, 7, 8]]
    assert [record.continued for record in records] == [None, SHORT.key, LONG.key]
    assert [record.not_continued for record in records] == [None, None, None]
    expect_same_result(records[1], straight)


def test_a_state_is_kept_until_the_longer_training_is_done(lab: Lab) -> None:
    first = lab.do(SHORT)
    assert first.state is not None
    assert "checkpoint.pt" not in first.files
    assert lab.state(SHORT).exists()
    lab.do(LONG)
    assert not lab.state(SHORT).exists()
    assert lab.state(LONG).exists()
    assert lab.do(LONGEST).state is None
    assert not lab.state(LONG).exists()
    assert not lab.state(LONGEST).exists()


def test_a_state_stays_while_another_longer_training_waits_for_it(tmp_path: Path) -> None:
    plan = make_plan([SHORT, LONG, LONGEST])
    both = replace(plan, continues={LONG.key: SHORT.key, LONGEST.key: SHORT.key})
    lab = Lab(tmp_path, both)
    lab.do(SHORT)
    lab.do(LONG)
    assert lab.state(SHORT).exists()
    assert lab.do(LONGEST).continued == SHORT.key
    assert not lab.state(SHORT).exists()


def test_a_kind_may_keep_its_states_for_lengths_that_are_asked_for_later(tmp_path: Path) -> None:
    Lab(tmp_path, make_plan([SHORT]), kept=True).do(SHORT)
    lab = Lab(tmp_path, make_plan([SHORT, LONG]), kept=True)
    assert lab.do(LONG).continued == SHORT.key
    assert lab.state(SHORT).exists()
    assert lab.state(LONG).exists()


@pytest.mark.parametrize(("keep", "stays"), [("needed", False), ("kind", True), ("all", True)])
def test_a_run_may_keep_other_states_than_the_kind_does(
    tmp_path: Path, keep: KeepStates, *, stays: bool
) -> None:
    lab = Lab(tmp_path, make_plan([SHORT, LONG]), kept=True)
    lab.work = replace(lab.work, keep_states=keep)
    lab.do(SHORT)
    assert lab.state(SHORT).exists()
    assert lab.do(LONG).continued == SHORT.key
    assert [lab.state(stage).exists() for stage in (SHORT, LONG)] == [stays, stays]


def test_a_length_added_where_no_state_was_kept_is_trained_from_its_beginning(
    tmp_path: Path, straight: Record, caplog: pytest.LogCaptureFixture
) -> None:
    Lab(tmp_path, make_plan([SHORT])).do(SHORT)
    lab, heard = Lab(tmp_path), Ear()
    with caplog.at_level(logging.WARNING):
        record = lab.do(LONG, heard)
    assert heard.steps == [1, 2, 3, 4]
    assert record.continued is None
    assert record.not_continued == f"learn {SHORT.key[:12]} has left no training state"
    assert record.not_continued in caplog.text
    expect_same_result(record, straight)


def test_a_damaged_state_is_named_and_not_trained_on(lab: Lab, straight: Record) -> None:
    lab.do(SHORT)
    lab.state(SHORT).write_text('["another", "beginning"]')
    record = lab.do(LONG)
    assert record.continued is None
    assert record.not_continued is not None
    assert f"has a damaged training state ({lab.state(SHORT)}: SHA-256 is" in record.not_continued
    expect_same_result(record, straight)


def test_a_state_that_is_gone_is_named(lab: Lab, straight: Record) -> None:
    lab.do(SHORT)
    lab.state(SHORT).unlink()
    record = lab.do(LONG)
    assert record.not_continued is not None
    assert "has its training state no more" in record.not_continued
    expect_same_result(record, straight)


def test_where_the_next_shorter_one_failed_the_one_before_is_gone_on_from(lab: Lab) -> None:
    lab.do(SHORT)
    record = lab.do(LONGEST)
    assert record.continued == SHORT.key
    assert record.not_continued == f"learn {LONG.key[:12]} is not done"


def test_an_attempt_of_its_own_comes_before_the_shorter_trainings_end(lab: Lab) -> None:
    lab.do(SHORT)
    with pytest.raises(Stopped):
        lab.do(LONG, Ear(stop_after=1))
    lab.state(SHORT).write_text('["another", "beginning"]')
    heard = Ear()
    record = lab.do(LONG, heard)
    assert heard.steps == [4]
    assert (record.continued, record.not_continued) == (SHORT.key, None)


def test_an_attempt_from_the_beginning_goes_on_though_the_shorter_one_has_ended_since(
    lab: Lab,
) -> None:
    with pytest.raises(Stopped):
        lab.do(LONG, Ear(stop_after=3))
    lab.do(SHORT)
    heard = Ear()
    record = lab.do(LONG, heard)
    assert heard.steps == [4]
    assert record.continued is None
    assert record.not_continued == f"learn {SHORT.key[:12]} is not done"


def test_an_attempt_that_saved_nothing_lets_the_next_one_begin_anew(lab: Lab) -> None:
    with pytest.raises(Stopped):
        lab.do(LONG, Ear(stop_after=0))
    lab.do(SHORT)
    assert lab.do(LONG).continued == SHORT.key


def test_a_state_made_from_another_result_of_the_same_input_is_not_taken(tmp_path: Path) -> None:
    """A result made again need not be bit-equal: on another machine it is not."""
    source = make_stage("count", name="source")
    short, long = (make_stage("learn", {"init": source}, name="a", epochs=n) for n in (2, 4))
    lab = Lab(tmp_path, make_plan([source, short, long]))
    lab.do(source)
    lab.do(short)
    (tmp_path / "count" / source.key / "record.json").unlink()
    lab.do(source)
    record = lab.do(long)
    assert record.continued is None
    assert record.not_continued == (
        f"learn {short.key[:12]} was trained from another result of its inputs"
    )


def test_a_death_while_a_state_is_copied_leaves_nothing_to_go_on_from(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.do(SHORT)

    def die(source: Path, target: Path) -> None:  # noqa: ARG001
        target.write_text('["hal')
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rotlab.store.trunk.shutil.copyfile", die)
        with pytest.raises(KeyboardInterrupt):
            lab.do(LONG)
    heard = Ear()
    assert lab.do(LONG, heard).continued == SHORT.key
    assert heard.steps == [3, 4]


def test_an_attempt_that_began_from_a_withdrawn_shorter_one_is_not_gone_on_from(
    lab: Lab, straight: Record
) -> None:
    bad = lab.do(SHORT)
    with pytest.raises(Stopped):
        lab.do(LONG, Ear(stop_after=1))
    lab.store.set_aside(bad, "a bad disk")
    heard = Ear()
    record = lab.do(LONG, heard)
    assert heard.steps == [1, 2, 3, 4]
    assert record.continued is None
    expect_same_result(record, straight)


def test_what_goes_on_from_a_result_that_is_withdrawn_meanwhile_is_not_committed(lab: Lab) -> None:
    bad = lab.do(SHORT)

    class Withdrawing(Ear):
        def report(self, step: int, metrics: Mapping[str, float]) -> None:
            super().report(step, metrics)
            if step == 4:
                lab.store.set_aside(bad, "a bad disk")
                lab.do(SHORT)

    with pytest.raises(UserError, match="from whose end it went on, was withdrawn while it was at"):
        lab.do(LONG, Withdrawing())
    assert lab.store.record(LONG.key, LONG.kind) is None
    heard = Ear()
    assert lab.do(LONG, heard).continued == SHORT.key
    assert heard.steps == [3, 4]


class Deadly(Ear):
    """Kills its process after some steps."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def should_stop(self) -> StopWish:
        if len(self.steps) == self.at:
            _die()
        return "no"


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_in_training(lab: Lab, at: int) -> None:
    lab.do(LONG, Deadly(at))


def _die_before_the_record(lab: Lab, _: int) -> None:
    pytest.MonkeyPatch().setattr(Store, "commit", _die)  # the process ends with it
    lab.do(LONG)


def _die_before_the_sweep(lab: Lab, _: int) -> None:
    pytest.MonkeyPatch().setattr(Lineage, "sweep", _die)
    lab.do(LONG)


@pytest.mark.parametrize(
    ("die", "at", "left"),
    [
        (_die_in_training, 0, [3, 4]),
        (_die_in_training, 1, [4]),
        (_die_before_the_record, 0, []),
        (_die_before_the_sweep, 0, []),
    ],
)
def test_a_killed_process_leaves_what_leads_to_the_same_result(
    lab: Lab, straight: Record, die: Callable[[Lab, int], None], at: int, left: list[int]
) -> None:
    lab.do(SHORT)
    process = multiprocessing.get_context("fork").Process(target=die, args=(lab, at))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    heard = Ear()
    record = lab.do(LONG, heard)
    assert heard.steps == left
    assert record.continued == SHORT.key
    expect_same_result(record, straight)
    assert lab.do(LONGEST).continued == LONG.key


def test_a_record_written_before_lengths_were_shared_is_read(straight: Record) -> None:
    values = record_to_json(straight)
    for name in ("continued", "not_continued", "state"):
        del values[name]
    assert record_from_json(values) == straight


def test_a_kind_without_lengths_keeps_nothing(tmp_path: Path) -> None:
    stage = make_stage("count", name="a")
    assert Lab(tmp_path, make_plan([stage])).do(stage).state is None
    assert KINDS["count"].length is None
    assert isinstance(LEARN.length, Length)
