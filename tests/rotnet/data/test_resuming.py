"""A preparation that was cut short goes on from where it was, and ends as an undisturbed one."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rotnet.data import store
from rotnet.data.catalog import ListedKind, RandomSplits, table
from rotnet.data.frames import FrameReader
from rotnet.data.framestore import packing
from rotnet.data.framestore.index import Index
from rotnet.data.prepare import prepare
from rotnet.data.sizes import Estimate
from rotnet.data.staging import UnfinishedError
from rotnet.data.store import Storage
from rotnet.data.survey import Survey, survey
from rotnet.errors import DataError
from tests.rotnet.data.interrupting import (
    FOLDER,
    NAMES,
    STORAGE,
    VIDEO_BYTES,
    interrupted,
    undisturbed,
)
from tests.rotnet.data.preparing import content_of, count_decoded

Frames = NDArray[np.uint8]
CHILD = """
import sys
from rotnet.data.framestore import packing
packing.SHARD_BYTES = int(sys.argv[1])
from rotnet.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two videos fill a shard."""
    monkeypatch.setattr(packing, "SHARD_BYTES", 2 * VIDEO_BYTES)


def test_several_shards_hold_what_one_does(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = prepare(videos, tmp_path / "many", FOLDER, storage=STORAGE, name="s")
    monkeypatch.setattr(packing, "SHARD_BYTES", 1 << 30)
    one = prepare(videos, tmp_path / "one", FOLDER, storage=STORAGE, name="s")
    assert len(list((tmp_path / "many").glob("frames-*.bin"))) == 3
    assert many.manifest.fingerprint == one.manifest.fingerprint
    readers = FrameReader(tmp_path / "many"), FrameReader(tmp_path / "one")
    for ours, theirs in zip(many.manifest.videos, one.manifest.videos, strict=True):
        found = readers[0].read(ours, slice(None))
        assert np.array_equal(found, readers[1].read(theirs, slice(None)))


@pytest.mark.parametrize("storage", ["raw", "jpeg", "h264", "source"])
def test_whatever_is_done_is_not_done_again(
    storage: str, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = Storage(short_side=32, format=storage)  # type: ignore[arg-type]  # from the list above
    (videos / "run" / "broken.avi").write_text("no video")
    prepare(videos, tmp_path / "undisturbed", FOLDER, storage=how, name="set")
    decoded = count_decoded(monkeypatch)
    for after in (1, 3, 4, 6):
        interrupted(videos, tmp_path / "set", after, storage=how)
    prepare(videos, tmp_path / "set", FOLDER, storage=how)
    assert content_of(tmp_path / "set") == content_of(tmp_path / "undisturbed")
    assert sorted(decoded) == sorted([*NAMES, "broken.avi"])


def test_a_file_that_changes_meanwhile_is_done_anew_with_what_its_shard_held(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(videos, tmp_path / "set", 5)
    shutil.copy(videos / "walk" / "4.avi", videos / "run" / "5.avi")
    decoded = count_decoded(monkeypatch)
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert "5.avi" in decoded
    assert not {"1.avi", "3.avi"} & set(decoded)  # of the shard before it
    assert content_of(tmp_path / "set") == undisturbed(videos, tmp_path / "undisturbed")


def test_the_record_of_a_shard_that_is_no_more_is_forgotten(videos: Path, tmp_path: Path) -> None:
    interrupted(videos, tmp_path / "set", 5)
    work = tmp_path / ".set.preparing" / "work"
    assert [path.name for path in sorted(work.glob("*.json"))] == ["00000.json", "00001.json"]
    shutil.copy(videos / "walk" / "4.avi", videos / "run" / "1.avi")
    interrupted(videos, tmp_path / "set", 1)
    assert list(work.glob("*.json")) == []


def test_a_file_that_is_only_touched_is_not_decoded_again(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(videos, tmp_path / "set", 6)
    for path in videos.rglob("*.avi"):
        os.utime(path, (1, 1))
    decoded = count_decoded(monkeypatch)
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert decoded == []


def test_a_file_that_changes_while_it_is_read_is_left_out(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1, 100))

    def overtaken(file: Path, **settings: Any) -> Survey:  # handed on as they are
        found = survey(file, **settings)
        if file.name == "3.avi":
            os.utime(file, (1, next(clock)))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(store, "survey", overtaken)
        manifest = prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).manifest
    (gone,) = [video for video in manifest.videos if not video.kept]
    assert gone.path == "run/3.avi"
    assert "changed while it was read" in gone.reason
    assert prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).fresh
    assert content_of(tmp_path / "set") == undisturbed(videos, tmp_path / "undisturbed")


def test_a_video_moved_to_another_class_meanwhile_is_of_that_class(
    videos: Path, tmp_path: Path
) -> None:
    interrupted(videos, tmp_path / "set", 4)
    (videos / "run" / "3.avi").rename(videos / "walk" / "3.avi")
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert content_of(tmp_path / "set") == undisturbed(videos, tmp_path / "undisturbed")


def test_a_label_changed_in_a_table_meanwhile_is_heeded_and_nothing_is_decoded_for_it(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def labelled(label: str) -> ListedKind:
        rows = "".join(f"run/{n}.avi,{label}\n" for n in (1, 3, 5))
        rows += "".join(f"walk/{n}.avi,walk\n" for n in (0, 2, 4))
        (tmp_path / "labels.csv").write_text("path,label\n" + rows)
        return table(tmp_path / "labels.csv", random=RandomSplits(), allow_missing=False)

    interrupted(videos, tmp_path / "set", 6, kind=labelled("run"))
    decoded = count_decoded(monkeypatch)
    outcome = prepare(videos, tmp_path / "set", labelled("jog"), storage=STORAGE)
    assert outcome.manifest.classes == ("jog", "walk")
    assert decoded == []
    expected = undisturbed(videos, tmp_path / "undisturbed", kind=labelled("jog"))
    assert content_of(tmp_path / "set") == expected


@pytest.mark.parametrize("before", [None, {"run/1.avi": "blurred", "walk/4.avi": "dark"}])
def test_a_quarantine_that_changes_meanwhile_is_heeded(
    before: dict[str, str] | None, videos: Path, tmp_path: Path
) -> None:
    after = None if before else {"run/1.avi": "blurred", "walk/4.avi": "dark"}
    interrupted(videos, tmp_path / "set", 6, quarantine=before)
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE, quarantine=after)
    expected = undisturbed(videos, tmp_path / "undisturbed", quarantine=after)
    assert content_of(tmp_path / "set") == expected


def test_a_lock_that_its_last_holder_has_removed_is_none(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def late(lock: int, how: int) -> None:
        (tmp_path / ".set.lock").unlink(missing_ok=True)
        flock(lock, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", late)
        with pytest.raises(DataError, match="another process is preparing"):
            prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).fresh


def test_a_mistyped_quarantine_costs_nothing(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(videos, tmp_path / "set", 6)
    with pytest.raises(DataError, match=r"1 videos that .* does not hold, such as run/9\.avi"):
        prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE, quarantine={"run/9.avi": ""})
    decoded = count_decoded(monkeypatch)
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert decoded == []


@pytest.mark.parametrize(
    ("suffix", "loss"),
    [(".json", "short"), (".npy", "empty"), (".npy", "gone"), (".bin", "short"), (".bin", "gone")],
)
def test_what_the_machine_went_down_with_is_done_anew(
    suffix: str, loss: str, videos: Path, tmp_path: Path
) -> None:
    interrupted(videos, tmp_path / "set", 5)
    for path in (tmp_path / ".set.preparing" / "work").rglob(f"*{suffix}"):
        if loss == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[: 40 if loss == "short" else 0])
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert content_of(tmp_path / "set") == undisturbed(videos, tmp_path / "undisturbed")


def test_a_full_disk_is_one_error_and_the_next_run_goes_on(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = undisturbed(videos, tmp_path / "undisturbed")
    append = packing.append

    def full(shard: Path, part: Path, index: Index) -> None:
        append(shard, part, index)
        if shard.name == "frames-00002.bin":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(packing, "append", full)
        with pytest.raises(UnfinishedError, match="No space left on device; what is done is kept"):
            prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert not (tmp_path / "set").exists()
    decoded = count_decoded(monkeypatch)
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    assert not {"1.avi", "3.avi", "5.avi", "0.avi"} & set(decoded)
    assert content_of(tmp_path / "set") == expected


def test_what_is_begun_is_never_refused_for_its_size(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(videos, tmp_path / "set", 1)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    told: list[Estimate] = []
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE, estimate=told.append)
    assert [estimate.too_large for estimate in told] == [True]


def test_what_a_killed_preparation_left_is_cleared_away(videos: Path, tmp_path: Path) -> None:
    staging = tmp_path / ".set.preparing"
    (staging / "parts").mkdir(parents=True)
    (staging / "job.json").write_text("{}")
    (tmp_path / ".set.old").mkdir()
    assert prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).fresh
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "source"]
    (staging / "work").mkdir(parents=True)  # killed after its set had taken its place
    (tmp_path / ".set.old").mkdir()
    assert not prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).fresh
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "source"]


def test_another_preparation_that_is_interrupted_is_not_cleared_away(
    videos: Path, tmp_path: Path
) -> None:
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    interrupted(videos, tmp_path / "set", 3, storage=Storage(short_side=24))
    assert not prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).fresh
    assert (tmp_path / ".set.preparing" / "set").is_dir()


def child(videos: Path, out: Path) -> "subprocess.Popen[bytes]":
    words = ["prepare", "folder", videos, out, "--workers", "2", "--short-side", "32"]
    command = [sys.executable, "-c", CHILD, 2 * VIDEO_BYTES, *words, "--name", "set"]
    return subprocess.Popen(  # noqa: S603  # the words are ours
        [str(word) for word in command], stdout=subprocess.DEVNULL
    )


def workers_of(pid: int) -> list[int]:
    """Return the processes that a preparation decodes in."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        found.extend(
            int(each)
            for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()
        )
    return found


@pytest.mark.slow
def test_a_process_killed_at_any_moment_does_not_show(videos: Path, tmp_path: Path) -> None:
    if not Path("/proc/self/task").is_dir():
        pytest.skip("processes are found by /proc, and there is none")
    begin = time.monotonic()
    assert child(videos, tmp_path / "undisturbed").wait(120) == 0
    lasts_s = time.monotonic() - begin
    chance = np.random.default_rng(0)
    for number, victim in enumerate(("parent", "worker", "parent")):
        out = tmp_path / f"set{number}"
        process = child(videos, out)
        try:
            process.wait(chance.uniform(0.4, 0.9) * lasts_s)
        except subprocess.TimeoutExpired:
            for pid in [process.pid] if victim == "parent" else workers_of(process.pid)[:1]:
                with suppress(ProcessLookupError):  # it has just ended
                    os.kill(pid, signal.SIGKILL)
        if process.wait(120):
            assert victim == "parent"
            assert child(videos, out).wait(120) == 0
        assert content_of(out) == content_of(tmp_path / "undisturbed")
        assert not list(tmp_path.glob(".*"))
