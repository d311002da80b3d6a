"""What an earlier preparation has made is taken over: of a set that has grown, or is damaged."""

import shutil
from pathlib import Path

import pytest

from rotnet.data.framestore import packing
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import Outcome, prepare
from rotnet.data.store import Storage
from tests.rotnet.data.interrupting import FOLDER, NAMES, STORAGE, VIDEO_BYTES
from tests.rotnet.data.preparing import content_of, count_decoded


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two videos fill a shard."""
    monkeypatch.setattr(packing, "SHARD_BYTES", 2 * VIDEO_BYTES)


def taken_over(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: Storage
) -> tuple[list[str], Outcome]:
    """Prepare again over tmp_path/set; return what was decoded for it."""
    with monkeypatch.context() as patched:
        decoded = count_decoded(patched)
        outcome = prepare(videos, tmp_path / "set", FOLDER, storage=storage)
    prepare(videos, tmp_path / "new", FOLDER, storage=storage, name="set")
    assert content_of(tmp_path / "set") == content_of(tmp_path / "new")
    shutil.rmtree(tmp_path / "new")
    return decoded, outcome


@pytest.mark.parametrize("storage", ["raw", "jpeg", "h264", "source"])
def test_only_what_is_new_is_decoded(
    storage: str, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = Storage(short_side=32, format=storage)  # type: ignore[arg-type]  # from the list above
    prepare(videos, tmp_path / "set", FOLDER, storage=how)
    shutil.copy(videos / "run" / "1.avi", videos / "run" / "2nd.avi")
    decoded, outcome = taken_over(videos, tmp_path, monkeypatch, how)
    assert decoded == ["2nd.avi"]
    assert outcome.fresh
    (videos / "run" / "5.avi").unlink()
    shutil.copy(videos / "walk" / "4.avi", videos / "walk" / "0.avi")
    decoded, _ = taken_over(videos, tmp_path, monkeypatch, how)
    assert decoded == ["0.avi"]


@pytest.mark.parametrize(
    ("damage", "lost"), [("flipped", 1), ("short", 1), ("gone", 2), ("empty", 2)]
)
def test_only_what_a_damaged_shard_has_lost_is_decoded(
    damage: str, lost: int, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    shard = tmp_path / "set" / "frames-00001.bin"
    content = bytearray(shard.read_bytes())
    content[-10] ^= 1
    if damage == "gone":
        shard.unlink()
    else:
        shard.write_bytes(content[: {"short": -20, "empty": 0}.get(damage)])
    decoded, outcome = taken_over(videos, tmp_path, monkeypatch, STORAGE)
    assert outcome.fresh
    assert decoded == ["5.avi", "0.avi"][-lost:]


def test_a_damaged_record_or_index_is_not_believed(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = Storage(short_side=32, format="source")
    prepare(videos, tmp_path / "set", FOLDER, storage=how)
    index = tmp_path / "set" / "index.npy"
    content = bytearray(index.read_bytes())
    content[200] ^= 1  # the time of a frame
    index.write_bytes(content)
    decoded, _ = taken_over(videos, tmp_path, monkeypatch, how)
    assert sorted(decoded) == sorted(NAMES)
    (tmp_path / "set" / "frames.json").write_text("{}")
    decoded, _ = taken_over(videos, tmp_path, monkeypatch, how)
    assert sorted(decoded) == sorted(NAMES)


def test_a_quarantine_changes_a_set_that_is_up_to_date(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE)
    listed = {"run/3.avi": "blurred"}
    decoded = count_decoded(monkeypatch)
    for _ in range(2):
        outcome = prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE, quarantine=listed)
        reasons = {video.path: video.reason for video in outcome.manifest.videos if video.reason}
        assert reasons == {"run/3.avi": "in quarantine: blurred"}
        listed = reasons  # as the set's own list has it
    assert not outcome.fresh
    assert decoded == []
    assert prepare(videos, tmp_path / "set", FOLDER, storage=STORAGE).fresh
    assert decoded == ["3.avi"]
    assert all(video.kept for video in Manifest.load(tmp_path / "set").videos)
