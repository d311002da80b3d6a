"""A source of videos becomes a prepared set.

`rotnet.data.store` does one file; this runs it over a source, on several processes, and packs the
results in the order of paths, so that the number of processes does not show in the set, nor how
often it was interrupted.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import av

from rotnet.data.catalog import VIDEO_SUFFIXES, Candidate, FolderKind, Kind, Listing
from rotnet.data.framestore.formats import FORMATS
from rotnet.data.framestore.layout import INDEX_FILE, RECORD_FILE, Record, is_shard
from rotnet.data.framestore.packing import DamagedPartError, packets_of
from rotnet.data.framestore.verified import check_stored
from rotnet.data.manifest import (
    HEADER_FILE,
    MANIFEST_FILE,
    QUARANTINE_FILE,
    Header,
    Manifest,
    Video,
    fingerprint,
    kind_of,
    read_header,
    write_files,
)
from rotnet.data.processes import map_in_order
from rotnet.data.sizes import Estimate, estimated, sampled
from rotnet.data.staging import UnfinishedError, clear_old, staged_folder
from rotnet.data.store import Earlier, Storage, Task, left_out, prepare_video
from rotnet.data.synthetic import write_videos
from rotnet.data.units import join_identical
from rotnet.data.workplace import Packer, Stored, Workplace, file_sha256
from rotnet.errors import DataError

MADE_WITH = f"PyAV {av.__version__}"
CODE_VERSION = 2  # raised by hand when equal videos and settings give other frames or areas
QUARANTINED = "in quarantine: "
SYNTHETIC_VIDEOS = "videos"
SYNTHETIC_PROBE = 8  # so many are written again to see whether they would be the same today

OLD_FRAMES_FILE = "frames.rgb"  # of sets that were made before there were shards

Progress = Callable[[int, int], None]
Estimated = Callable[[Estimate], None]


def _unheard(*_: object) -> None:
    """Take what nobody wants to see."""


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
    quarantine: Mapping[str, str] | None = None,
    progress: Progress = _unheard,
    estimate: Estimated = _unheard,
) -> Outcome:
    """Prepare a folder of videos; where `out` already holds exactly that, do nothing.

    A preparation that was interrupted, by whatever, goes on from where it was, and ends with the
    files of one that was not. Where `out` holds a set of the same settings, videos that have not
    changed are taken over from it.

    Args:
        source: folder of videos.
        out: becomes the prepared set; new, empty, or a prepared set, which is then replaced.
        kind: how to read the source.
        storage: how to store.
        name: what people call the set; the name of `out` if None.
        workers: processes; 0 works in this one.
        strict: refuse the whole set if a video is not wholly decodable.
        quarantine: videos that are left out untried, by path, each with the reason.
        progress: told how many of how many videos are done.
        estimate: told how large the set will be, before it is written.

    Raises:
        DataError: if there is nothing to prepare, no place for it, or nothing decodable. `out` is
        as it was.
        UnfinishedError: if the disk is full; what is done is kept beside `out`, for the next run.
    """
    if not source.exists():
        raise DataError(f"{source} does not exist: SOURCE must be a folder of videos")
    if not source.is_dir():
        raise DataError(f"{source} is a file: SOURCE must be a folder of videos")
    _check_place(out)
    if out.exists() and source.resolve().is_relative_to(out.resolve()):
        raise DataError(f"{source} lies inside {out}, which would be replaced: choose another OUT")
    job = _Job(
        kind=kind,
        storage=storage,
        name=name or out.resolve().name,
        workers=workers,
        strict=strict,
        progress=progress,
        quarantine=quarantine or {},
        estimate=estimate,
    )
    with _disk_errors(out):
        listing = job.found(source)
        earlier = _up_to_date(job, source, listing, out)
        if earlier:
            clear_old(out)
            return earlier
        with staged_folder(out) as staging:
            _fill(Workplace(staging, job.identity), source, listing, job, out)
    return Outcome(Manifest.load(out), read_header(out), fresh=True)


def estimates(source: Path, out: Path, kind: Kind, *, storage: Storage) -> dict[str, Estimate]:
    """Return how large a set would be in each format, judged by a few videos; nothing is kept.

    Args:
        source: folder of videos.
        out: where the set would lie; it need not be there.
        kind: how to read the source.
        storage: how to store, but for the format.

    Raises:
        DataError: if there is nothing to prepare, or none of those videos can be decoded.
    """
    candidates = _found(kind, source).candidates
    sizes = [_size(source / candidate.path) for candidate in candidates]
    some = sampled(candidates)
    found: dict[str, Estimate] = {}
    with tempfile.TemporaryDirectory() as place:
        for name in FORMATS:
            workplace = Workplace(Path(place), {"format": name})
            stored = [
                prepare_video(
                    Task(
                        file=source / candidate.path,
                        candidate=candidate,
                        storage=replace(storage, format=name),
                        part=workplace.part(candidate.path),
                    )
                )
                for candidate in some
            ]
            estimate = estimated(
                sizes=sizes,
                sample=[
                    (_size(source / one.video.path), one.video.num_bytes)
                    for one in stored
                    if one.video.kept
                ],
                free=shutil.disk_usage(_nearest(out)).free,
            )
            if estimate is None:
                raise DataError(_nothing_decodable(source, [one.video for one in stored]))
            found[name] = estimate
    return found


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
    if storage.format == "source":
        raise DataError("synthetic videos are made to be stored: choose raw, jpeg or h264")
    job = _Job(
        kind=kind,
        storage=storage,
        name=name or out.resolve().name,
        workers=workers,
        strict=True,
        progress=progress,
    )
    videos = out / SYNTHETIC_VIDEOS
    with _disk_errors(out):
        if videos.is_dir() and _begins_as_written(videos, num_videos, seed, unlabelled):
            earlier = _up_to_date(job, videos, job.found(videos), out)
            if earlier:
                return earlier
        with staged_folder(out) as staging:
            place = Workplace(staging, job.identity)
            made = place.set / SYNTHETIC_VIDEOS
            shutil.rmtree(made, ignore_errors=True)
            write_videos(made, num_videos=num_videos, seed=seed, pool=unlabelled)
            _fill(place, made, job.found(made), job, out)
    return Outcome(Manifest.load(out), read_header(out), fresh=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What a preparation is asked for, beside its source and its place."""

    kind: Kind
    storage: Storage
    name: str
    workers: int
    strict: bool
    progress: Progress
    quarantine: Mapping[str, str] = field(default_factory=dict)
    estimate: Estimated = _unheard

    @property
    def settings(self) -> dict[str, Any]:
        """Return all that can change the set, as it stands in the header and in the fingerprint."""
        return {**self.kind.settings, **self.storage.settings, "code_version": CODE_VERSION}

    @property
    def identity(self) -> dict[str, Any]:
        """Return what must be the same for an interrupted preparation to go on."""
        frames = {**asdict(self.storage), "code_version": CODE_VERSION}
        return {"frames": frames, "made_with": MADE_WITH}

    def found(self, source: Path) -> Listing:
        """Return the videos of the source; those in quarantine are refused by name."""
        listing = _found(self.kind, source)
        if not self.quarantine:
            return listing
        paths = {candidate.path for candidate in listing.candidates}
        strangers = sorted(set(self.quarantine) - paths)
        if strangers:
            raise DataError(
                f"the quarantine names {len(strangers)} videos that {source} does not hold, such "
                f"as {strangers[0]}: paths are relative to SOURCE"
            )
        return replace(
            listing,
            candidates=tuple(
                replace(c, refusal=QUARANTINED + self.quarantine[c.path].removeprefix(QUARANTINED))
                if c.path in self.quarantine
                else c
                for c in listing.candidates
            ),
        )


def _fill(place: Workplace, source: Path, listing: Listing, job: _Job, out: Path) -> None:
    """Write a whole set into a folder that nobody reads yet."""
    folder = place.set
    videos = _store_all(place, source, listing, job, out)
    kept = [video for video in videos if video.kept]
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
        made_with=MADE_WITH,
    )
    write_files(folder, header, rows)


def _store_all(
    place: Workplace, source: Path, listing: Listing, job: _Job, out: Path
) -> list[Video]:
    """Prepare every candidate that is not done, pack those that are kept; return all rows."""
    packer = Packer(place, has_frames=job.storage.format != "source")
    candidates = listing.candidates
    done = packer.resume([(found, source / found.path) for found in candidates])
    earlier = _earlier(out, job)
    tasks = [
        Task(
            file=source / candidate.path,
            candidate=candidate,
            storage=job.storage,
            part=place.part(candidate.path),
            earlier=Earlier(out, earlier[candidate.path]) if candidate.path in earlier else None,
        )
        for candidate in candidates
    ]
    left = tasks[done:]
    job.progress(done, len(tasks))
    if not done:
        _estimate(left, job, place)
    workers = min(job.workers, len(left))
    results = map_in_order(prepare_video, left, workers=workers, died=_died)
    for number, (task, stored) in enumerate(zip(left, results, strict=True), done + 1):
        try:
            packer.add(stored, task.part)
        except (DamagedPartError, FileNotFoundError):
            task.part.remove()
            packer.add(prepare_video(task), task.part)
        job.progress(number, len(tasks))
    rows = packer.rows
    if not any(video.kept for video in rows):
        raise DataError(_nothing_decodable(source, rows))
    if job.strict:
        _refuse_troubled(job.name, rows)
    packer.finish(
        job.storage.format, str(source.resolve()) if job.storage.format == "source" else None
    )
    return rows


def _estimate(tasks: Sequence[Task], job: _Job, place: Workplace) -> None:
    """Prepare a few videos, to say how large the set will be and whether there is room for it.

    Nothing is lost by it: what is done is not done again. What an earlier run has begun is never
    refused, for a part of the set is written already.
    """
    if job.storage.format == "source":
        return
    some = sampled(tasks)
    workers = min(job.workers, len(some))
    stored = list(map_in_order(prepare_video, some, workers=workers, died=_died))
    found = estimated(
        sizes=[_size(task.file) for task in tasks],
        sample=[
            (_size(task.file), one.video.num_bytes)
            for task, one in zip(some, stored, strict=True)
            if one.video.kept
        ],
        free=shutil.disk_usage(place.folder).free,
    )
    if found is None:
        return
    job.estimate(found)
    if found.too_large and not place.begun:
        raise DataError(found.refusal(job.storage.format))


def _nearest(out: Path) -> Path:
    """Return a folder that is there, on the disk where another will be."""
    folder = out.resolve()
    while not folder.exists():
        folder = folder.parent
    return folder


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _earlier(out: Path, job: _Job) -> dict[str, Video]:
    """Return the rows of the set at `out`, by path, if frames were stored there in the same way."""
    try:
        manifest, header = Manifest.load(out, whole=False), read_header(out)
        record = Record.load(out)
        check_stored(out / INDEX_FILE, record.index)
    except DataError:
        return {}
    frames = {**job.storage.settings, "code_version": CODE_VERSION}
    asked = {key: frames.get(key) for key in (*asdict(job.storage), "code_version")}
    same = {key: header.settings.get(key) for key in asked} == asked
    same &= header.made_with == MADE_WITH
    same &= record.storage == job.storage.format
    return {video.path: video for video in manifest.videos if video.kept} if same else {}


def _died(task: Task) -> Stored:
    reason = "the process that decoded it died (a crash in its codec, or no memory)"
    return Stored(left_out(task, reason, file_sha256(task.file)), packets_of([]))


def _found(kind: Kind, source: Path) -> Listing:
    listing = kind.find(source)
    if not listing.candidates:
        suffixes = " ".join(sorted(VIDEO_SUFFIXES))
        raise DataError(
            f"{source} holds no video: {listing.ignored} files, none of them named {suffixes}"
        )
    return listing


def _up_to_date(job: _Job, source: Path, listing: Listing, out: Path) -> Outcome | None:
    """Return the set at `out` if preparing would make exactly it again."""
    if not (out / HEADER_FILE).is_file():
        return None
    try:
        manifest, header = Manifest.load(out), read_header(out)
    except DataError:
        return None  # not whole: to be made again
    if header.settings != job.settings or header.name != job.name:
        return None
    if not _as_written(out, job, source):
        return None
    if [found.path for found in listing.candidates] != [video.path for video in manifest.videos]:
        return None
    if not all(map(_as_refused, listing.candidates, manifest.videos)):
        return None
    if any(file_sha256(source / video.path) != video.sha256 for video in manifest.videos):
        return None
    if job.strict:
        _refuse_troubled(job.name, manifest.videos)
    return Outcome(manifest, header, fresh=False)


def _as_refused(candidate: Candidate, video: Video) -> bool:
    """Return whether a row follows what is refused now, and nothing that was refused earlier."""
    if candidate.refusal:
        return video.reason == candidate.refusal
    return not video.reason.startswith(QUARANTINED)


def _as_written(out: Path, job: _Job, source: Path) -> bool:
    """Return whether the frame store at `out` is of this job, and whole."""
    record = Record.load(out)
    if record.storage != job.storage.format:
        return False
    if record.source is not None and record.source != str(source.resolve()):
        return False
    try:
        for file in record.files:
            check_stored(out / file.name, file)
    except DataError:
        return False
    return True


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
    own = {HEADER_FILE, MANIFEST_FILE, QUARANTINE_FILE, RECORD_FILE, INDEX_FILE, OLD_FRAMES_FILE}
    own |= {name for name in inside if is_shard(name)}
    if HEADER_FILE in inside:
        own |= {SYNTHETIC_VIDEOS} if kind_of(out) == "synthetic" else set()
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
        raise UnfinishedError(
            f"cannot prepare {out}: {where}: {error.strerror or error}; what is done is kept, and "
            "the same command goes on from there"
        ) from error
