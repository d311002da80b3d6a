"""A run as its driver sees it: what is proposed, what failures lead to, and what listeners hear."""

import json
from typing import Any

import pytest

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Assignment, Conduct, Policy
from rotlab.execution.conduct.failures import Failure, hung_stage
from rotlab.execution.conduct.message import Message, Point
from rotlab.execution.conduct.retries import MOST_DEATHS
from rotlab.planning.space.budget import Budget
from rotlab.planning.stage import Resources
from rotlab.store.lease import BEATS, STALE_S
from tests.rotlab.execution.conduct.labs import Ear, Lab, TwoSizes, keys
from tests.rotlab.execution.lab import make_plan, make_record, make_stage


def test_no_more_is_released_than_fits_and_a_margin() -> None:
    lab = Lab(cpus=1.0)
    assert [lab.start().key, lab.start().key] == keys(lab.a, lab.b)
    assert lab.conduct.propose() is None


def test_a_free_worker_is_for_a_stage_that_had_no_room_not_for_one_whose_worker_is_starting() -> (
    None
):
    lab = Lab(cpus=1.0)
    starting, spare = lab.conduct.propose(), lab.conduct.propose()
    assert isinstance(starting, Assignment)
    assert isinstance(spare, Assignment)
    assert lab.conduct.is_spare(spare.key, spare.attempt)
    assert not lab.conduct.is_spare(starting.key, starting.attempt)
    lab.now += 60.0  # its worker does not come: it is as good as one that had no room
    assert lab.conduct.is_spare(starting.key, starting.attempt)
    lab.conduct.began(spare.key, spare.attempt)
    assert not lab.conduct.is_spare(spare.key, spare.attempt)


def test_a_worker_that_comes_free_is_for_the_stage_that_has_waited_longest() -> None:
    lab = TwoSizes()
    at_work = lab.release_all()
    *first, waiting = at_work
    for one in first:
        lab.conduct.began(one.key, one.attempt)
    lab.end(first[0])
    later = [one for one in lab.release_all() if one.key != lab.large.key]
    spares = [one for one in (waiting, *later) if lab.conduct.is_spare(one.key, one.attempt)]
    assert spares[0] == waiting


def test_children_are_proposed_once_their_parents_are_done() -> None:
    lab = Lab(cpus=4.0)
    first, second = lab.start(), lab.start()
    assert lab.conduct.propose() is None
    lab.end(first)
    assert lab.start().key == lab.one.key
    lab.end(second)
    assert lab.start().key == lab.both.key


def test_what_has_a_record_is_not_proposed() -> None:
    lab = Lab(cpus=4.0)
    again = Lab(cpus=4.0)
    done = {stage.key: make_record(stage) for stage in (lab.a, lab.b, lab.both)}
    again.conduct = Conduct(
        make_plan([lab.a, lab.b, lab.both, lab.one]),
        done,
        {"count": Resources(1, 0), "total": Resources(1, 0)},
        lambda: Capacity(4.0, 0),
        again.ear,
    )
    again.end(again.start())
    assert again.conduct.propose() == "FINISHED"
    assert again.ear.ends() == {lab.one.key: "FINISHED"}


def test_all_done_is_finished() -> None:
    lab = Lab()
    for _ in range(4):
        lab.end(lab.start(), metrics={"accuracy": 1.0}, seconds=2.0)
    assert lab.conduct.propose() == "FINISHED"
    assert lab.conduct.finished_all
    assert set(lab.ear.ends().values()) == {"FINISHED"}


def test_a_failed_stage_cancels_its_dependents_only() -> None:
    lab = Lab(cpus=4.0)
    first, second = lab.start(), lab.start()
    lab.end(second, "FAILED", error="ValueError: no")
    lab.end(first)
    lab.end(lab.start())
    assert lab.conduct.propose() == "FINISHED"
    assert lab.ear.ends() == {
        lab.a.key: "FINISHED",
        lab.b.key: "FAILED",
        lab.both.key: "CANCELLED",
        lab.one.key: "FINISHED",
    }
    assert list(lab.conduct.missing()) == keys(lab.b, lab.both)
    assert lab.conduct.missing()[lab.b.key] == "ValueError: no"


def test_a_stage_whose_worker_died_is_tried_again_but_not_for_ever() -> None:
    lab = Lab()
    for attempt in range(MOST_DEATHS["worker"]):
        first = lab.start()
        assert first.key == lab.a.key
        assert lab.conduct.failures == {}, attempt
        lab.conduct.died(first.key, first.attempt, Failure("worker", "lost"))
    assert set(lab.conduct.failures) == {lab.a.key}
    assert lab.ear.ends()[lab.both.key] == "CANCELLED"
    assert lab.start().key == lab.b.key


def test_a_death_after_the_end_was_told_changes_nothing() -> None:
    lab = Lab()
    first = lab.start()
    lab.end(first)
    lab.conduct.died(first.key, first.attempt, Failure("worker", "actor gone"))
    assert lab.ear.ends() == {first.key: "FINISHED"}


def test_news_of_an_attempt_given_up_is_not_taken_for_the_new_one() -> None:
    lab = Lab()
    old = lab.start()
    lab.conduct.died(old.key, old.attempt, Failure("worker", "lost"))
    new = lab.start()
    lab.end(old, "FAILED", error="late")
    assert lab.conduct.failures == {}
    lab.end(new)
    assert lab.ear.ends()[new.key] == "FINISHED"


def test_when_stopping_nothing_fails_and_nothing_starts() -> None:
    lab = Lab(cpus=4.0)
    first, second = lab.start(), lab.start()
    lab.conduct.stopping = True
    assert lab.conduct.propose() == "FINISHED"
    lab.end(first, "KILLED")
    assert not lab.conduct.idle
    lab.conduct.died(second.key, second.attempt, Failure("worker", "shut down"))
    assert lab.conduct.idle
    assert lab.conduct.failures == {}
    assert set(lab.ear.ends().values()) == {"KILLED"}


def test_steps_reach_the_listener_in_order_with_their_own_time() -> None:
    lab = Lab()
    first = lab.start()
    points = (Point(1, 5.0, {"loss": 2.0}), Point(2, 6.0, {"loss": 1.0}))
    lab.end(first, "RUNNING", points=points)
    heard = [e for e in lab.ear.events if e["event"] == "stage_metrics"]
    assert [(e["step"], e["time"], e["metrics"]) for e in heard] == [
        (1, 5.0, {"loss": 2.0}),
        (2, 6.0, {"loss": 1.0}),
    ]
    (active,) = lab.conduct.snapshot().active
    assert (active.step, active.metrics) == (2, {"loss": 1.0})


def test_time_left_is_the_least_until_every_kind_has_ended_once() -> None:
    lab = Lab()
    assert lab.conduct.snapshot().seconds_left is None
    for left in (10.0, None):  # a count is left, then none: of totals nothing is known
        lab.end(lab.start(), seconds=10.0)
        snapshot = lab.conduct.snapshot()
        assert (snapshot.seconds_left, snapshot.is_least) == (left, True)
    lab.end(lab.start(), seconds=4.0)
    snapshot = lab.conduct.snapshot()
    assert snapshot.seconds_left == pytest.approx(4.0)
    assert not snapshot.is_least
    lab.start()
    lab.now += 1.0
    assert lab.conduct.snapshot().seconds_left == pytest.approx(3.0)


def test_a_released_stage_without_a_worker_counts_as_waiting() -> None:
    lab = Lab()
    assert isinstance(lab.conduct.propose(), Assignment)
    counts = lab.conduct.snapshot().counts["count"]
    assert (counts.running, counts.waiting) == (0, 2)


def test_a_stage_held_elsewhere_is_left_and_taken_over_once_its_lease_is_stale() -> None:
    lab = Lab(cpus=1.0)
    first = lab.start()
    assert first.stale is None
    lab.end(first, "HELD", error="beat 1")
    assert lab.start().key == lab.b.key
    assert lab.conduct.propose() is None
    lab.now += STALE_S / BEATS
    again = lab.start()
    assert (again.key, again.stale) == (lab.a.key, None)
    lab.end(again, "HELD", error="beat 1")
    lab.now += STALE_S
    last = lab.start()
    assert (last.key, last.stale) == (lab.a.key, "beat 1")
    lab.end(last, "REUSED")
    assert lab.conduct.failures == {}
    told = [event["event"] for event in lab.ear.events if event["key"] == lab.a.key]
    assert told == [*2 * ["stage_started", "stage_held"], "stage_started", "stage_ended"]


def test_a_lease_of_an_attempt_whose_worker_was_lost_is_taken_over_at_once() -> None:
    lab = Lab(cpus=1.0)
    lost = lab.start()
    lab.conduct.died(lost.key, lost.attempt, Failure("node", "its node has died"))
    for beat in (1, 2):  # it is cut off, and keeps its lease up
        again = lab.start()
        assert again.key == lost.key
        lease = json.dumps({"attempt": lost.attempt, "beat": beat})
        lab.end(again, "HELD", error=lease)
    last = lab.start()
    assert (last.key, last.stale) == (lost.key, lease)
    lab.end(last, "HELD", error=json.dumps({"attempt": "of another driver", "beat": 7}))
    assert lab.start().key == lab.b.key


def test_a_stage_that_ran_out_of_memory_gets_a_larger_share_once() -> None:
    lab = Lab(cpus=4.0)
    for share in (1, 2):
        one = lab.start()
        assert (one.key, one.resources) == (lab.a.key, Resources(share, 0))
        assert lab.conduct.failures == {}
        lab.end(one, "FAILED", error="MemoryError", cause="memory")
    assert lab.conduct.failures[lab.a.key].reason.startswith("MemoryError; give the kind more cpus")


def test_a_hung_stage_is_tried_again_like_a_lost_one() -> None:
    lab = Lab()
    for _ in range(MOST_DEATHS["hung"]):
        one = lab.start()
        lab.conduct.died(one.key, one.attempt, hung_stage(one.key))
    assert lab.conduct.failures[lab.a.key].cause == "hung"
    assert one.key[:12] in lab.conduct.failures[lab.a.key].reason


def test_the_same_error_in_several_stages_ends_the_run() -> None:
    lab = Lab(cpus=4.0, policy=Policy(same_errors=2))
    first, second = lab.start(), lab.start()
    lab.end(first, "FAILED", error="ValueError: 1 of 2", cause="bug")
    assert lab.conduct.halted is None
    lab.end(second, "FAILED", error="ValueError: 2 of 2", cause="bug")
    assert lab.conduct.halted == "the same error ended 2 stages: ValueError: 2 of 2"
    assert lab.conduct.propose() == "FINISHED"


@pytest.mark.parametrize(("limit", "cause"), [(0, "bug"), (1, "diverged")])
def test_other_errors_end_no_run(limit: int, cause: Any) -> None:
    lab = Lab(policy=Policy(same_errors=limit))
    lab.end(lab.start(), "FAILED", error="no", cause=cause)
    assert lab.conduct.halted is None
    assert lab.start().key == lab.b.key


def test_a_used_up_budget_starts_nothing_more_and_fails_nothing() -> None:
    lab = Lab(policy=Policy(budget=Budget(cpu_hours=1.0)))
    first = lab.start()
    lab.now += 0.8 * 3600
    lab.conduct.watch_limits()
    assert (lab.conduct.halted, lab.conduct.is_near) == (None, "0.8 of 1 CPU-hours")
    lab.now += 0.2 * 3600
    lab.conduct.watch_limits()
    assert str(lab.conduct.halted).startswith("the budget is used up: 1 of 1 CPU-hours")
    assert lab.conduct.propose() == "FINISHED"
    lab.end(first, "KILLED")
    assert lab.conduct.failures == {}
    assert lab.ear.ends() == {first.key: "KILLED"}
    assert lab.conduct.used.cpu_hours == pytest.approx(1.0)


def test_no_more_stages_than_asked_for_run_at_once() -> None:
    lab = Lab(cpus=4.0, policy=Policy(concurrency=1))
    first = lab.start()
    assert lab.conduct.propose() is None
    lab.end(first)
    assert isinstance(lab.conduct.propose(), Assignment)


def test_a_longer_training_is_proposed_after_the_shorter_one_however_that_ended() -> None:
    stages = [make_stage("learn", name="a", epochs=n) for n in (1, 2, 3)]
    plan = make_plan(stages)
    conduct = Conduct(plan, {}, {"learn": Resources(1, 0)}, lambda: Capacity(4.0, 0), Ear())
    proposed = []
    for state in ("FAILED", "FINISHED", "FINISHED"):
        one = conduct.propose()
        assert isinstance(one, Assignment)
        assert conduct.propose() is None
        conduct.began(one.key, one.attempt)
        conduct.heard(one.key, one.attempt, Message(state))
        proposed.append(one.key)
    assert proposed == keys(*stages)
    assert set(conduct.missing()) == {stages[0].key}


def test_a_full_disk_ends_the_run_and_no_stage_is_given_up_for_it() -> None:
    lab = Lab(cpus=2.0)
    first, second = lab.start(), lab.start()
    lab.end(first, "FAILED", error="OSError: no room", cause="disk")
    assert lab.conduct.propose() == "FINISHED"
    lab.end(second, "FAILED", error="OSError: no room", cause="disk")
    assert lab.conduct.halted == (
        "the disk is full: OSError: no room; make room where the store is, or that $ROTNET_CACHE "
        "names, and run again"
    )
    assert lab.conduct.failures == {}
    assert lab.ear.ends() == {first.key: "KILLED", second.key: "KILLED"}
