"""Fewer videos: nested, in whole units, the same whatever the order and the process."""

import os
import random
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotnet.data.subsets import few_shot, fraction_of
from rotnet.data.video import Video
from rotnet.errors import DataError


def video(path: str, label: str | None, group: str, sha256: str = "") -> Video:
    return Video(path, label, group, (), 20, 25.0, 8, 8, 0, None, sha256 or path, "ok", "", 8, 8, 0)


def groups(sizes: list[int], label: str | None = None) -> list[Video]:
    return [
        video(f"{label}/{group}/{number}", label, f"{label}/{group}")
        for group, size in enumerate(sizes)
        for number in range(size)
    ]


Sizes = st.lists(st.integers(1, 5), min_size=1, max_size=30)
Fraction = st.floats(0, 1, exclude_min=True)


@given(sizes=Sizes, fractions=st.tuples(Fraction, Fraction), seed=st.integers(0, 9))
def test_a_smaller_share_is_among_a_larger_one(
    sizes: list[int], fractions: tuple[float, float], seed: int
) -> None:
    videos = groups(sizes)
    less, more = (set(fraction_of(videos, each, seed)) for each in sorted(fractions))
    assert less <= more


@given(sizes=Sizes, fraction=Fraction, seed=st.integers(0, 9))
def test_a_share_is_whole_groups_near_its_size_and_independent_of_order(
    sizes: list[int], fraction: float, seed: int
) -> None:
    videos = groups(sizes)
    taken = fraction_of(videos, fraction, seed)
    assert taken
    left = {each.group for each in videos} - {each.group for each in taken}
    assert [each for each in videos if each.group not in left] == list(taken)
    if len(taken) > max(sizes):
        assert abs(len(taken) - fraction * len(videos)) <= max(sizes) / 2
    shuffled = random.Random(seed).sample(videos, len(videos))  # noqa: S311
    assert set(fraction_of(shuffled, fraction, seed)) == set(taken)


def test_of_videos_that_stand_alone_exactly_the_share_is_taken() -> None:
    videos = groups([1] * 200)
    for fraction in (0.005, 0.01, 0.1, 0.25, 0.5, 1.0):
        assert len(fraction_of(videos, fraction, seed=3)) == round(200 * fraction)


def test_the_whole_is_taken_in_the_given_order_and_something_always_is() -> None:
    videos = groups([3, 2, 1])
    assert fraction_of(videos, 1.0, seed=0) == tuple(videos)
    assert fraction_of(videos, 1e-9, seed=0)
    assert fraction_of([], 0.5, seed=0) == ()


def test_identical_files_are_taken_together() -> None:
    twins = [video(str(k), None, str(k), sha256=str(k // 2)) for k in range(60)]
    for seed in range(5):
        assert set(Counter(v.sha256 for v in fraction_of(twins, 0.3, seed)).values()) == {2}


def test_another_seed_takes_other_videos() -> None:
    videos = [*groups([1] * 30, "run"), *groups([1] * 30, "walk")]
    assert len({fraction_of(videos, 0.2, seed) for seed in range(5)}) == 5
    assert len({few_shot(videos, 3, seed) for seed in range(5)}) == 5


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.1])
def test_a_fraction_outside_its_range_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction must be"):
        fraction_of(groups([1, 1]), fraction, seed=0)


@given(
    sizes=st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=8), min_size=1, max_size=4),
    seed=st.integers(0, 9),
)
def test_shots_are_nested_spread_over_groups_and_independent_of_order(
    sizes: list[list[int]], seed: int
) -> None:
    videos = [each for k, own in enumerate(sizes) for each in groups(own, f"class{k}")]
    most = min(sum(own) for own in sizes)
    shuffled = random.Random(seed).sample(videos, len(videos))  # noqa: S311
    before: set[Video] = set()
    for shots in range(1, most + 1):
        taken = few_shot(videos, shots, seed)
        assert list(taken) == [each for each in videos if each in taken]
        assert before < set(taken)
        assert set(few_shot(shuffled, shots, seed)) == set(taken)
        for k, own in enumerate(sizes):
            of_class = [each for each in taken if each.label == f"class{k}"]
            assert len(of_class) == shots
            assert len({each.group for each in of_class}) == min(shots, len(own))
        before = set(taken)


def test_a_group_of_several_classes_gives_shots_to_each() -> None:
    persons = [video(f"{p}_{a}", a, p) for p in "abcde" for a in ("run", "walk")]
    taken = few_shot(persons, 2, seed=0)
    assert Counter(each.label for each in taken) == {"run": 2, "walk": 2}


def test_a_class_with_too_few_videos_is_named() -> None:
    videos = [*groups([4], "run"), *groups([1, 1], "walk")]
    with pytest.raises(DataError, match=r"'walk' has 2 training videos, and 3 shots .* at most 2"):
        few_shot(videos, 3, seed=0)


def test_shots_need_labels_and_a_number() -> None:
    with pytest.raises(ValueError, match="has no label"):
        few_shot(groups([1]), 1, seed=0)
    with pytest.raises(ValueError, match="at least 1"):
        few_shot(groups([1], "run"), 0, seed=0)


PRINT_CHOSEN = """
from rotnet.data.video import Video
from rotnet.data.subsets import few_shot, fraction_of
videos = [
    Video(f"{c}{g}{n}", c, c + g, (), 9, 25.0, 8, 8, 0, None, "", "ok", "", 8, 8, 0)
    for c in "xy" for g in "abcdefgh" for n in "12"
]
for chosen in (fraction_of(videos, 0.4, 1), few_shot(videos, 3, 1)):
    print(*(each.path for each in chosen))
"""


def test_the_process_plays_no_part() -> None:
    said = {
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", PRINT_CHOSEN],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert said != {b""}
