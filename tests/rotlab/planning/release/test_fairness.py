"""Shares of a cluster: by weight, in whole stages, nothing idle, and at rest in the end."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rotlab.planning.release.fairness import Wish, limit, missing, shares


def test_shares_are_by_weight_and_runs_of_one_study_have_one_together() -> None:
    a, b, again = Wish("a", 2, 0, 0), Wish("b", 1, 0, 0), Wish("a", 2, 0, 0)
    assert shares([a, b]) == pytest.approx([2 / 3, 1 / 3])
    assert shares([a, b, again]) == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_alone_and_beside_those_who_lack_nothing_all_may_be_taken() -> None:
    own = Wish("a", 1, 1.0, 0.25)
    assert limit(own, [], []) is None
    idle = Wish("b", 1, 0.0, 0.0)
    assert limit(own, [idle], [idle]) is None
    other = Wish("b", 1, 0.0, 0.25)
    assert limit(own, [other], []) is None  # it has not waited yet


def test_what_lacks_less_than_a_stage_is_given_no_way() -> None:
    own, other = Wish("a", 1, 2 / 3, 1 / 3), Wish("b", 1, 1 / 3, 1 / 3)
    assert missing(other, 0.5) == 0
    assert limit(own, [other], [other]) is None


def test_a_run_gives_way_by_what_the_other_lacks_and_takes_no_more_until_it_has_that() -> None:
    other = Wish("b", 1, 0.0, 0.25)
    assert limit(Wish("a", 1, 1.0, 0.25), [other], [other]) == 0.5
    assert limit(Wish("a", 1, 0.75, 0.25), [other], [other]) == 0.5
    half = Wish("b", 1, 0.25, 0.25)
    assert limit(Wish("a", 1, 0.5, 0.25), [half], [half]) == 0.5  # at its share, and no further
    full = Wish("b", 1, 0.5, 0.25)
    assert limit(Wish("a", 1, 0.5, 0.25), [full], [full]) is None
    light = Wish("b", 0.5, 0.0, 0.25)
    assert limit(Wish("a", 1, 0.75, 0.25), [light], [light]) == 0.75  # there is room; it comes


@example(weights=[0.5, 1.0, 0.5], first=0, slots=4, seed=random.Random(0))  # noqa: S311
@given(
    weights=st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=2, max_size=4),
    first=st.integers(0, 3),
    slots=st.integers(4, 24),
    seed=st.randoms(use_true_random=False),
)
def test_whoever_had_all_shares_come_to_be_held_and_then_nothing_moves(
    weights: list[float], first: int, slots: int, seed: object
) -> None:
    """All have more to do than there is room for, and what is free goes to whoever comes first."""
    rolls = seed
    held = [0] * len(weights)
    held[first % len(weights)] = slots

    def wishes() -> list[Wish]:
        return [
            Wish(str(i), w, n / slots, 1 / slots)
            for i, (w, n) in enumerate(zip(weights, held, strict=True))
        ]

    before = None
    for _ in range(40 * slots):
        told = wishes()
        most = [limit(one, [o for o in told if o is not one], told) for one in told]
        for i, bound in enumerate(most):
            if bound is not None and held[i] > max(1, round(bound * slots - 0.499999)):
                held[i] -= 1  # a worker ends after its stage
        order = list(range(len(weights)))
        rolls.shuffle(order)  # type: ignore[attr-defined]
        for i in order:
            may = most[i]
            if sum(held) < slots and (may is None or (held[i] + 1) / slots <= may + 1e-6):
                held[i] += 1
        if held == before:
            break
        before = list(held)
    assert sum(held) == slots  # nothing is idle
    due = shares(wishes())
    for number, share in zip(held, due, strict=True):
        assert number >= 1
        assert number > share * slots - 1 - 1e-6
