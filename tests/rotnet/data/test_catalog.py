"""What names and folders say, on empty files: nothing is opened."""

from dataclasses import replace
from pathlib import Path

import pytest

from rotnet.data.catalog import FolderKind, Listing, Side, WeizmannKind
from rotnet.data.manifest import Video
from rotnet.errors import DataError


def source(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def labels(listing: Listing) -> dict[str, str | None]:
    return {found.path: found.label for found in listing.candidates}


def videos_of(listing: Listing) -> list[Video]:
    return [
        Video(
            found.path,
            found.label,
            found.group,
            (),
            20,
            25.0,
            8,
            8,
            0,
            None,
            found.path,
            "ok",
            "",
            8,
            8,
            0,
        )
        for found in listing.candidates
        if not found.refusal
    ]


def sides_of(listing: Listing) -> dict[str, Side]:
    return {found.path: found.side for found in listing.candidates if found.side}


def test_the_first_folder_is_the_class(tmp_path: Path) -> None:
    found = FolderKind().find(source(tmp_path, "run/a.mp4", "run/deep/b.AVI", "walk/c.webm"))
    assert labels(found) == {"run/a.mp4": "run", "run/deep/b.AVI": "run", "walk/c.webm": "walk"}


def test_videos_without_folders_are_unlabelled(tmp_path: Path) -> None:
    found = FolderKind().find(source(tmp_path, "b.mp4", "a.mp4"))
    assert labels(found) == {"a.mp4": None, "b.mp4": None}
    assert FolderKind().split(videos_of(found), {}).number == 0


def test_hidden_files_are_skipped_and_others_are_counted(tmp_path: Path) -> None:
    found = FolderKind().find(
        source(tmp_path, "a.mp4", ".b.mp4", ".hidden/c.mp4", "list.txt", "deep/readme.md")
    )
    assert [each.path for each in found.candidates] == ["a.mp4"]
    assert found.ignored == 2


def test_videos_beside_and_inside_folders_need_a_word(tmp_path: Path) -> None:
    folder = source(tmp_path, "a.mp4", "run/b.mp4")
    with pytest.raises(DataError, match="both beside folders and inside them"):
        FolderKind().find(folder)
    assert labels(FolderKind(unlabelled=True).find(folder)) == {"a.mp4": None, "run/b.mp4": None}


def test_train_and_test_folders_are_the_split(tmp_path: Path) -> None:
    folder = source(tmp_path, "train/run/a.mp4", "Val/run/b.mp4", "test/walk/c.mp4")
    found = FolderKind().find(folder)
    assert set(labels(found).values()) == {"run", "walk"}
    splits = FolderKind().split(videos_of(found), sides_of(found))
    assert splits.number == 1
    assert {video.path: video.splits for video in splits.videos} == {
        "Val/run/b.mp4": ("train",),
        "test/walk/c.mp4": ("test",),
        "train/run/a.mp4": ("train",),
    }


def test_train_and_test_folders_without_classes_are_unlabelled(tmp_path: Path) -> None:
    found = FolderKind().find(source(tmp_path, "train/a.mp4", "test/b.mp4"))
    assert set(labels(found).values()) == {None}
    with pytest.raises(DataError, match="beside class folders and inside"):
        FolderKind().find(source(tmp_path, "train/run/c.mp4"))


def test_groups_are_those_of_ucf101_or_the_video_itself(tmp_path: Path) -> None:
    found = FolderKind().find(
        source(
            tmp_path,
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


def test_random_splits_share_no_group_and_hold_out_every_class(tmp_path: Path) -> None:
    names = [
        f"{label}/v_{label}_g{group:02}_c{clip:02}.mp4"
        for label in ("Dive", "Swim")
        for group in range(10)
        for clip in range(3)
    ]
    kind = FolderKind(num_splits=4, test_fraction=0.3)
    found = kind.find(source(tmp_path, *names))
    splits = kind.split(videos_of(found), {})
    assert splits.number == 4
    for index in range(4):
        test = [video for video in splits.videos if video.splits[index] == "test"]
        train = [video for video in splits.videos if video.splits[index] == "train"]
        assert (len(test), len(train)) == (18, 42)
        assert {video.label for video in test} == {"Dive", "Swim"}
        assert not {video.group for video in test} & {video.group for video in train}
    assert len({tuple(video.splits[k] for video in splits.videos) for k in range(4)}) == 4


def test_a_set_too_small_to_split_says_so(tmp_path: Path) -> None:
    found = FolderKind().find(source(tmp_path, "run/a.mp4", "walk/b.mp4"))
    splits = FolderKind().split(videos_of(found), {})
    assert splits.number == 0
    assert splits.note.startswith("no splits: cannot hold out")


def test_weizmann_splits_hold_out_thirds_of_the_persons(tmp_path: Path) -> None:
    persons = ["daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar"]
    names = [f"{person}_{action}.avi" for person in persons for action in ("run", "wave1")]
    found = WeizmannKind().find(source(tmp_path, *names, "lena_walk2.avi"))
    assert labels(found)["lena_walk2.avi"] == "walk"
    assert labels(found)["ira_wave1.avi"] == "wave1"
    splits = WeizmannKind().split(videos_of(found), {})
    held = [
        sorted({video.group for video in splits.videos if video.splits[k] == "test"})
        for k in range(3)
    ]
    assert held == [persons[0:3], persons[3:6], persons[6:9]]


def test_weizmann_refuses_other_names_with_the_reason(tmp_path: Path) -> None:
    found = WeizmannKind().find(source(tmp_path, "eli_run.avi", "eli_fly.avi", "_run.avi", "x.avi"))
    refused = {each.path for each in found.candidates if "person_action" in each.refusal}
    assert refused == {"eli_fly.avi", "_run.avi", "x.avi"}


def test_weizmann_needs_three_persons(tmp_path: Path) -> None:
    found = WeizmannKind().find(source(tmp_path, "eli_run.avi", "ido_run.avi"))
    with pytest.raises(DataError, match=r"at least 3 persons.*found 2: eli, ido"):
        WeizmannKind().split(videos_of(found), {})


def test_weizmann_deals_joined_persons_as_one(tmp_path: Path) -> None:
    names = [f"{person}_run.avi" for person in ("a", "b", "c", "d")]
    videos = videos_of(WeizmannKind().find(source(tmp_path, *names)))
    videos[1] = replace(videos[1], group="a")
    splits = WeizmannKind().split(videos, {})
    assert [video.splits for video in splits.videos] == [
        ("test", "train", "train"),
        ("test", "train", "train"),
        ("train", "test", "train"),
        ("train", "train", "test"),
    ]


def test_a_link_that_leads_back_up_is_not_followed_for_ever(tmp_path: Path) -> None:
    folder = source(tmp_path / "data", "run/a.mp4")
    (folder / "run" / "up").symlink_to(folder, target_is_directory=True)
    assert [each.path for each in FolderKind().find(folder).candidates] == ["run/a.mp4"]


@pytest.mark.parametrize(("splits", "fraction"), [(0, 0.3), (3, 0.0), (3, 1.0)])
def test_impossible_splits_are_refused(splits: int, fraction: float) -> None:
    with pytest.raises(DataError):
        FolderKind(num_splits=splits, test_fraction=fraction)
