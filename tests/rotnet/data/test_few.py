"""A few videos in place of all: few, of both sides' classes, and good for what all are good for."""

import hypothesis
from hypothesis import strategies as st

from rotnet.data.few import few_videos, given
from rotnet.data.holdout import hold_out
from rotnet.data.manifest import Manifest
from rotnet.data.video import Video
from rotnet.errors import DataError

Rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 6), st.integers(5, 40)), max_size=60
)


def made(rows: list[tuple[str | None, int, int]]) -> list[Video]:
    """Return videos of these labels, groups and lengths."""
    return [
        Video(
            f"{number}",
            label,
            f"g{group}",
            (),
            frames,
            25.0,
            8,
            8,
            0,
            None,
            f"{number}",
            "ok",
            "",
            8,
            8,
        )
        for number, (label, group, frames) in enumerate(rows)
    ]


def is_good(videos: list[Video] | tuple[Video, ...]) -> bool:
    try:
        return bool(hold_out(videos, 0.2, 0)[1])
    except DataError:
        return False


@hypothesis.given(rows=Rows, labelled=st.booleans())
def test_a_few_can_be_held_out_in_part_where_all_can(
    rows: list[tuple[str, int, int]], labelled: bool
) -> None:
    videos = made([(label if labelled else None, group, frames) for label, group, frames in rows])
    with few_videos(8):
        few = given(videos)
    assert len(few) <= 8
    assert set(few) <= set(videos)
    assert not is_good(videos) or is_good(few)


@hypothesis.given(rows=Rows.filter(bool))
def test_the_longest_video_of_some_class_is_among_them(rows: list[tuple[str, int, int]]) -> None:
    videos = made([(None, group, frames) for _, group, frames in rows])
    with few_videos(4):
        assert max(v.frames for v in given(videos)) == max(v.frames for v in videos)


def test_a_set_gives_a_few_of_the_same_classes_on_both_sides(actions: Manifest) -> None:
    whole = actions.select("train", 1)
    with few_videos(4):
        train, test = actions.select("train", 1), actions.select("test", 1)
        assert len(actions.select("pretrain").videos) == 4
    assert (len(train.videos), len(test.videos)) == (4, 2)  # a class has one test video
    assert {v.label for v in train.videos} == {v.label for v in test.videos}
    assert len({v.label for v in train.videos}) == 2
    assert (train.fingerprint, train.classes, train.split) == (
        whole.fingerprint,
        whole.classes,
        whole.split,
    )
    assert actions.select("train", 1) == whole


def test_what_both_sides_have_comes_before_what_only_one_has() -> None:
    train = made([("a", 0, 9), ("a", 1, 9), ("a", 2, 9), ("b", 0, 9), ("c", 1, 9)])
    test = made([("b", 4, 9), ("c", 5, 9), ("d", 6, 9)])
    with few_videos(2):
        assert {v.label for v in given(train, (train, test))} == {"b", "c"}
        assert {v.label for v in given(test, (train, test))} == {"b", "c"}


@hypothesis.given(classes=st.integers(1, 40), wanted=st.integers(1, 60))
def test_twice_as_many_as_are_wanted_of_any_number_of_classes_are_at_least_as_many(
    classes: int, wanted: int
) -> None:
    videos = made([(f"c{number % classes}", number, 9) for number in range(classes * 120)])
    with few_videos(2 * wanted, 2 * wanted):
        assert wanted <= len(given(videos)) <= 2 * wanted
