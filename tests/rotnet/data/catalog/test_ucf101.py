"""UCF101 with lists of its form, and with its own where they are at hand."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, Splits, ucf101
from rotnet.errors import DataError

Touch = Callable[..., Path]
Write = Callable[[str, str], Path]
Dealt = Callable[[Kind, Path], Splits]

SWING = [f"Swing/v_Swing_g{group:02}_c01.avi" for group in range(1, 5)]
HAND = [f"HandstandPushups/v_HandstandPushups_g{group:02}_c01.avi" for group in range(1, 5)]


@pytest.fixture
def lists(write: Write) -> Path:
    """Two classes of four groups; split k tests group k, and group 4 is on no list of split 3."""
    for split in (1, 2, 3):
        train, test = "", ""
        for index, names in ((37, HAND), (89, SWING)):
            for group, name in enumerate(names, start=1):
                if group == split:
                    test += f"{name}\n"
                elif (split, group) != (3, 4):
                    train += f"{name} {index}\r\n"
        write(f"lists/trainlist0{split}.txt", train + "\n")
        folder = write(f"lists/testlist0{split}.txt", test).parent
    return folder


def test_splits_labels_and_groups_are_those_of_the_lists(
    lists: Path, touch: Touch, dealt: Dealt
) -> None:
    splits = dealt(ucf101(lists, allow_missing=True), touch(*SWING, *HAND))
    assert splits.number == 3
    assert {video.path: video.splits for video in splits.videos if "Swing" in video.path} == {
        SWING[0]: ("test", "train", "train"),
        SWING[1]: ("train", "test", "train"),
        SWING[2]: ("train", "train", "test"),
        SWING[3]: ("train", "train", "unused"),
    }
    assert {(video.label, video.group) for video in splits.videos} == {
        (label, f"{label}/g0{group}")
        for label in ("Swing", "HandstandPushups")
        for group in (1, 2, 3, 4)
    }


def test_another_suffix_folder_and_the_stand_of_handstand_do_not_matter(
    lists: Path, touch: Touch, dealt: Dealt
) -> None:
    released = [name.replace("v_Hands", "v_HandS") for name in HAND]
    reencoded = [name.split("/")[1].replace(".avi", ".mp4") for name in SWING]
    splits = dealt(ucf101(lists, allow_missing=True), touch(*released, *reencoded))
    assert Counter(video.label for video in splits.videos) == {"HandstandPushups": 4, "Swing": 4}
    assert {video.path for video in splits.videos} == {*released, *reencoded}


def test_a_partial_copy_says_what_is_missing_and_goes_on_only_if_allowed(
    lists: Path, touch: Touch
) -> None:
    source = touch(*SWING[:3], "Swing/mine.avi")
    with pytest.raises(DataError) as caught:
        ucf101(lists).find(source)
    said = str(caught.value)
    assert "5 of 8 listed videos are missing" in said
    assert "all of 1 class (HandstandPushups) and 1 besides (Swing/v_Swing_g04_c01.avi)" in said
    assert "the lists give split 1 6 training and 2 test videos, published are 9,537 and" in said
    assert "--allow-missing" in said
    found = ucf101(lists, allow_missing=True).find(source)
    assert found.counts == {"listed": 8, "missing": 5, "unlisted": 1}
    assert len(found.candidates) == 3
    assert any("5 of 8 listed videos are missing" in note for note in found.notes)
    assert any("on no list, not used: 1 (Swing/mine.avi)" in n for n in found.notes)


def test_no_listed_video_at_all_is_an_error_that_nothing_allows(lists: Path, touch: Touch) -> None:
    with pytest.raises(DataError, match=r"holds none of the 8 videos .* first is other\.avi"):
        ucf101(lists, allow_missing=True).find(touch("other.avi"))


def test_two_files_of_one_video_are_named(lists: Path, touch: Touch) -> None:
    source = touch(*SWING, *HAND, "mp4/v_Swing_g01_c01.mp4")
    with pytest.raises(DataError, match=r"2 files for Swing/v_Swing_g01_c01.*mp4/v_Swing"):
        ucf101(lists, allow_missing=True).find(source)


def test_the_set_is_known_by_what_its_lists_say(lists: Path, write: Write) -> None:
    before = ucf101(lists).settings
    path = lists / "testlist01.txt"
    path.write_text(path.read_text().replace("\n", "  \r\n\r\n"))
    assert ucf101(lists).settings == before
    write("lists/trainlist03.txt", "")
    assert ucf101(lists).settings != before


def test_lists_that_contradict_or_are_none_are_refused(lists: Path, write: Write) -> None:
    write("lists/testlist01.txt", f"{SWING[1]}\n")
    with pytest.raises(DataError, match="both trains and tests split 1"):
        ucf101(lists)
    write("lists/testlist01.txt", "a line\n")
    with pytest.raises(DataError, match=r"testlist01\.txt: 'a line' is not Class/v_"):
        ucf101(lists)
    (lists / "testlist01.txt").unlink()
    with pytest.raises(DataError, match=r"testlist01\.txt does not exist"):
        ucf101(lists)


def test_a_split_that_is_left_without_a_side_is_told(
    lists: Path, touch: Touch, dealt: Dealt
) -> None:
    splits = dealt(ucf101(lists, allow_missing=True), touch(SWING[0], HAND[1]))
    assert "split 1 tests classes that nothing trains: Swing" in splits.note
    assert "split 3 has no test videos" in splits.note


def test_the_official_lists_have_the_published_counts_and_keep_groups_whole(
    shared_data: Path,
) -> None:
    kind = ucf101(shared_data / "ucf101" / "lists")
    assert not kind.faults
    assert len(kind.entries) == 13320
    assert len({entry.label for entry in kind.entries}) == 101
    for index in range(3):
        side_of: dict[str | None, set[str]] = {}
        for entry in kind.entries:
            side_of.setdefault(entry.group, set()).add(entry.sides[index])
        assert all(len(sides) == 1 for sides in side_of.values())


def test_the_real_part_has_the_splits_that_its_lists_give(shared_data: Path, dealt: Dealt) -> None:
    kind = ucf101(shared_data / "ucf101" / "lists", allow_missing=True)
    splits = dealt(kind, shared_data / "ucf101" / "videos")
    sides = [Counter(video.splits[k] for video in splits.videos) for k in range(3)]
    assert [(each["train"], each["test"]) for each in sides] == [(294, 106), (279, 121), (279, 121)]
    assert splits.note == ""
