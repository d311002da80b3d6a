"""A source of videos becomes a prepared set.

`rotnet.data.store` does one file; this runs it over a source, on several processes, and packs the
results in the order of paths, so that the number of processes does not show in the set, nor how
often it was interrupted. Other hands than processes may be handed in: see `rotnet.data.hands`.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rotnet.data.catalog import FolderKind, Kind, Listing
from rotnet.data.estimating import estimate_first
from rotnet.data.framestore.packing import DamagedPartError
from rotnet.data.hands import Hands, processes
from rotnet.data.header import Header, read_header
from rotnet.data.job import (
    MADE_WITH,
    Estimated,
    Job,
    Progress,
    check_source,
    nothing_decodable,
    refuse_troubled,
    unheard,
)
from rotnet.data.manifest import Manifest, fingerprint, write_files
from rotnet.data.staging import UnfinishedError, clear_old, staged_folder
from rotnet.data.standing import SYNTHETIC_VIDEOS, check_place, rows_to_take_over, up_to_date
from rotnet.data.store import Earlier, Storage, Task, prepare_video
from rotnet.data.synthetic import write_videos
from rotnet.data.units import join_identical
from rotnet.data.video import Video
from rotnet.data.workplace import Packer, Workplace, file_sha256
from rotnet.errors import DataError

IN_THIS_PROCESS = processes(0)
SYNTHETIC_PROBE = 8  # so many are written again to see whether they would be the same today


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prepared set, and whether it was made now or stood there already."""

    manifest: Manifest
    header: Header
    fresh: bool


def prepare(
    source: Path,
    out: Path,
    kind: Kind,
    *,
    storage: Storage,
    name: str | None = None,
    hands: Hands = IN_THIS_PROCESS,
    strict: bool = False,
    quarantine: Mapping[str, str] | None = None,
    progress: Progress = unheard,
    estimate: Estimated = unheard,
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
        hands: prepare the videos, each by itself.
        strict: refuse the whole set if a video is not wholly decodable.
        quarantine: videos that are left out untried, by path, each with the reason.
        progress: told how many of how many videos are done.
        estimate: told how large the set will be, before it is written.

    Raises:
        DataError: if there is nothing to prepare, no place for it, or nothing decodable. `out` is
        as it was.
        UnfinishedError: if the disk is full; what is done is kept beside `out`, for the next run.
    """
    check_source(source)
    check_place(out)
    if out.exists() and source.resolve().is_relative_to(out.resolve()):
        raise DataError(f"{source} lies inside {out}, which would be replaced: choose another OUT")
    job = Job(
        kind=kind,
        storage=storage,
        name=name or out.resolve().name,
        hands=hands,
        strict=strict,
        progress=progress,
        quarantine=quarantine or {},
        estimate=estimate,
    )
    with _disk_errors(out):
        listing = job.found(source)
        if up_to_date(job, source, listing, out):
            clear_old(out)
            return Outcome(Manifest.load(out), read_header(out), fresh=False)
        with staged_folder(out) as staging:
            _fill(Workplace(staging, job.identity), source, listing, job, out)
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
    hands: Hands = IN_THIS_PROCESS,
    progress: Progress = unheard,
) -> Outcome:
    """Write synthetic videos to out/videos and prepare them like a folder; see `prepare`.

    Unlabelled ones are those of the pool, in which everything falls.
    """
    check_place(out)
    origin = (("num_videos", num_videos), ("seed", seed))
    kind = FolderKind(
        unlabelled=unlabelled, test_fraction=test_fraction, name="synthetic", origin=origin
    )
    if storage.format == "source":
        raise DataError("synthetic videos are made to be stored: choose raw, jpeg or h264")
    job = Job(
        kind=kind,
        storage=storage,
        name=name or out.resolve().name,
        hands=hands,
        strict=True,
        progress=progress,
    )
    videos = out / SYNTHETIC_VIDEOS
    with _disk_errors(out):
        made_alike = videos.is_dir() and _begins_as_written(videos, num_videos, seed, unlabelled)
        if made_alike and up_to_date(job, videos, job.found(videos), out):
            return Outcome(Manifest.load(out), read_header(out), fresh=False)
        with staged_folder(out) as staging:
            place = Workplace(staging, job.identity)
            made = place.set / SYNTHETIC_VIDEOS
            shutil.rmtree(made, ignore_errors=True)
            write_videos(made, num_videos=num_videos, seed=seed, pool=unlabelled)
            _fill(place, made, job.found(made), job, out)
    return Outcome(Manifest.load(out), read_header(out), fresh=True)


def _fill(place: Workplace, source: Path, listing: Listing, job: Job, out: Path) -> None:
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
    place: Workplace, source: Path, listing: Listing, job: Job, out: Path
) -> list[Video]:
    """Prepare every candidate that is not done, pack those that are kept; return all rows."""
    packer = Packer(place, has_frames=job.storage.format != "source")
    candidates = listing.candidates
    done = packer.resume([(found, source / found.path) for found in candidates])
    earlier = rows_to_take_over(out, job)
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
        estimate_first(left, job, place)
    for number, (task, stored) in enumerate(zip(left, job.hands(left), strict=True), done + 1):
        try:
            packer.add(stored, task.part)
        except (DamagedPartError, FileNotFoundError):
            task.part.remove()
            packer.add(prepare_video(task), task.part)
        job.progress(number, len(tasks))
    rows = packer.rows
    if not any(video.kept for video in rows):
        raise DataError(nothing_decodable(source, rows))
    if job.strict:
        refuse_troubled(job.name, rows)
    packer.finish(
        job.storage.format, str(source.resolve()) if job.storage.format == "source" else None
    )
    return rows


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
