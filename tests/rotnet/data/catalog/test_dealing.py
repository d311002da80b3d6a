"""Splits as given: what is odd about them is said."""

from dataclasses import replace

from rotnet.data.catalog.dealing import as_given, named
from rotnet.data.catalog.kind import Sides
from rotnet.data.video import Video


def video(path: str, label: str, sha256: str = "") -> Video:
    return Video(path, label, path, (), 20, 25.0, 8, 8, 0, None, sha256 or path, "ok", "", 8, 8, 0)


def test_given_sides_become_splits_without_a_remark() -> None:
    videos = [video("a", "run"), video("b", "run")]
    splits = as_given(videos, {"a": ("train", "unused"), "b": ("test", "test"), "lost": ("test",)})
    assert [each.splits for each in splits.videos] == [("train", "unused"), ("test", "test")]
    assert splits.note == "split 2 has no training videos"


def test_a_test_video_that_is_byte_for_byte_a_training_video_is_counted() -> None:
    videos = [video("a", "run", "x"), video("b", "run", "x"), video("c", "run")]
    sides: dict[str, Sides] = {"a": ("train",), "b": ("test",), "c": ("test",)}
    splits = as_given(videos, sides)
    assert splits.note == "split 1: test videos that are byte for byte a training video: 1"
    other = [*videos[:1], replace(videos[1], sha256="y"), videos[2]]
    assert as_given(other, sides).note == ""


def test_long_rows_of_names_are_cut() -> None:
    assert named(["a", "b", "c"]) == "a, b, c"
    assert named(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
