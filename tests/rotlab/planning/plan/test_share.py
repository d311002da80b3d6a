"""Shares of a device: as many stages as their memory leaves room for, and no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotlab.execution.conduct.capacity import Capacity
from rotlab.planning.filling import JUDGED
from rotlab.planning.plan.share import MARGIN, MOST, Peak, fraction, share
from rotlab.planning.stage import Resources
from rotnet.learning.course import JUDGED_TOGETHER

GIB = 2**30


@given(st.integers(0, 100 * GIB), st.integers(1, 100 * GIB))
def test_all_that_share_a_device_fit_into_it_with_a_margin(peak: int, total: int) -> None:
    part = share(Peak("A", total, peak))
    number = round(1 / part)
    assert 1 <= number <= MOST
    assert number == 1 or number * peak * MARGIN <= total
    assert number == MOST or (number + 1) * peak * MARGIN > total


def test_what_needs_more_than_half_has_a_device_alone() -> None:
    assert share(Peak("A", 100, 43)) == 1.0
    assert share(Peak("A", 100, 41)) == 0.5
    assert share(Peak("A", 100, 200)) == 1.0


@pytest.mark.parametrize("number", range(1, MOST + 1))
def test_so_many_shares_are_held_by_one_device_and_one_more_is_not(number: int) -> None:
    part = Resources(1, fraction(number))
    held = Capacity(cpus=64, gpus=1).room([part] * (number + 1))
    assert held == [True] * number + [False]


def test_a_share_that_is_measured_is_not_stated_as_well() -> None:
    with pytest.raises(ValueError, match="not stated"):
        Resources(1, 0.5, measured=True)
    with pytest.raises(ValueError, match="one process"):
        Resources(2, processes=2, measured=True)


def test_until_it_is_measured_a_whole_device_is_taken_and_none_where_there_is_none() -> None:
    asked = Resources(2, measured=True)
    assert asked.resolved(has_gpu=True) == Resources(2, 1.0)
    assert asked.resolved(has_gpu=False) == Resources(2, 0.0)


def test_as_many_views_are_judged_together_as_a_training_judges() -> None:
    assert JUDGED == JUDGED_TOGETHER
