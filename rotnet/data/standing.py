"""What stands where a set is to be prepared: may it go, is it the very set, what of it can stay."""

from dataclasses import asdict
from pathlib import Path

from rotnet.data.catalog import Candidate, Listing
from rotnet.data.framestore.layout import INDEX_FILE, RECORD_FILE, Record, is_shard
from rotnet.data.framestore.verified import check_stored
from rotnet.data.header import HEADER_FILE, MANIFEST_FILE, kind_of, read_header
from rotnet.data.job import CODE_VERSION, MADE_WITH, QUARANTINED, Job, refuse_troubled
from rotnet.data.manifest import Manifest
from rotnet.data.quarantine import QUARANTINE_FILE
from rotnet.data.video import Video
from rotnet.data.workplace import file_sha256
from rotnet.errors import DataError

SYNTHETIC_VIDEOS = "videos"
OLD_FRAMES_FILE = "frames.rgb"  # of sets that were made before there were shards


def check_place(out: Path) -> None:
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


def up_to_date(job: Job, source: Path, listing: Listing, out: Path) -> bool:
    """Return whether preparing would make exactly the set at `out` again."""
    if not (out / HEADER_FILE).is_file():
        return False
    try:
        manifest, header = Manifest.load(out), read_header(out)
    except DataError:
        return False  # not whole: to be made again
    if header.settings != job.settings or header.name != job.name:
        return False
    if not _as_written(out, job, source):
        return False
    if [found.path for found in listing.candidates] != [video.path for video in manifest.videos]:
        return False
    if not all(map(_as_refused, listing.candidates, manifest.videos)):
        return False
    if any(file_sha256(source / video.path) != video.sha256 for video in manifest.videos):
        return False
    if job.strict:
        refuse_troubled(job.name, manifest.videos)
    return True


def rows_to_take_over(out: Path, job: Job) -> dict[str, Video]:
    """Return the rows of the set at `out`, by path, if frames were stored there in the same way."""
    try:
        manifest, header = Manifest.load(out, whole=False), read_header(out)
        record = Record.load(out)
        check_stored(out / INDEX_FILE, record.index)
    except DataError:
        return {}
    frames = {**job.storage.settings, "code_version": CODE_VERSION}
    keys = (*asdict(job.storage), "encoding", "code_version")
    asked = {key: frames.get(key) for key in keys}
    same = {key: header.settings.get(key) for key in asked} == asked
    same &= header.made_with == MADE_WITH
    same &= record.storage == job.storage.format
    return {video.path: video for video in manifest.videos if video.kept} if same else {}


def _as_refused(candidate: Candidate, video: Video) -> bool:
    """Return whether a row follows what is refused now, and nothing that was refused earlier."""
    if candidate.refusal:
        return video.reason == candidate.refusal
    return not video.reason.startswith(QUARANTINED)


def _as_written(out: Path, job: Job, source: Path) -> bool:
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
