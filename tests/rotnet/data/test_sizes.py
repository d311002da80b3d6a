"""How large a set will be."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotnet.data.sizes import MARGIN, SAMPLE, Estimate, estimated, in_bytes, sampled


@given(st.integers(0, 200))
def test_the_sample_is_spread_from_the_first_to_the_last(count: int) -> None:
    items = list(range(count))
    some = sampled(items)
    assert len(some) == len(set(some)) == min(SAMPLE, count)
    assert some == sorted(some)
    if count > 1:
        assert (some[0], some[-1]) == (0, count - 1)
        gaps = [later - earlier for earlier, later in pairwise(some)]
        assert max(gaps) - min(gaps) <= 1


@given(
    sizes=st.lists(st.integers(1, 10**12), min_size=1, max_size=30),
    factor=st.integers(1, 50),
    chosen=st.integers(1, 8),
)
def test_an_estimate_is_right_where_all_videos_grow_alike(
    sizes: list[int], factor: int, chosen: int
) -> None:
    sample = [(size, factor * size) for size in sizes[:chosen]]
    found = estimated(sizes=sizes, sample=sample, free=7)
    assert found is not None
    assert found.num_bytes == pytest.approx(factor * sum(sizes))
    assert (found.free, found.videos) == (7, len(sample))


def test_nothing_known_is_no_estimate() -> None:
    assert estimated(sizes=[5, 6], sample=[], free=1) is None
    assert estimated(sizes=[0], sample=[(0, 0)], free=1) is None


def test_a_set_is_too_large_only_where_that_is_plain() -> None:
    assert not Estimate(round(MARGIN * 1000), 1000, 8).too_large
    assert Estimate(round(MARGIN * 1000) + 1, 1000, 8).too_large
    assert Estimate(1, 0, 8).too_large
    assert not Estimate(0, 0, 8).too_large


@pytest.mark.parametrize(
    ("storage", "offers"),
    [
        ("raw", "choose --format jpeg or h264, a smaller --short-side, another OUT"),
        ("jpeg", "choose --format h264, a smaller --short-side, another OUT"),
        ("h264", "a smaller --short-side, another OUT"),
    ],
)
def test_a_refusal_gives_sizes_and_the_ways_out(storage: str, offers: str) -> None:
    assert Estimate(1_600_000_000, 20_000_000, 8).refusal(storage) == (
        "the set would take about 1.6 GB (judged by 8 videos), and 20.0 MB are free: " + offers
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_600_000_000, "1.6 GB"),
        (999_999_999_999, "1.0 TB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes_are_written_as_people_do(number: int, text: str) -> None:
    assert in_bytes(number) == text


@given(st.integers(0, 10**14))
def test_a_written_size_is_the_size(number: int) -> None:
    amount, unit = in_bytes(number).split()
    factor = 1000 ** ["B", "kB", "MB", "GB", "TB"].index(unit)
    assert abs(float(amount) * factor - number) <= 0.05 * factor + 1
    assert float(amount) < 1000
