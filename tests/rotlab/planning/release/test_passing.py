"""Which stages may pass one that waits for more room than they need."""

from rotlab.planning.release.passing import Claim, may_start
from rotlab.planning.stage import Resources

SMALL, LARGE = Resources(1, 0.0), Resources(4, 0.0)


def test_small_stages_do_not_pass_a_much_more_urgent_large_one() -> None:
    large = Claim(LARGE, 3.0)
    running = [SMALL] * 3
    assert not may_start(Claim(SMALL, 1.0), [large], running, cpus=4, gpus=0)
    assert may_start(Claim(SMALL, 3.0), [large], running, cpus=4, gpus=0)  # as urgent
    assert may_start(Claim(SMALL, 1.0), [], running, cpus=4, gpus=0)


def test_they_do_where_something_at_work_will_leave_room_for_all_of_it() -> None:
    assert may_start(Claim(SMALL, 1.0), [Claim(LARGE, 3.0)], [LARGE], cpus=6, gpus=0)


def test_they_do_where_they_take_nothing_of_what_it_lacks() -> None:
    two_gpus = Claim(Resources(1, 2.0), 9.0)
    running = [Resources(1, 1.0)]
    assert may_start(Claim(SMALL, 1.0), [two_gpus], running, cpus=8, gpus=2)
    assert not may_start(Claim(Resources(1, 1.0), 1.0), [two_gpus], running, cpus=8, gpus=2)
