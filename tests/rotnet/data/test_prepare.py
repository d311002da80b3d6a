"""Preparing real files, small ones: what comes out, and that nothing half does."""

import os
import shutil
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rotnet.data import bars, hands, processes, survey
from rotnet.data.catalog import FolderKind, WeizmannKind
from rotnet.data.frames import FrameReader
from rotnet.data.job import NotAllWholeError
from rotnet.data.manifest import Manifest
from rotnet.data.picture import cut_and_shrink, stored_size
from rotnet.data.prepare import prepare, prepare_synthetic
from rotnet.data.store import Storage
from rotnet.data.video import Area, Video
from rotnet.errors import DataError
from tests.rotnet.data.preparing import content_of

Frames = NDArray[np.uint8]
FOLDER = FolderKind()
STORAGE = Storage(short_side=32)


def by_name(manifest: Manifest) -> dict[str, Video]:
    return {video.path.split("/")[-1]: video for video in manifest.videos}


def nothing_left(folder: Path) -> bool:
    """Whether a failed preparation left neither a set nor anything beside it."""
    return {path.name for path in folder.iterdir()} <= {"source"}


def test_a_folder_becomes_a_set_with_every_frame(videos: Path, tmp_path: Path) -> None:
    (videos / "run" / "notes.txt").touch()
    outcome = prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    manifest = outcome.manifest
    assert outcome.fresh
    assert (manifest.name, manifest.classes) == ("set", ("run", "walk"))
    assert outcome.header.counts["ignored_files"] == 1
    assert [video.frames for video in by_name(manifest).values()] == [21, 23, 25, 20, 22, 24]
    frames = FrameReader(manifest.folder)
    for video in manifest.videos:
        assert (video.status, video.fps, video.rotation) == ("ok", 25.0, 0)
        assert (video.width, video.height) == (80, 64)
        assert (video.stored_width, video.stored_height) == (40, 32)
        assert frames.read(video, slice(None)).shape == (video.frames, 32, 40, 3)


def test_stored_frames_are_the_pictures_of_the_file(
    tmp_path: Path, write_video: Callable[..., Path], textured: Callable[..., Frames]
) -> None:
    drawing = textured(20)
    drawing[:, :12] = 0
    drawing[:, :, 70:] = 0
    write_video("source/a.mkv", drawing, codec="ffv1", pix_fmt="bgr0", options={"level": "3"})
    manifest = prepare(tmp_path / "source", tmp_path / "set", FOLDER, storage=Storage()).manifest
    (video,) = manifest.videos
    area = video.area
    assert area is not None
    assert area.y in (12, 13)
    assert area.x + area.width in (69, 70)
    expected = drawing[:, area.y : area.y + area.height, area.x : area.x + area.width]
    assert np.array_equal(FrameReader(manifest.folder).read(video, slice(None)), expected)


def test_the_number_of_processes_does_not_show(videos: Path, tmp_path: Path) -> None:
    (videos / "run" / "empty.mp4").touch()
    for workers in (0, 2):
        prepare(
            videos,
            tmp_path / f"by{workers}",
            FOLDER,
            storage=STORAGE,
            name="s",
            hands=hands.processes(workers),
        )
    assert content_of(tmp_path / "by0") == content_of(tmp_path / "by2")


def test_the_fingerprint_does_not_depend_on_where_a_set_lies(videos: Path, tmp_path: Path) -> None:
    one = prepare(videos, tmp_path / "one", FOLDER, storage=STORAGE).manifest
    moved = shutil.copytree(videos, tmp_path / "elsewhere" / "copy")
    other = prepare(moved, tmp_path / "two", FOLDER, storage=STORAGE).manifest
    assert one.fingerprint == other.fingerprint
    smaller = prepare(videos, tmp_path / "three", FOLDER, storage=Storage(short_side=16)).manifest
    assert smaller.fingerprint != one.fingerprint


def test_a_second_preparation_does_nothing(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    first = prepare(videos, out, FOLDER, storage=STORAGE)
    written = (out / "frames-00000.bin").stat()
    second = prepare(videos, out, FOLDER, storage=STORAGE)
    assert not second.fresh
    assert second.manifest == first.manifest
    after = (out / "frames-00000.bin").stat()
    assert (after.st_ino, after.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_a_changed_source_or_setting_replaces_the_set(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    seen = {prepare(videos, out, FOLDER, storage=STORAGE).manifest.fingerprint}
    seen.add(prepare(videos, out, FOLDER, storage=Storage(short_side=24)).manifest.fingerprint)
    shutil.copy(videos / "run" / "1.avi", videos / "walk" / "0.avi")
    seen.add(prepare(videos, out, FOLDER, storage=Storage(short_side=24)).manifest.fingerprint)
    (videos / "walk" / "0.avi").unlink()
    seen.add(prepare(videos, out, FOLDER, storage=Storage(short_side=24)).manifest.fingerprint)
    assert len(seen) == 4
    (out / "frames-00000.bin").write_bytes(b"damaged")
    assert prepare(videos, out, FOLDER, storage=Storage(short_side=24)).fresh
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "source"]


def test_identical_files_share_a_group(videos: Path, tmp_path: Path) -> None:
    shutil.copy(videos / "run" / "1.avi", videos / "walk" / "twin.avi")
    rows = by_name(prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).manifest)
    assert rows["1.avi"].group == rows["twin.avi"].group == "run/1.avi"


def test_what_cannot_be_decoded_is_left_out_by_name(videos: Path, tmp_path: Path) -> None:
    (videos / "run" / "empty.mp4").touch()
    (videos / "run" / "text.avi").write_text("no video")
    (videos / "run" / "gone.mp4").symlink_to(tmp_path / "nowhere")
    content = (videos / "run" / "5.avi").read_bytes()
    (videos / "run" / "short.avi").write_bytes(content[: int(0.6 * len(content))])
    (videos / "run" / "part.avi").write_bytes(content[: int(0.85 * len(content))])
    manifest = prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).manifest
    rows = by_name(manifest)
    reasons = {name: row.reason for name, row in rows.items() if not row.kept}
    assert reasons.keys() == {"empty.mp4", "text.avi", "gone.mp4", "short.avi"}
    assert "0 bytes" in reasons["empty.mp4"]
    assert "cannot be opened" in reasons["text.avi"]
    assert "at least 16 are needed" in reasons["short.avi"]
    assert rows["part.avi"].status == "part"
    assert 16 <= rows["part.avi"].frames < 25
    assert f"whole frames before that: {rows['part.avi'].frames}" in rows["part.avi"].reason
    assert len(manifest.select("pretrain")) == 7


def test_strict_refuses_and_leaves_nothing(videos: Path, tmp_path: Path) -> None:
    (videos / "run" / "empty.mp4").touch()
    with pytest.raises(NotAllWholeError, match="1 of 7") as caught:
        prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE, strict=True)
    assert [video.path for video in caught.value.videos] == ["run/empty.mp4"]
    assert nothing_left(tmp_path)
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    with pytest.raises(NotAllWholeError):
        prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE, strict=True)


def test_nothing_to_prepare_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    with pytest.raises(DataError, match="does not exist"):
        prepare(source, tmp_path / "set", FOLDER, storage=STORAGE)
    source.mkdir()
    (source / "notes.txt").touch()
    with pytest.raises(DataError, match="holds no video: 1 files"):
        prepare(source, tmp_path / "set", FOLDER, storage=STORAGE)
    with pytest.raises(DataError, match="is a file"):
        prepare(source / "notes.txt", tmp_path / "set", FOLDER, storage=STORAGE)
    (source / "a.mp4").touch()
    (source / "b.avi").write_text("text")
    with pytest.raises(DataError, match=r"no video that can be decoded: a.mp4: .*0 bytes"):
        prepare(source, tmp_path / "set", FOLDER, storage=STORAGE)
    assert nothing_left(tmp_path)


def test_a_folder_that_holds_something_else_is_never_replaced(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    out.mkdir()
    (out / "thesis.txt").touch()
    with pytest.raises(DataError, match=r"something else than a prepared set \(thesis.txt\)"):
        prepare(videos, out, FOLDER, storage=STORAGE)
    (out / "thesis.txt").unlink()
    prepare(videos, out, FOLDER, storage=STORAGE)
    (out / "thesis.txt").touch()
    with pytest.raises(DataError, match=r"thesis\.txt"):
        prepare(videos, out, FOLDER, storage=Storage(short_side=24))
    with pytest.raises(DataError, match="is a file"):
        prepare(videos, out / "thesis.txt", FOLDER, storage=STORAGE)


def test_a_link_to_a_folder_stays_a_link(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "large_disk" / "real").mkdir(parents=True)
    out = tmp_path / "set"
    out.symlink_to(tmp_path / "large_disk" / "real")
    for storage in (STORAGE, Storage(short_side=24)):
        assert prepare(videos, out, FOLDER, storage=storage).fresh
        assert out.is_symlink()
        assert [path.name for path in (tmp_path / "large_disk").iterdir()] == ["real"]
    for number, target in enumerate((tmp_path / "nowhere", tmp_path / "link1")):
        (tmp_path / f"link{number}").symlink_to(target)
        with pytest.raises(DataError, match="a link that leads nowhere"):
            prepare(videos, tmp_path / f"link{number}", FOLDER, storage=STORAGE)


def test_the_current_folder_is_never_replaced(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set").mkdir()
    monkeypatch.chdir(tmp_path / "set")
    with pytest.raises(DataError, match="holds the current folder"):
        prepare(videos, Path(), FOLDER, storage=STORAGE)
    assert Path.cwd().is_dir()


def test_an_interrupted_preparation_leaves_the_set_as_it_was(videos: Path, tmp_path: Path) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    out = tmp_path / "set"
    for workers in (0, 2):
        with pytest.raises(KeyboardInterrupt):
            prepare(
                videos,
                out,
                FOLDER,
                storage=STORAGE,
                hands=hands.processes(workers),
                progress=interrupt,
            )
        assert not out.exists()
    before = prepare(videos, out, FOLDER, storage=STORAGE).manifest
    with pytest.raises(KeyboardInterrupt):
        prepare(videos, out, FOLDER, storage=Storage(short_side=24), progress=interrupt)
    assert Manifest.load(out) == before
    shutil.rmtree(tmp_path / ".set.preparing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "source"]


def _die_on_two(task: int) -> int:
    if task == 2:
        os._exit(1)
    return task * 10


def _minus(task: int) -> int:
    return -task


def test_a_task_that_kills_its_process_costs_only_itself() -> None:
    results = processes.map_in_order(_die_on_two, range(6), workers=2, died=_minus)
    assert list(results) == [0, 10, -2, 30, 40, 50]


def _die_on_one(task: int) -> int:
    if task == 1:
        time.sleep(0.1)
        os._exit(1)
    return task * 10


def test_a_process_that_dies_while_nobody_waits_costs_only_its_task() -> None:
    results = processes.map_in_order(_die_on_one, range(6), workers=1, died=_minus)
    first = next(results)
    time.sleep(1.0)  # the pool notices meanwhile, and takes no more tasks
    assert [first, *results] == [0, -1, 20, 30, 40, 50]


def test_memory_holds_few_frames_of_a_long_video(
    tmp_path: Path, write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.full((400, 16, 16, 3), 90, np.uint8)
    write_video("source/a.mp4", frames)
    seen: list[int] = []
    find_area = bars.find_area

    def counted(levels: Frames) -> Area:
        seen.append(len(levels))
        return find_area(levels)

    monkeypatch.setattr(survey, "find_area", counted)
    prepare(tmp_path / "source", tmp_path / "set", FOLDER, storage=STORAGE)
    assert 24 <= seen[0] < 48


def test_persons_are_held_out_of_a_weizmann_set(
    tmp_path: Path, write_video: Callable[..., Path], textured: Callable[..., Frames]
) -> None:
    for number, person in enumerate(("ann", "bob", "cid")):
        write_video(
            f"source/{person}_run.avi", textured(16, seed=number), codec="mpeg4", pix_fmt="yuv420p"
        )
    write_video("source/holiday.avi", textured(16, seed=9), codec="mpeg4", pix_fmt="yuv420p")
    manifest = prepare(
        tmp_path / "source", tmp_path / "set", WeizmannKind(allow_missing=True), storage=STORAGE
    ).manifest
    assert by_name(manifest)["holiday.avi"].splits == ("unused",) * 3
    assert "person_action" in by_name(manifest)["holiday.avi"].reason
    tests = [[video.group for video in manifest.select("test", k).videos] for k in (1, 2, 3)]
    assert tests == [["ann"], ["bob"], ["cid"]]


def test_synthetic_videos_are_written_prepared_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "set"
    outcome = prepare_synthetic(out, num_videos=16, seed=3, unlabelled=False, storage=STORAGE)
    assert len(outcome.manifest.videos) == 16
    assert outcome.header.kind == "synthetic"
    assert (out / "videos" / outcome.manifest.videos[0].path).is_file()
    again = prepare_synthetic(out, num_videos=16, seed=3, unlabelled=False, storage=STORAGE)
    assert not again.fresh
    other = prepare_synthetic(out, num_videos=16, seed=4, unlabelled=True, storage=STORAGE)
    assert other.fresh
    assert other.manifest.classes == ()
    assert other.manifest.fingerprint != outcome.manifest.fingerprint
    assert len(list((out / "videos").rglob("*.mp4"))) == 16


@pytest.mark.parametrize(
    ("area", "aspect", "size"),
    [
        ((320, 240), Fraction(1), (181, 136)),
        ((240, 320), Fraction(1), (136, 181)),
        ((720, 576), Fraction(16, 15), (181, 136)),
        ((720, 480), Fraction(8, 9), (181, 136)),
        ((100, 90), Fraction(1), (100, 90)),
        ((64, 48), Fraction(4, 3), (64, 36)),
        ((64, 48), Fraction(1, 2), (32, 48)),
    ],
)
def test_pixels_become_square_and_nothing_is_enlarged(
    area: tuple[int, int], aspect: Fraction, size: tuple[int, int]
) -> None:
    assert stored_size(Area(0, 0, *area), aspect, 136) == size


def test_shrinking_a_turned_picture_is_turning_a_shrunk_one() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (96, 90, 3), dtype=np.uint8)
    shrunk = cut_and_shrink(picture, Area(0, 0, 90, 96), (37, 41)).astype(int)
    half = cut_and_shrink(np.ascontiguousarray(picture[::-1, ::-1]), Area(0, 0, 90, 96), (37, 41))
    assert np.abs(half[::-1, ::-1].astype(int) - shrunk).max() <= 1
    quarter = cut_and_shrink(np.rot90(picture), Area(0, 0, 96, 90), (41, 37))
    assert np.abs(np.rot90(quarter, -1).astype(int) - shrunk).max() <= 2
