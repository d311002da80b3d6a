"""What names and folders say, on empty files: nothing is opened."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import FolderKind, Kind, Listing, Splits
from rotnet.errors import DataError

Touch = Callable[..., Path]
Dealt = Callable[[Kind, Path], Splits]


def labels(listing: Listing) -> dict[str, str | None]:
    return {found.path: found.label for found in listing.candidates}


def test_the_first_folder_is_the_class(touch: Touch) -> None:
    found = FolderKind().find(touch("run/a.mp4", "run/deep/b.AVI", "walk/c.webm"))
    assert labels(found) == {"run/a.mp4": "run", "run/deep/b.AVI": "run", "walk/c.webm": "walk"}


def test_videos_without_folders_are_unlabelled(touch: Touch, dealt: Dealt) -> None:
    source = touch("b.mp4", "a.mp4")
    assert labels(FolderKind().find(source)) == {"a.mp4": None, "b.mp4": None}
    assert dealt(FolderKind(), source).number == 0


def test_hidden_files_are_skipped_and_others_are_counted(touch: Touch) -> None:
    found = FolderKind().find(
        touch("a.mp4", ".b.mp4", ".hidden/c.mp4", "list.txt", "deep/readme.md")
    )
    assert [each.path for each in found.candidates] == ["a.mp4"]
    assert found.ignored == 2


def test_videos_beside_and_inside_folders_need_a_word(touch: Touch) -> None:
    folder = touch("a.mp4", "run/b.mp4")
    with pytest.raises(DataError, match="both beside folders and inside them"):
        FolderKind().find(folder)
    assert labels(FolderKind(unlabelled=True).find(folder)) == {"a.mp4": None, "run/b.mp4": None}


def test_train_and_test_folders_are_the_split(touch: Touch, dealt: Dealt) -> None:
    folder = touch("train/run/a.mp4", "Val/run/b.mp4", "test/walk/c.mp4")
    assert set(labels(FolderKind().find(folder)).values()) == {"run", "walk"}
    splits = dealt(FolderKind(), folder)
    assert splits.number == 1
    assert {video.path: video.splits for video in splits.videos} == {
        "Val/run/b.mp4": ("train",),
        "test/walk/c.mp4": ("test",),
        "train/run/a.mp4": ("train",),
    }
    assert splits.note == "split 1 tests classes that nothing trains: walk"


def test_train_and_test_folders_without_classes_are_unlabelled(touch: Touch) -> None:
    found = FolderKind().find(touch("train/a.mp4", "test/b.mp4"))
    assert set(labels(found).values()) == {None}
    with pytest.raises(DataError, match="beside class folders and inside"):
        FolderKind().find(touch("train/run/c.mp4"))


def test_groups_are_those_of_ucf101_or_the_video_itself(touch: Touch) -> None:
    found = FolderKind().find(
        touch(
            "x/v_Dive_g01_c01.mp4",
            "x/v_Dive_g01_c02.mp4",
            "y/v_Swim_g01_c01.avi",
            "y/b.avi",
        )
    )
    assert [each.group for each in found.candidates] == [
        "Dive/g01",
        "Dive/g01",
        "y/b.avi",
        "Swim/g01",
    ]


def test_random_splits_share_no_group_and_hold_out_every_class(touch: Touch, dealt: Dealt) -> None:
    names = [
        f"{label}/v_{label}_g{group:02}_c{clip:02}.mp4"
        for label in ("Dive", "Swim")
        for group in range(10)
        for clip in range(3)
    ]
    splits = dealt(FolderKind(num_splits=4, test_fraction=0.3), touch(*names))
    assert splits.number == 4
    for index in range(4):
        test = [video for video in splits.videos if video.splits[index] == "test"]
        train = [video for video in splits.videos if video.splits[index] == "train"]
        assert (len(test), len(train)) == (18, 42)
        assert {video.label for video in test} == {"Dive", "Swim"}
        assert not {video.group for video in test} & {video.group for video in train}
    assert len({tuple(video.splits[k] for video in splits.videos) for k in range(4)}) == 4


def test_a_set_too_small_to_split_says_so(touch: Touch, dealt: Dealt) -> None:
    splits = dealt(FolderKind(), touch("run/a.mp4", "walk/b.mp4"))
    assert splits.number == 0
    assert splits.note.startswith("no splits: cannot hold out")


def test_a_link_that_leads_back_up_is_not_followed_for_ever(touch: Touch) -> None:
    folder = touch("run/a.mp4")
    (folder / "run" / "up").symlink_to(folder, target_is_directory=True)
    assert [each.path for each in FolderKind().find(folder).candidates] == ["run/a.mp4"]


@pytest.mark.parametrize(("splits", "fraction"), [(0, 0.3), (3, 0.0), (3, 1.0)])
def test_impossible_splits_are_refused(splits: int, fraction: float) -> None:
    with pytest.raises(DataError):
        FolderKind(num_splits=splits, test_fraction=fraction)


def test_the_settings_that_old_sets_were_made_with_stand() -> None:
    """They are in the fingerprints of sets that stores refer to."""
    assert FolderKind().settings == {
        "kind": "folder",
        "unlabelled": False,
        "num_splits": 3,
        "test_fraction": 0.3,
    }
    assert FolderKind(unlabelled=True).settings == {"kind": "folder", "unlabelled": True}
