"""Stages of two sizes on one cluster: which of them starts next."""

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Conduct
from rotlab.planning.stage import Resources
from tests.rotlab.execution.conduct.labs import TwoSizes, keys
from tests.rotlab.execution.lab import make_plan, make_stage


def test_small_stages_start_beside_a_large_one_that_waits_but_not_for_ever() -> None:
    lab = TwoSizes()
    at_work = lab.until_the_large_one_waits()
    lab.end(at_work[0])
    assert [one.key for one in lab.release_all()] == keys(lab.counts[6])
    lab.now += 11.0
    lab.end(at_work[1])
    assert lab.release_all() == []  # room is left for the large one now


def test_on_several_machines_no_room_is_kept_for_nobody_knows_which_has_it_first() -> None:
    lab = TwoSizes(nodes=((4.0, 0.0), (4.0, 0.0)))
    at_work = lab.until_the_large_one_waits()
    lab.now += 11.0
    lab.end(at_work[0])
    assert [one.key for one in lab.release_all()] == keys(lab.counts[6])


def test_a_stage_that_the_machine_can_never_hold_keeps_no_room_from_others() -> None:
    lab = TwoSizes()
    lab.conduct = Conduct(
        make_plan([*lab.counts, lab.large, make_stage("total", {"a": lab.large}, name="later")]),
        {},
        {"count": Resources(1, 0), "total": Resources(8, 0)},
        lambda: Capacity(4, 0, ((4.0, 0.0),), 1),  # of one node now, which may grow
        lab.ear,
        clock=lambda: lab.now,
    )
    at_work = lab.until_the_large_one_waits()
    lab.now += 60.0
    lab.end(at_work[0])
    assert [one.key for one in lab.release_all()] == keys(lab.counts[6])
