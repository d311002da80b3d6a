"""A source of videos becomes a prepared set.

`rotnet.data.store` does one file; this runs it over a source, on several processes, and puts the
results together in the order of paths, so that the number of processes does not show in the set.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av

from rotnet.data.catalog import VIDEO_SUFFIXES, FolderKind, Kind, Listing
from rotnet.data.manifest import (
    FRAMES_FILE,
    HEADER_FILE,
    MANIFEST_FILE,
    Header,
    Manifest,
    Video,
    fingerprint,
    read_header,
    write_files,
)
from rotnet.data.processes import map_in_order
from rotnet.data.staging import staged_folder
from rotnet.data.store import Storage, Task, file_sha256, left_out, prepare_video
from rotnet.data.synthetic import write_videos
from rotnet.data.units import join_identical
from rotnet.errors import DataError

CODE_VERSION = 2  # raised by hand when equal videos and settings give other frames or areas
SYNTHETIC_VIDEOS = "videos"
SYNTHETIC_PROBE = 8  # so many are written again to see whether they would be the same today

Progress = Callable[[int, int], None]


def _unheard(_done: int, _total: int) -> None:
    """Take progress that nobody wants to see."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prepared set, and whether it was made now or stood there already."""

    manifest: Manifest
    header: Header
    fresh: bool


class NotAllWholeError(DataError):
    """A strict preparation met videos that are not wholly decodable; `videos` are they."""

    def __init__(self, message: str, videos: tuple[Video, ...]) -> None:
        super().__init__(message)
        self.videos = videos


def prepare(
    source: Path,
    out: Path,
    kind: Kind,
    *,
    storage: Storage,
    name: str | None = None,
    workers: int = 0,
    strict: bool = False,
    progress: Progress = _unheard,
) -> Outcome:
    """Prepare a folder of videos; where `out` already holds exactly that, do nothing.

    Args:
        source: folder of videos.
        out: becomes the prepared set; new, empty, or a prepared set, which is then replaced.
        kind: how to read the source.
        storage: how to store.
        name: what people call the set; the name of `out` if None.
        workers: processes; 0 works in this one.
        strict: refuse the whole set if a video is not wholly decodable.
        progress: told how many of how many videos are done.

    Raises:
        DataError: if there is nothing to prepare, no place for it, or nothing decodable. `out` is
        as it was.
    """
    if not source.exists():
        raise DataError(f"{source} does not exist: SOURCE must be a folder of videos")
    if not source.is_dir():
        raise DataError(f"{source} is a file: SOURCE must be a folder of videos")
    _check_place(out)
    if out.exists() and source.resolve().is_relative_to(out.resolve()):
        raise DataError(f"{source} lies inside {out}, which would be replaced: choose another OUT")
    job = _Job(kind, storage, name or out.resolve().name, workers, strict, progress)
    with _disk_errors(out):
        earlier = _up_to_date(job, source, out)
        if earlier:
            return earlier
        with staged_folder(out) as staging:
            _fill(staging, source, job)
    return Outcome(Manifest.load(out), read_header(out), fresh=True)


def prepare_synthetic(
    out: Path,
    *,
    num_videos: int,
    seed: int,
    unlabelled: bool,
    test_fraction: float = 0.3,
    storage: Storage,
    name: str | None = None,
    workers: int = 0,
    progress: Progress = _unheard,
) -> Outcome:
    """Write synthetic videos to out/videos and prepare them like a folder; see `prepare`.

    Unlabelled ones are those of the pool, in which everything falls.
    """
    _check_place(out)
    origin = (("num_videos", num_videos), ("seed", seed))
    kind = FolderKind(
        unlabelled=unlabelled, test_fraction=test_fraction, name="synthetic", origin=origin
    )
    job = _Job(kind, storage, name or out.resolve().name, workers, strict=True, progress=progress)
    videos = out / SYNTHETIC_VIDEOS
    with _disk_errors(out):
        if videos.is_dir() and _begins_as_written(videos, num_videos, seed, unlabelled):
            earlier = _up_to_date(job, videos, out)
            if earlier:
                return earlier
        with staged_folder(out) as staging:
            write_videos(
                staging / SYNTHETIC_VIDEOS, num_videos=num_videos, seed=seed, pool=unlabelled
            )
            _fill(staging, staging / SYNTHETIC_VIDEOS, job)
    return Outcome(Manifest.load(out), read_header(out), fresh=True)


@dataclass(frozen=True, slots=True)
class _Job:
    """What a preparation is asked for, beside its source and its place."""

    kind: Kind
    storage: Storage
    name: str
    workers: int
    strict: bool
    progress: Progress

    @property
    def settings(self) -> dict[str, Any]:
        """Return all that can change the set, as it stands in the header and in the fingerprint."""
        return {**self.kind.settings, **self.storage.settings, "code_version": CODE_VERSION}


def _fill(folder: Path, source: Path, job: _Job) -> None:
    """Write a whole set into a folder that nobody reads yet."""
    listing = _found(job.kind, source)
    videos = _store_all(folder, source, listing, job)
    kept = [video for video in videos if video.kept]
    if not kept:
        raise DataError(_nothing_decodable(source, videos))
    if job.strict:
        _refuse_troubled(job.name, videos)
    joined = join_identical(kept)
    kept = [replace(video, group=joined[video.group]) for video in kept]
    sides = {found.path: found.sides for found in listing.candidates if found.sides}
    splits = job.kind.split(kept, sides)
    by_path = {video.path: video for video in splits.videos}
    unused = ("unused",) * splits.number
    rows = [by_path.get(video.path) or replace(video, splits=unused) for video in videos]
    classes = tuple(sorted({video.label for video in kept if video.label is not None}))
    header = Header(
        name=job.name,
        kind=job.kind.name,
        classes=classes,
        num_splits=splits.number,
        fingerprint=fingerprint(rows, job.settings),
        settings=job.settings,
        counts={
            **dict.fromkeys(("ok", "part", "left_out"), 0),
            **Counter(video.status for video in rows),
            "ignored_files": listing.ignored,
            **listing.counts,
            "bytes": sum(video.num_bytes for video in kept),
        },
        notes=(*listing.notes, *_notes(job.kind.name, classes, splits.note)),
    )
    write_files(folder, header, rows, made_with=f"PyAV {av.__version__}")


def _store_all(folder: Path, source: Path, listing: Listing, job: _Job) -> list[Video]:
    """Prepare every candidate and gather the frames of those that are kept; return all rows."""
    parts = folder / "parts"
    parts.mkdir()
    tasks = [
        Task(source / candidate.path, candidate, job.storage, parts / str(number))
        for number, candidate in enumerate(listing.candidates)
    ]
    results = map_in_order(prepare_video, tasks, workers=min(job.workers, len(tasks)), died=_died)
    videos: list[Video] = []
    job.progress(0, len(tasks))
    with (folder / FRAMES_FILE).open("wb") as frames:
        for task, video in zip(tasks, results, strict=True):
            if video.kept:
                video = replace(video, offset=frames.tell())
                with task.part.open("rb") as part:
                    shutil.copyfileobj(part, frames, 1 << 20)
            task.part.unlink(missing_ok=True)
            videos.append(video)
            job.progress(len(videos), len(tasks))
    parts.rmdir()
    return videos


def _died(task: Task) -> Video:
    reason = "the process that decoded it died (a crash in its codec, or no memory)"
    return left_out(task, reason, file_sha256(task.file))


def _found(kind: Kind, source: Path) -> Listing:
    listing = kind.find(source)
    if not listing.candidates:
        suffixes = " ".join(sorted(VIDEO_SUFFIXES))
        raise DataError(
            f"{source} holds no video: {listing.ignored} files, none of them named {suffixes}"
        )
    return listing


def _up_to_date(job: _Job, source: Path, out: Path) -> Outcome | None:
    """Return the set at `out` if preparing would make exactly it again."""
    if not (out / HEADER_FILE).is_file():
        return None
    try:
        manifest, header = Manifest.load(out), read_header(out)
    except DataError:
        return None  # not whole: to be made again
    if header.settings != job.settings or header.name != job.name:
        return None
    candidates = _found(job.kind, source).candidates
    if [candidate.path for candidate in candidates] != [video.path for video in manifest.videos]:
        return None
    if any(file_sha256(source / video.path) != video.sha256 for video in manifest.videos):
        return None
    if job.strict:
        _refuse_troubled(job.name, manifest.videos)
    return Outcome(manifest, header, fresh=False)


def _begins_as_written(videos: Path, num_videos: int, seed: int, pool: bool) -> bool:
    """Return whether the first videos are what would be written today.

    A video depends on the seed and its number only, so the first ones speak for all.
    """
    with tempfile.TemporaryDirectory() as again:
        write_videos(Path(again), num_videos=min(num_videos, SYNTHETIC_PROBE), seed=seed, pool=pool)
        written = [path for path in Path(again).rglob("*") if path.is_file()]
        return all(
            file_sha256(path) == file_sha256(videos / path.relative_to(again)) for path in written
        )


def _check_place(out: Path) -> None:
    """Raise DataError unless `out` is new, empty, or a prepared set and nothing else."""
    if not out.exists():
        if out.is_symlink():
            raise DataError(f"{out} is a link that leads nowhere: remove it, or choose another OUT")
        return
    if not out.is_dir():
        raise DataError(f"{out} is a file: OUT must be a new folder, or a prepared set")
    if Path.cwd().is_relative_to(out.resolve()):
        raise DataError(
            f"{out} holds the current folder, and is replaced whole: choose another OUT"
        )
    inside = {path.name for path in out.iterdir()}
    if not inside:
        return
    own = {FRAMES_FILE, HEADER_FILE, MANIFEST_FILE}
    if HEADER_FILE in inside:
        own |= {SYNTHETIC_VIDEOS} if read_header(out).kind == "synthetic" else set()
    other = sorted(inside - own)
    if other or HEADER_FILE not in inside:
        raise DataError(
            f"{out} holds something else than a prepared set ({(other or sorted(inside))[0]}): "
            "choose a new or empty folder"
        )


def _nothing_decodable(source: Path, videos: Sequence[Video]) -> str:
    shown = "; ".join(f"{video.path}: {video.reason}" for video in videos[:3])
    more = f"; and {len(videos) - 3} more" if len(videos) > 3 else ""
    return f"{source} holds no video that can be decoded: {shown}{more}"


def _refuse_troubled(name: str, videos: Sequence[Video]) -> None:
    troubled = tuple(video for video in videos if video.status != "ok")
    if troubled:
        raise NotAllWholeError(
            f"{name}: {len(troubled)} of {len(videos)} videos are not wholly decodable, and "
            f"--strict was given; nothing was written "
            f"(first: {troubled[0].path}: {troubled[0].reason})",
            troubled,
        )


def _notes(kind: str, classes: Sequence[str], split_note: str) -> tuple[str, ...]:
    single = f"only one class, {classes[0]!r}" if len(classes) == 1 else ""
    if single and kind == "folder":
        single += ": if folders are not classes, give --unlabelled"
    return tuple(note for note in (single, split_note) if note)


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    """Turn an error of the file system into one line."""
    try:
        yield
    except OSError as error:
        where = error.filename or out
        raise DataError(f"cannot prepare {out}: {where}: {error.strerror or error}") from error
