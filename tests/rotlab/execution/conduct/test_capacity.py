"""How many stages are released at once."""

from rotlab.execution.conduct.capacity import Capacity
from rotlab.planning.stage import Resources


def count_admitted(capacity: Capacity, wanted: Resources) -> int:
    held: list[Resources] = []
    while capacity.admits(held, wanted):
        held.append(wanted)
    return len(held)


def test_what_fits_and_a_margin_is_admitted() -> None:
    assert count_admitted(Capacity(2, 0), Resources(1, 0)) == 2 + 1
    assert count_admitted(Capacity(64, 0), Resources(1, 0)) == 64 + 9


def test_the_scarcest_resource_decides() -> None:
    assert count_admitted(Capacity(6, 1), Resources(1, 0.5)) == 2 + 1
    assert count_admitted(Capacity(3, 4), Resources(2, 0.5)) == 1 + 1


def test_thirds_of_a_gpu_fill_it() -> None:
    assert count_admitted(Capacity(6, 1), Resources(1, 1 / 3)) == 3 + 1


def test_a_gpu_is_asked_for_only_where_there_is_one() -> None:
    assert Capacity(2, 0).resolve(Resources()).gpus == 0
    assert Capacity(2, 4).resolve(Resources()).gpus == 1
    assert Capacity(2, 4).resolve(Resources(1, 0.25)).gpus == 0.25


def test_what_waits_of_one_request_keeps_nothing_of_another_from_its_room() -> None:
    three, two, one = Resources(3, 0), Resources(2, 0), Resources(1, 0)
    capacity = Capacity(4, 0)
    assert capacity.admits([three, two], one)  # there is room
    assert capacity.admits([three, one, two], three)  # the worker that has three will be free
    assert not capacity.admits([three, one, two], two)  # one waits already
