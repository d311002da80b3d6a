"""Holding out: whole groups, every class, the same whatever the order."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotnet.data.holdout import hold_out
from rotnet.data.video import Video
from rotnet.errors import DataError


def video(path: str, label: str | None, group: str, sha256: str = "") -> Video:
    return Video(path, label, group, (), 20, 25.0, 8, 8, 0, None, sha256 or path, "ok", "", 8, 8, 0)


def dataset(classes: int, groups: int, each: int) -> list[Video]:
    return [
        video(f"{label}/{group}/{number}", str(label), f"{label}/{group}")
        for label in range(classes)
        for group in range(groups)
        for number in range(each)
    ]


def persons(number: int, actions: int) -> list[Video]:
    return [
        video(f"{person}_{action}", str(action), str(person))
        for person in range(number)
        for action in range(actions)
    ]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=4, max_size=30),
    fraction=st.floats(0.05, 0.6),
    seed=st.integers(0, 99),
    labelled=st.booleans(),
)
def test_parts_are_disjoint_whole_and_independent_of_order(
    sizes: list[int], fraction: float, seed: int, labelled: bool
) -> None:
    videos = [
        video(f"{group}/{number}", str(group % 2) if labelled else None, str(group))
        for group, size in enumerate(sizes)
        for number in range(size)
    ]
    kept, held = hold_out(videos, fraction, seed)
    assert kept
    assert held
    assert sorted(v.path for v in kept + held) == sorted(v.path for v in videos)
    assert not {v.group for v in kept} & {v.group for v in held}
    assert {v.label for v in kept} == {v.label for v in videos}
    shuffled = random.Random(seed).sample(videos, len(videos))  # noqa: S311
    assert set(hold_out(shuffled, fraction, seed)[1]) == set(held)


def test_every_class_gives_its_share() -> None:
    _, held = hold_out(dataset(5, 20, 4), 0.3, seed=1)
    assert Counter(v.label for v in held) == {str(label): 24 for label in range(5)}


def test_small_shares_are_spread_over_classes() -> None:
    _, held = hold_out(dataset(10, 5, 1), 0.1, seed=1)
    assert len(held) == 5
    assert max(Counter(v.label for v in held).values()) == 1


def test_a_person_in_every_class_is_held_out_whole() -> None:
    kept, held = hold_out(persons(9, 10), 0.1, seed=0)
    assert (len(kept), len(held)) == (80, 10)
    assert len({v.group for v in held}) == 1


def test_another_seed_holds_out_others() -> None:
    chosen = {frozenset(v.path for v in hold_out(dataset(2, 30, 1), 0.2, s)[1]) for s in range(5)}
    assert len(chosen) == 5


def test_identical_files_stay_together() -> None:
    twins = [video(f"{k}", None, f"{k}", sha256=str(k // 2)) for k in range(40)]
    for seed in range(5):
        kept, held = hold_out(twins, 0.3, seed)
        assert not {v.sha256 for v in kept} & {v.sha256 for v in held}


def test_one_group_cannot_be_parted() -> None:
    with pytest.raises(DataError, match="cannot hold out"):
        hold_out([video("1", None, "a"), video("2", None, "a")], 0.5, 0)


def test_a_group_that_is_more_than_the_share_is_still_held_out() -> None:
    big = [video(f"{k}", None, str(k % 3)) for k in range(30)]
    kept, held = hold_out(big, 0.05, 0)
    assert (len(kept), len(held)) == (20, 10)


@pytest.mark.parametrize("fraction", [1.0, -0.1])
def test_a_fraction_outside_its_range_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction must be"):
        hold_out(dataset(1, 4, 1), fraction, 0)


def test_nothing_is_held_out_of_a_fraction_of_zero() -> None:
    videos = dataset(1, 4, 1)
    assert hold_out(videos, 0.0, 0) == (tuple(videos), ())
