"""HMDB51 with lists of its form, and with its own where they are at hand."""

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, Splits, hmdb51
from rotnet.errors import DataError

Touch = Callable[..., Path]
Write = Callable[[str, str], Path]
Dealt = Callable[[Kind, Path], Splits]

# Names as the official lists have them: classes within names, and signs that tools stumble over.
KICK = [
    "kick__Best_CHUCK_NORRIS_kick_to_the_nuts!_kick_f_cm_np1_ba_goo_0.avi",
    "Amazing_Soccer_#2_kick_f_cm_np1_ba_bad_5.avi",
    "[Film];&~@+(x)_kick_f_cm_np1_fr_med_1.avi",
]
KICK_BALL = [
    "Amazing_Soccer_#2_kick_ball_f_cm_np1_ba_bad_5.avi",
    "Smile!_kick_ball_f_cm_np1_fr_goo_0.avi",
    "Smile_kick_ball_f_cm_np1_fr_goo_0.avi",
]


@pytest.fixture
def lists(write: Write) -> Path:
    """Two classes of three videos; the sides of a video are turned from split to split."""
    for split in (1, 2, 3):
        for label, names in (("kick", KICK), ("kick_ball", KICK_BALL)):
            lines = [f"{name} {(k + split) % 3} \n" for k, name in enumerate(names)]
            folder = write(f"lists/{label}_test_split{split}.txt", "".join(lines)).parent
    return folder


def test_labels_are_those_of_the_lists_not_of_names_or_folders(
    lists: Path, touch: Touch, dealt: Dealt
) -> None:
    splits = dealt(hmdb51(lists, allow_missing=True), touch(*(f"x/{n}" for n in KICK + KICK_BALL)))
    assert {video.path: video.label for video in splits.videos} == {
        **{f"x/{name}": "kick" for name in KICK},
        **{f"x/{name}": "kick_ball" for name in KICK_BALL},
    }


def test_one_is_train_two_is_test_and_nought_is_unused(
    lists: Path, touch: Touch, dealt: Dealt
) -> None:
    splits = dealt(hmdb51(lists, allow_missing=True), touch(*KICK, *KICK_BALL))
    sides = {video.path: video.splits for video in splits.videos}
    assert [sides[name] for name in KICK] == [
        ("train", "test", "unused"),
        ("test", "unused", "train"),
        ("unused", "train", "test"),
    ]


def test_the_group_is_the_film_before_the_last_class_in_the_name(
    lists: Path, touch: Touch, dealt: Dealt
) -> None:
    splits = dealt(hmdb51(lists, allow_missing=True), touch(*KICK, *KICK_BALL))
    groups = {video.path: video.group for video in splits.videos}
    assert groups[KICK[0]] == "kick__Best_CHUCK_NORRIS_kick_to_the_nuts!"
    assert groups[KICK[1]] == groups[KICK_BALL[0]] == "Amazing_Soccer_#2"


def test_special_characters_may_have_been_replaced_or_dropped(
    lists: Path, touch: Touch, dealt: Dealt
) -> None:
    released = [KICK[0].replace("!", "_"), KICK[1].replace("#", ""), *KICK_BALL]
    mangled = "_Film______x__kick_f_cm_np1_fr_med_1.mp4"
    kind = hmdb51(lists, allow_missing=True)
    splits = dealt(kind, touch(*released, mangled))
    assert Counter(video.label for video in splits.videos) == {"kick": 3, "kick_ball": 3}
    assert {video.path: video.group for video in splits.videos}[mangled] == "[Film];&~@+(x)"


def test_names_that_differ_in_signs_only_are_two_videos(lists: Path, touch: Touch) -> None:
    kind = hmdb51(lists, allow_missing=True)
    found = {each.path: each.group for each in kind.find(touch(*KICK, *KICK_BALL[:2])).candidates}
    assert found[KICK_BALL[1]] == "Smile!"
    assert len(found) == 5
    loose = touch(*KICK, "SMILE_kick_ball_f_cm_np1_fr_goo_0.avi", below="loose")
    listing = kind.find(loose)  # may be either of two, so it is neither
    assert (listing.counts["missing"], listing.counts["unlisted"]) == (3, 1)


def test_lists_that_are_none_are_refused(lists: Path, write: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no list named"):
        hmdb51(tmp_path)
    write("lists/kick_test_split1.txt", "a.avi 3\n")
    with pytest.raises(DataError, match=r"'a\.avi 3' is not a file's name and 0, 1 or 2"):
        hmdb51(lists)
    write("lists/kick_test_split1.txt", "a_run_f.avi 1\n")
    with pytest.raises(DataError, match=r"a_run_f\.avi is on a list of kick"):
        hmdb51(lists)


def test_the_official_lists_have_the_published_counts(shared_data: Path) -> None:
    kind = hmdb51(shared_data / "hmdb51" / "lists")
    assert not kind.faults
    assert len(kind.entries) == 6766
    for index in range(3):
        sides = Counter(entry.sides[index] for entry in kind.entries)
        assert sides == {"train": 3570, "test": 1530, "unused": 1666}
        of_class = Counter((entry.label, entry.sides[index]) for entry in kind.entries)
        assert {of_class[label, "train"] for label, _ in of_class} == {70}
        assert {of_class[label, "test"] for label, _ in of_class} == {30}


def test_no_film_of_the_official_lists_both_trains_and_tests_a_class(shared_data: Path) -> None:
    entries = hmdb51(shared_data / "hmdb51" / "lists").entries
    assert len({entry.group for entry in entries}) == 1407
    for index in range(3):
        sides = defaultdict(set)
        for entry in entries:
            sides[entry.label, entry.group].add(entry.sides[index])
        assert not any({"train", "test"} <= found for found in sides.values())


def test_every_official_name_finds_its_own_file(shared_data: Path, touch: Touch) -> None:
    kind = hmdb51(shared_data / "hmdb51" / "lists")
    source = touch(*(f"{entry.label}/{entry.name}" for entry in kind.entries))
    listing = kind.find(source)
    assert not listing.notes
    assert len(listing.candidates) == 6766
    for found in listing.candidates:
        assert found.path.startswith(f"{found.label}/{found.group}_{found.label}_")
