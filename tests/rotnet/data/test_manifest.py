"""Manifests: what is written is read back, and what is not whole is refused."""

import dataclasses
import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from rotnet.data.frames import FrameReader
from rotnet.data.header import Header, read_header
from rotnet.data.manifest import Manifest, fingerprint, write_files
from rotnet.data.video import Area, Video
from rotnet.errors import DataError
from tests.rotnet.data.stores import write_store

SETTINGS = {"kind": "folder", "short_side": 4}


def row(number: int, **changes: object) -> Video:
    video = Video(
        path=f'run/{number}, "odd"\nname.mp4',
        label="run",
        group=f"g{number}",
        splits=("train" if number % 2 else "test", "train"),
        frames=3 + number,
        fps=29.97002997002997,
        width=12,
        height=10,
        rotation=90,
        area=Area(1, 2, 8, 6),
        sha256="ab" * 32,
        status="ok",
        reason="",
        stored_width=4,
        stored_height=2,
        offset=sum(24 * (3 + before) for before in range(number)),
        num_bytes=24 * (3 + number),
        packet=sum(3 + before for before in range(number)),
    )
    return dataclasses.replace(video, **changes)  # type: ignore[arg-type]


def left_out(number: int) -> Video:
    return row(
        number,
        splits=("unused", "unused"),
        frames=0,
        area=None,
        status="left_out",
        reason="it is empty",
        stored_width=0,
        stored_height=0,
        offset=0,
        num_bytes=0,
        packet=0,
    )


def written(folder: Path, *videos: Video, classes: tuple[str, ...] = ("run",)) -> Path:
    folder.mkdir(exist_ok=True)
    header = Header(
        "some", "folder", classes, 2, fingerprint(videos, SETTINGS), SETTINGS, {"ok": 1}, ("hm",)
    )
    kept = [video for video in videos if video.kept]
    size = sum(video.num_bytes for video in kept)
    content = iter(np.arange(size, dtype=np.uint8).reshape(-1, 2, 4, 3))
    write_store(folder, [(video, list(islice(content, video.frames))) for video in kept])
    write_files(folder, header, videos)
    return folder


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    odd = row(3, label="walk", status="part", reason="a, b", path="a\rb.mp4")
    videos = (row(0), row(1), left_out(2), odd)
    folder = written(tmp_path / "set", *videos)
    for path in (folder, folder / "manifest.csv"):
        manifest = Manifest.load(path)
        assert manifest.videos == videos
        assert manifest.folder == folder
        assert (manifest.name, manifest.kind, manifest.num_splits) == ("some", "folder", 2)
        assert read_header(path).fingerprint == manifest.fingerprint
        assert read_header(path).notes == ("hm",)


def test_roles_see_the_rows_of_their_side_and_only_kept_ones(tmp_path: Path) -> None:
    manifest = Manifest.load(written(tmp_path / "set", row(0), row(1), left_out(2)))
    paths = {
        (role, split): [video.group for video in manifest.select(role, split).videos]  # type: ignore[arg-type]
        for role, split in [("pretrain", None), ("pretrain", 1), ("train", 1), ("test", 1)]
    }
    assert paths == {
        ("pretrain", None): ["g0", "g1"],
        ("pretrain", 1): ["g1"],
        ("train", 1): ["g1"],
        ("test", 1): ["g0"],
    }
    chosen = manifest.select("test", 1)
    assert (len(chosen), chosen.role, chosen.split, chosen.classes) == (1, "test", 1, ("run",))


def test_unused_videos_are_given_to_no_role_of_their_split(tmp_path: Path) -> None:
    manifest = Manifest.load(written(tmp_path / "set", row(0, splits=("unused", "test")), row(1)))
    for role in ("pretrain", "train", "test"):
        found = manifest.select(role, 1).videos
        assert "g0" not in {video.group for video in found}
    assert [video.group for video in manifest.select("test", 2).videos].count("g0") == 1
    assert len(manifest.select("pretrain")) == 2


def test_a_side_of_another_name_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", row(0, splits=("valid", "test")))
    with pytest.raises(DataError, match=r"side 'valid' .* is none of train, test, unused"):
        Manifest.load(folder)


@pytest.mark.parametrize("split", [0, 3, -1, None])
def test_an_unknown_split_is_refused_with_the_valid_ones(split: int, tmp_path: Path) -> None:
    manifest = Manifest.load(written(tmp_path / "set", row(0)))
    with pytest.raises(DataError, match=f"no split {split}; its splits are 1, 2"):
        manifest.select("train", split)


def test_an_unlabelled_set_has_no_train_and_no_test_videos(tmp_path: Path) -> None:
    manifest = Manifest.load(written(tmp_path / "set", row(0, label=None), classes=()))
    assert len(manifest.select("pretrain")) == 1
    with pytest.raises(DataError, match="no labels"):
        manifest.select("train", 1)


def test_what_is_missing_or_no_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        Manifest.load(tmp_path / "none")
    with pytest.raises(DataError, match="not a prepared data set"):
        read_header(tmp_path)
    (tmp_path / "dataset.json").write_text('{"format": "something else"}')
    with pytest.raises(DataError, match="not the header"):
        Manifest.load(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        Manifest.load(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", row(0))
    header = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(header | {"format_version": 99}))
    with pytest.raises(DataError, match="format 99"):
        Manifest.load(folder)


@pytest.mark.parametrize("name", ["manifest.csv", "frames-00000.bin", "index.npy", "frames.json"])
def test_a_set_that_lacks_a_file_or_its_end_is_refused(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "set", row(0), row(1))
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-10])
    with pytest.raises(DataError, match=name):
        Manifest.load(folder)
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing"):
        Manifest.load(folder)


def test_a_manifest_edited_by_hand_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", row(0), row(1))
    path = folder / "manifest.csv"
    path.write_text(path.read_text().replace(",test,", ",train,"))
    with pytest.raises(DataError, match="prepare the set again"):
        Manifest.load(folder)


def test_the_fingerprint_knows_content_and_settings_but_neither_order_nor_place() -> None:
    videos = [row(0), row(1)]
    same = fingerprint(videos, SETTINGS)
    assert fingerprint(videos[::-1], SETTINGS) == same
    moved = [dataclasses.replace(video, offset=video.offset + 7, reason="x") for video in videos]
    assert fingerprint(moved, SETTINGS) == same
    assert fingerprint(videos, SETTINGS | {"short_side": 5}) != same
    for change in (
        {"path": "b"},
        {"label": "walk"},
        {"group": "h"},
        {"splits": ("test", "test")},
        {"sha256": "cd" * 32},
        {"status": "part"},
        {"area": Area(0, 0, 8, 6)},
    ):
        assert fingerprint([row(0, **change), row(1)], SETTINGS) != same, change


def test_frames_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", row(0), row(1))
    frames = FrameReader(folder)
    whole = np.fromfile(folder / "frames-00000.bin", np.uint8)
    second = whole[row(1).offset :].reshape(4, 2, 4, 3)
    assert np.array_equal(frames.read(row(1), [3, 0, 0]), second[[3, 0, 0]])
    assert np.array_equal(frames.read(row(1), slice(1, None, 2)), second[1::2])
    assert frames.read(row(1), []).shape == (0, 2, 4, 3)
    owned = frames.read(row(1), slice(None))
    owned[:] = 0
    assert np.array_equal(frames.read(row(1), slice(None)), second)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_frame_out_of_range_is_named(index: int, tmp_path: Path) -> None:
    frames = FrameReader(written(tmp_path / "set", row(0)))
    with pytest.raises(IndexError, match=rf"frame {index} is out of range; there are \[0, 3\)"):
        frames.read(row(0), [0, index])


def test_a_video_that_was_left_out_has_no_frames(tmp_path: Path) -> None:
    frames = FrameReader(written(tmp_path / "set", row(0), left_out(1)))
    with pytest.raises(DataError, match="left_out"):
        frames.read(left_out(1), [])


def test_rows_and_frames_of_two_packings_are_never_read_together(tmp_path: Path) -> None:
    here = written(tmp_path / "here", row(0), row(1))
    there = written(tmp_path / "there", row(1), row(0))
    assert read_header(here).fingerprint == read_header(there).fingerprint
    for path in there.iterdir():
        if path.name != "manifest.csv":
            (here / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=r"manifest\.csv is not what dataset\.json was written for"):
        Manifest.load(here)
