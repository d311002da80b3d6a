"""UT-Interaction by its names alone: two sets of ten sequences."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, Splits, UtInteractionKind
from rotnet.errors import DataError

Touch = Callable[..., Path]
Dealt = Callable[[Kind, Path], Splits]
BOTH = [
    f"segmented_set{which}/{index}_{10 * (which - 1) + index // 6 + 1}_{index % 6}.avi"
    for which in (1, 2)
    for index in range(60)
]


def test_split_k_holds_out_sequence_k_and_leaves_the_other_set_alone(
    touch: Touch, dealt: Dealt
) -> None:
    splits = dealt(UtInteractionKind(), touch(*BOTH))
    assert splits.number == 20
    for k in range(20):
        own = "set1" if k < 10 else "set2"
        for video in splits.videos:
            of_set, _, sequence = video.group.partition("/")
            held = sequence == f"seq{k + 1:02}"
            expected = "unused" if of_set != own else "test" if held else "train"
            assert video.splits[k] == expected
        sides = Counter(video.splits[k] for video in splits.videos)
        assert sides == {"train": 54, "test": 6, "unused": 60}


@pytest.mark.parametrize("only", [1, 2])
def test_one_set_alone_has_ten_splits(only: int, touch: Touch, dealt: Dealt) -> None:
    source = touch(*BOTH)
    kind = UtInteractionKind(only=1 if only == 1 else 2)
    splits = dealt(kind, source)
    assert (splits.number, len(splits.videos)) == (10, 60)
    assert {video.group.partition("/")[0] for video in splits.videos} == {f"set{only}"}
    assert Counter(video.splits[0] for video in splits.videos) == {"train": 54, "test": 6}
    assert kind.find(source).notes == ("60 videos of the other set are not used",)


def test_the_third_number_is_the_class(touch: Touch) -> None:
    found = UtInteractionKind(allow_missing=True).find(touch("7_2_5.mp4", "8_2_0.mp4", "9_2_3.mp4"))
    assert [each.label for each in found.candidates] == ["push", "hand-shake", "point"]


def test_what_is_missing_is_said_and_needs_a_word(touch: Touch, dealt: Dealt) -> None:
    source = touch(*BOTH[:59])
    with pytest.raises(DataError, match=r"1 of the 60 videos of set 1 and 60 .* of set 2 .*--set"):
        UtInteractionKind().find(source)
    with pytest.raises(DataError, match="59 videos of the other set, none of set 2"):
        UtInteractionKind(only=2).find(source)
    assert dealt(UtInteractionKind(allow_missing=True), source).number == 10


def test_a_single_sequence_cannot_be_left_out(touch: Touch, dealt: Dealt) -> None:
    source = touch("0_3_1.avi", "1_3_2.avi")
    with pytest.raises(DataError, match=r"single sequence, set1/seq03"):
        dealt(UtInteractionKind(allow_missing=True), source)


def test_other_names_are_refused_and_doubles_named(touch: Touch) -> None:
    source = touch("1_2_3.avi", "1_21_3.avi", "1_2_6.avi", "0_0_0.avi", "seq1.avi")
    found = UtInteractionKind(allow_missing=True).find(source)
    assert [each.path for each in found.candidates if not each.refusal] == ["1_2_3.avi"]
    with pytest.raises(DataError, match=r"1_2_3 twice, 1_2_3\.avi and copy/1_2_3\.mp4"):
        UtInteractionKind(allow_missing=True).find(touch("copy/1_2_3.mp4"))


def test_the_real_sets_are_whole(shared_data: Path, dealt: Dealt) -> None:
    splits = dealt(UtInteractionKind(), shared_data / "ut_interaction")
    assert (splits.number, len(splits.videos)) == (20, 120)
    assert set(Counter(video.label for video in splits.videos).values()) == {20}
