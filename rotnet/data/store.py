"""One video file becomes stored frames: surveyed, cut, reduced, written. No other file is known."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rotnet.data.catalog import Candidate
from rotnet.data.decode import UndecodableError
from rotnet.data.framestore.formats import Format, codec_of
from rotnet.data.framestore.index import Index, read_index
from rotnet.data.framestore.layout import INDEX_FILE, Record
from rotnet.data.framestore.packing import checksum, num_bytes_of, packets_of
from rotnet.data.manifest import Video
from rotnet.data.staging import UnfinishedError
from rotnet.data.survey import Survey, pictures, survey
from rotnet.data.workplace import Part, Stored, file_sha256
from rotnet.errors import DataError


@dataclass(frozen=True, slots=True)
class Storage:
    """How videos are stored. All of it is part of a set's identity.

    Args:
        short_side: the shorter side of a stored picture is at most so long, in pixels; nothing is
            enlarged.
        min_frames: a damaged video is kept if so many whole frames come before the damage.
        bars: black bars are cut, or kept as part of the picture, where a network reads the rotation
            off them: for `rotnet doctor` and for comparisons only.
        format: of the frames; "source" stores none, and they are decoded from the videos each time.
    """

    short_side: int = 136
    min_frames: int = 16
    bars: Literal["cut", "keep"] = "cut"
    format: Format | Literal["source"] = "raw"

    def __post_init__(self) -> None:
        if self.short_side < 16:
            raise DataError(f"the short side must be at least 16 pixels, got {self.short_side}")

    @property
    def settings(self) -> dict[str, Any]:
        """Return what stands in a set's fingerprint, without what is at its neutral value.

        Sets made before there was a choice keep their fingerprints so. Frames that are decoded from
        the videos each time are those that "raw" stores, and the same set.
        """
        values = asdict(self)
        if self.bars == "cut":
            del values["bars"]
        if self.format in ("raw", "source"):
            del values["format"]
        return values


@dataclass(frozen=True, slots=True)
class Earlier:
    """A prepared set of the same settings, from which a video that is the same is taken over.

    Args:
        folder: of the set.
        video: its row there.
    """

    folder: Path
    video: Video


@dataclass(frozen=True, slots=True)
class Task:
    """One file to prepare, and where what becomes of it is kept."""

    file: Path
    candidate: Candidate
    storage: Storage
    part: Part
    earlier: Earlier | None = None


def prepare_video(task: Task) -> Stored:
    """Write the packets of one file to `task.part`, and return its row and their index.

    It needs nothing but its task, so that a cluster can map it over files. What was done of the
    same file before is returned as it is. A file that is not wholly decodable is kept in part or
    left out, with the reason in the row.

    Raises:
        UnfinishedError: if nothing can be written.
        InterruptedWorkError: if the parent process has given up.
    """
    done = task.part.recall(task.file)
    if done is not None and _about(task, done.video):
        return done
    try:
        stored = _prepared(task)
        task.part.finish(stored, task.file)
    except OSError as error:
        raise UnfinishedError(
            f"cannot write frames of {task.candidate.path}: {error.strerror}; what is done is kept"
        ) from error
    return stored


def _about(task: Task, video: Video) -> bool:
    """Return whether a row says of a file what would be said of it now."""
    candidate = task.candidate
    same = (video.path, video.label, video.group) == (
        candidate.path,
        candidate.label,
        candidate.group,
    )
    return same and (not candidate.refusal or video.reason == candidate.refusal)


def _prepared(task: Task) -> Stored:
    digest = file_sha256(task.file)
    taken = _taken_over(task, digest)
    if taken is not None:
        return taken
    try:
        if task.candidate.refusal:
            raise UndecodableError(task.candidate.refusal)
        found = survey(
            task.file,
            short_side=task.storage.short_side,
            min_frames=task.storage.min_frames,
            bars=task.storage.bars,
        )
        packets = _write_packets(task, found)
    except UndecodableError as error:
        return Stored(left_out(task, str(error), digest), packets_of([]))
    video = Video(
        path=task.candidate.path,
        label=task.candidate.label,
        group=task.candidate.group,
        splits=(),
        frames=found.frames,
        fps=found.fps,
        width=found.width,
        height=found.height,
        rotation=found.orientation.turns * 90,
        area=found.area,
        sha256=digest,
        status="part" if found.damage else "ok",
        reason=found.damage,
        stored_width=found.stored[0],
        stored_height=found.stored[1],
        num_bytes=num_bytes_of(packets),
    )
    return Stored(video, packets)


def left_out(task: Task, reason: str, digest: str) -> Video:
    """Return the row of a file of which nothing is kept."""
    return Video(
        path=task.candidate.path,
        label=task.candidate.label,
        group=task.candidate.group,
        splits=(),
        frames=0,
        fps=0.0,
        width=0,
        height=0,
        rotation=0,
        area=None,
        sha256=digest,
        status="left_out",
        reason=reason,
        stored_width=0,
        stored_height=0,
    )


def _write_packets(task: Task, found: Survey) -> Index:
    """Decode a file a second time, write what the survey found to be its frames, and index them.

    Nothing is written where frames stay in the videos.
    """
    if task.storage.format == "source":
        return found.table
    codec = codec_of(task.storage.format)
    packets = []
    with task.part.packets.open("wb") as part:
        for packet in codec.encode(pictures(task.file, found)):
            part.write(packet)
            packets.append((len(packet), checksum(packet)))
    if len(packets) != found.frames:
        raise UndecodableError(
            f"it changed while it was read: {found.frames} frames, then {len(packets)}"
        )
    return packets_of(packets)


def _taken_over(task: Task, digest: str) -> Stored | None:
    """Return the video from an earlier set, with its packets copied, if it is the same there.

    Packets that are damaged there are found when they are packed, and the video is done anew.
    """
    earlier = task.earlier
    if earlier is None or not digest or earlier.video.sha256 != digest:
        return None
    video = replace(
        earlier.video,
        path=task.candidate.path,
        label=task.candidate.label,
        group=task.candidate.group,
        splits=(),
        shard=0,
        offset=0,
        packet=0,
    )
    try:
        record = Record.load(earlier.folder)
        index = read_index(earlier.folder / INDEX_FILE)
        packets = np.array(index[earlier.video.packet : earlier.video.packet + video.frames])
        if len(packets) != video.frames:
            return None
        if task.storage.format != "source":
            shard = earlier.folder / record.shards[earlier.video.shard].name
            _copy(shard, earlier.video.offset, video.num_bytes, task.part.packets)
    except (DataError, IndexError, FileNotFoundError):
        return None
    return Stored(video, packets)


def _copy(source: Path, offset: int, num_bytes: int, target: Path) -> None:
    with source.open("rb") as file, target.open("wb") as part:
        file.seek(offset)
        while num_bytes and (chunk := file.read(min(num_bytes, 1 << 20))):
            part.write(chunk)
            num_bytes -= len(chunk)
