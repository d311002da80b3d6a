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
from rotnet.data.originals import proven
from rotnet.data.staging import UnfinishedError
from rotnet.data.survey import Survey, pictures, survey
from rotnet.data.video import Video
from rotnet.data.workplace import Part, Stored, file_sha256, state_of
from rotnet.errors import DataError

# Raised by hand when equal pictures are encoded to other ones; a format's first has no number.
ENCODINGS = {"h264": 2}


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
        if self.format in ENCODINGS:
            values["encoding"] = ENCODINGS[self.format]
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
    done = task.part.recall(task.candidate, task.file)
    if done is not None:
        return done
    state = state_of(task.candidate, task.file)
    try:
        stored = replace(_prepared(task), state=state)
        if state_of(task.candidate, task.file) != state:
            reason = "it changed while it was read: prepare the set again"
            stored = Stored(left_out(task, reason, ""), packets_of([]))
        task.part.finish(stored)
    except OSError as error:
        raise UnfinishedError(
            f"cannot write frames of {task.candidate.path}: {error.strerror or error}; what is "
            "done is kept"
        ) from error
    return stored


def _prepared(task: Task) -> Stored:
    digest = file_sha256(task.file)
    if task.candidate.refusal:
        return Stored(left_out(task, task.candidate.refusal, digest), packets_of([]))
    taken = _taken_over(task, digest)
    if taken is not None:
        return taken
    try:
        found = survey(
            task.file,
            short_side=task.storage.short_side,
            min_frames=task.storage.min_frames,
            bars=task.storage.bars,
            with_sums=task.storage.format == "source",
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

    Nothing is written where frames stay in the videos; there a second pass proves that each can be
    sought.
    """
    if task.storage.format == "source":
        return proven(task.file, found.table, found.sums)
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
    """Return the video from an earlier set, with its packets copied, if it is the same there."""
    earlier = task.earlier
    if earlier is None or not digest or earlier.video.sha256 != digest:
        return None
    video = replace(
        earlier.video,
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
            if not _copied(shard, earlier.video.offset, packets, task.part.packets):
                return None
    except (DataError, IndexError, FileNotFoundError):
        return None
    return Stored(video, packets)


def _copied(source: Path, offset: int, packets: Index, target: Path) -> bool:
    """Return whether packets that lie one after another are whole, and copy them if they are."""
    with source.open("rb") as file, target.open("wb") as part:
        file.seek(offset)
        for size, crc in zip(packets["size"].tolist(), packets["crc"].tolist(), strict=True):
            packet = file.read(size)
            if len(packet) != size or checksum(packet) != crc:
                return False
            part.write(packet)
    return True
