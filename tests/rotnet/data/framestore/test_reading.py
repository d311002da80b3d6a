"""Which packets a clip needs."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rotnet.data.framestore.reading import GAP, Read, needed, places_of, reads_of

INDICES = st.lists(st.integers(0, 400), min_size=1, max_size=24)
GROUPS = st.sampled_from([1, 2, 4, 8, 16])


@given(INDICES)
def test_every_place_of_a_clip_is_filled_once_by_its_frame(indices: list[int]) -> None:
    places = places_of(indices)
    assert list(places) == sorted(set(indices))
    filled = {place: index for index, shown in places.items() for place in shown}
    assert [filled[place] for place in range(len(indices))] == indices
    assert sum(map(len, places.values())) == len(indices)


@given(INDICES, GROUPS)
def test_reads_are_disjoint_and_bring_every_wanted_frame_once(
    indices: list[int], group: int
) -> None:
    wanted = sorted(set(indices))
    reads = reads_of(wanted, group)
    assert [index for read in reads for index in read.wanted] == wanted
    for read in reads:
        assert read.first % group == 0
        assert read.wanted[0] - read.first < group
        assert all(read.first <= index < read.end for index in read.wanted)
        assert read.end == read.wanted[-1] + 1
        assert all(later - earlier <= GAP + group for earlier, later in pairwise(read.wanted))
    assert all(later.first - earlier.end > GAP for earlier, later in pairwise(reads))


@given(INDICES, GROUPS)
def test_what_is_decoded_is_what_leads_to_a_wanted_frame_within_its_group(
    indices: list[int], group: int
) -> None:
    wanted = sorted(set(indices))
    expected = [
        packet
        for packet in range(wanted[-1] + 1)
        if any(packet <= index and packet // group == index // group for index in wanted)
    ]
    assert needed(wanted, group) == expected


@given(INDICES, GROUPS)
def test_every_read_can_be_decoded_by_itself(indices: list[int], group: int) -> None:
    wanted = sorted(set(indices))
    decoded = [
        read.first + packet
        for read in reads_of(wanted, group)
        for packet in needed([index - read.first for index in read.wanted], group)
    ]
    assert decoded == needed(wanted, group)


def test_worked_examples() -> None:
    assert places_of([0, 8, 4, 0]) == {0: [0, 3], 4: [2], 8: [1]}
    assert reads_of([3, 5, 17], 8) == [Read(0, 18, (3, 5, 17))]
    assert needed([3, 5, 9], 8) == [0, 1, 2, 3, 4, 5, 8, 9]


def test_a_looped_clip_is_two_reads_where_its_ends_are_far_apart() -> None:
    assert reads_of([0, 2, 200, 202], 8) == [Read(0, 3, (0, 2)), Read(200, 203, (200, 202))]
    assert reads_of([0, 2, 60, 62], 8) == [Read(0, 63, (0, 2, 60, 62))]


def test_nothing_wanted_is_nothing_read() -> None:
    assert places_of([]) == {}
    assert reads_of([], 8) == []
    assert needed([], 8) == []
