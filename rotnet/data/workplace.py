"""A preparation under way: which videos are done, and the shards they are packed into.

Everything lies in the staging folder, whole or not at all, so that a preparation that was cut short
at any moment goes on from there, and ends with the very files that it would have made undisturbed.
One class knows every path.

    job.json             what is being prepared; another job begins with an empty folder
    work/parts/NAME.*    a video that is done: its packets, their index, its row
    work/00000.*         a shard that is full: its rows, their index
    set/                 what becomes the prepared set: the shards, and at last the rest
"""

import hashlib
import io
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rotnet.data.catalog import Candidate
from rotnet.data.framestore import layout, packing
from rotnet.data.framestore.index import Index, write_index
from rotnet.data.framestore.layout import Record, StoredFile
from rotnet.data.staging import SET
from rotnet.data.video import Area, Video

State = Mapping[str, Any]  # by what a candidate is known to be unchanged without reading it
# What reading raises of a file that was not on the disk yet when the machine went down.
_NOT_WHOLE = (OSError, EOFError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Stored:
    """A video that is done: its row, without splits and place, and the index of its packets.

    Args:
        video: the row.
        packets: the index.
        state: of the candidate before it was read; see `state_of`. An empty one is nobody's.
    """

    video: Video
    packets: Index
    state: State = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Where one video is kept until it is packed."""

    base: Path

    @property
    def packets(self) -> Path:
        """The file of its packets."""
        return self.base.with_suffix(".bin")

    def finish(self, stored: Stored) -> None:
        """Keep what has become of a file whose packets are written; the row comes last."""
        _save(self.base.with_suffix(".npy"), stored.packets)
        _write_json(self.base.with_suffix(".json"), _to_entry(stored.video, stored.state))

    def recall(self, candidate: Candidate, file: Path) -> Stored | None:
        """Return what is kept of a candidate, if that is done and would be the same now."""
        try:
            found = json.loads(self.base.with_suffix(".json").read_text(encoding="utf-8"))
            video = _recalled(found, candidate, file)
            if video is None:
                return None
            packets = np.load(self.base.with_suffix(".npy"), allow_pickle=False)
        except _NOT_WHOLE:
            return None
        return Stored(video, packets, found["state"])

    @contextmanager
    def aside(self) -> "Iterator[Part]":
        """Give another place; when the block ends well, what is there takes this one, row last.

        Of two who are at one video, neither then sees half of what the other writes.
        """
        other = Part(self.base.with_name(f"{self.base.name}-{secrets.token_hex(4)}"))
        try:
            yield other
            for suffix in (".bin", ".npy", ".json"):
                with suppress(FileNotFoundError):  # nothing is stored of what is left out
                    other.base.with_suffix(suffix).replace(self.base.with_suffix(suffix))
        finally:
            other.remove()

    def remove(self) -> None:
        """Remove all of it."""
        for suffix in (".json", ".npy", ".bin"):
            self.base.with_suffix(suffix).unlink(missing_ok=True)


class Workplace:
    """The staging folder of one preparation."""

    def __init__(self, folder: Path, job: Mapping[str, Any]) -> None:
        """Take a folder as an earlier run of the same job left it, or else empty it.

        `begun` says which of the two it was.
        """
        self.folder = folder
        self.begun = _read_json(folder / "job.json") == json.loads(json.dumps(job))
        if not self.begun:
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            _write_json(folder / "job.json", job)
        self._work = folder / "work"
        (self._work / "parts").mkdir(parents=True, exist_ok=True)
        self.set.mkdir(exist_ok=True)

    @property
    def set(self) -> Path:
        """What becomes the prepared set."""
        return self.folder / SET

    def part(self, path: str) -> Part:
        """Return where a video is kept, by its path in the source."""
        name = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return Part(self._work / "parts" / name)

    def record(self, number: int) -> Path:
        """Return where it is kept what a full shard holds; its index lies beside it."""
        return self._work / f"{number:05d}.json"

    def records(self) -> list[Path]:
        """Return all of these that there are."""
        return list(self._work.glob("*.json"))


class Packer:
    """Packs videos into the shards of a workplace, in their order."""

    def __init__(self, place: Workplace, *, has_frames: bool) -> None:
        """Begin with no shard.

        Args:
            place: where.
            has_frames: False for a set that stores no frames, whose videos only have rows.
        """
        self._place, self._has_frames = place, has_frames
        self._shards: list[StoredFile] = []
        self._pieces: list[Index] = []
        self.rows: list[Video] = []
        self._open: list[tuple[Video, Part, State]] = []
        self._open_pieces: list[Index] = []
        self._bytes = 0
        self._packets = 0

    def resume(self, candidates: Sequence[tuple[Candidate, Path]]) -> int:
        """Take over full shards of an earlier run; return how many of the videos they hold.

        Args:
            candidates: every one, in order, with its file.
        """
        while self._take_over(candidates[len(self.rows) :]):
            pass
        for record in self._place.records():  # of shards that are no longer what follows
            if int(record.stem) >= len(self._shards):
                record.unlink()
        for path in self._place.set.iterdir():
            if layout.is_shard(path.name) and path.name not in {s.name for s in self._shards}:
                path.unlink()
        return len(self.rows)

    def add(self, stored: Stored, part: Part) -> None:
        """Add the next video.

        Raises:
            DamagedPartError: if its part is not whole; nothing is added, and it is to be done anew.
        """
        video = stored.video
        if video.kept:
            if packing.closes(self._bytes, video.num_bytes):
                self._close()
            if self._has_frames:
                packing.append(self._shard, part.packets, stored.packets)
            video = replace(
                video, shard=len(self._shards), offset=self._bytes, packet=self._packets
            )
            self._bytes += video.num_bytes
            self._packets += len(stored.packets)
            self._open_pieces.append(stored.packets)
        self._open.append((video, part, stored.state))
        self.rows.append(video)

    def finish(self, storage: str, source: str | None) -> Record:
        """Close the last shard, write the store's index and record, and return the record."""
        self._close()
        index = self._place.set / layout.INDEX_FILE
        write_index(index, self._pieces)
        record = Record(storage, tuple(self._shards), packing.described(index), source)
        record.write(self._place.set)
        return record

    @property
    def _shard(self) -> Path:
        return self._place.set / layout.shard_name(len(self._shards))

    def _record(self, number: int) -> Path:
        return self._place.record(number)

    def _close(self) -> None:
        """Make sure of a full shard, and remove the parts it was made of."""
        self._pieces += self._open_pieces
        if self._has_frames and self._bytes:
            number = len(self._shards)
            with self._shard.open("rb") as file:
                os.fsync(file.fileno())
            stored = packing.described(self._shard)
            _save(self._record(number).with_suffix(".npy"), np.concatenate(self._open_pieces))
            rows = [_to_entry(video, state) for video, _, state in self._open]
            _write_json(self._record(number), {"file": asdict(stored), "rows": rows})
            self._shards.append(stored)
            for _, part, _ in self._open:
                part.remove()
            self._open, self._bytes = [], 0
        self._open_pieces = []

    def _take_over(self, candidates: Sequence[tuple[Candidate, Path]]) -> bool:
        """Return whether the next shard is full and holds just what it would now; take it then."""
        number = len(self._shards)
        try:
            found = json.loads(self._record(number).read_text(encoding="utf-8"))
            shard = StoredFile(**found["file"])
            entries = found["rows"]
            if (self._place.set / shard.name).stat().st_size != shard.num_bytes:
                return False
            piece = np.load(self._record(number).with_suffix(".npy"), allow_pickle=False)
            videos = [
                _recalled(entry, candidate, file)
                for entry, (candidate, file) in zip(entries, candidates, strict=False)
            ]
        except _NOT_WHOLE:
            return False
        whole = [video for video in videos if video is not None]
        if len(whole) != len(entries):
            return False
        self._shards.append(shard)
        self._pieces.append(piece)
        self._packets += len(piece)
        self.rows += whole
        return True


def state_of(candidate: Candidate, file: Path) -> State:
    """Return by what a candidate is known to be unchanged without reading its file."""
    try:
        found = file.stat()
    except OSError:
        return {"refusal": candidate.refusal}
    return {
        "refusal": candidate.refusal,
        "size": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "inode": found.st_ino,
    }


def _to_entry(video: Video, state: State) -> dict[str, Any]:
    return {"row": asdict(video), "state": dict(state)}


def _recalled(entry: Mapping[str, Any], candidate: Candidate, file: Path) -> Video | None:
    """Return a row as it would be now, if the candidate is still what it was."""
    video, state = _to_video(entry["row"]), entry["state"]
    if video.path != candidate.path:
        return None
    if state.get("refusal") != candidate.refusal:
        return None
    if state != state_of(candidate, file) and file_sha256(file) != video.sha256:
        return None
    return replace(video, label=candidate.label, group=candidate.group)


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; empty where it is no readable file."""
    try:
        if not file.is_file():
            return ""
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a temporary name that becomes `path` when the block ends well."""
    temporary = path.with_name(path.name + ".new")
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _to_video(row: dict[str, Any]) -> Video:
    area = None if row["area"] is None else Area(**row["area"])
    return Video(**{**row, "area": area, "splits": tuple(row["splits"])})


def _save(path: Path, index: Index) -> None:
    content = io.BytesIO()  # numpy does not say why it cannot write to a file
    np.save(content, index, allow_pickle=False)
    with _whole(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    with _whole(path) as temporary:
        temporary.write_text(json.dumps(value), encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
