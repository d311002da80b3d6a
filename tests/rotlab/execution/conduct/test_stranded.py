"""Requests that no node could hold are told after a while, and only while that is so."""

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.stranded import Stranded
from rotlab.planning.stage import Resources

SMALL = Capacity(4, 0, ((4.0, 0.0),), 64)
GROWN = Capacity(8, 2, ((4.0, 0.0), (4.0, 2.0)), 64)
ON_GPU, ON_CPU = Resources(2, 1.0), Resources(2, 0.0)


def test_what_some_node_could_hold_is_never_told() -> None:
    watch = Stranded(10.0)
    assert [watch.look([ON_CPU] * 9, SMALL, now) for now in (0.0, 100.0)] == ["", ""]


def test_what_none_could_hold_is_told_after_a_while_with_what_it_is() -> None:
    watch = Stranded(60.0)
    several = Resources(8, 8.0, processes=8)
    waiting = [ON_GPU, ON_CPU, ON_GPU, several]
    assert [watch.look(waiting, SMALL, now) for now in (0.0, 59.0)] == ["", ""]
    said = watch.look(waiting, SMALL, 61.0)
    assert "for 1 minutes (2 for 2 CPU, 1 GPU; 1 for 8 times 1 CPU, 1 GPU)" in said


def test_a_node_that_comes_ends_it_and_one_that_goes_begins_it_anew() -> None:
    watch = Stranded(60.0)
    watch.look([ON_GPU], SMALL, 0.0)
    assert watch.look([ON_GPU], GROWN, 50.0) == ""
    assert watch.look([ON_GPU], SMALL, 70.0) == ""
    assert watch.look([], SMALL, 120.0) == ""
    assert watch.look([ON_GPU], SMALL, 140.0) == ""
    assert watch.look([ON_GPU], SMALL, 200.0) != ""
