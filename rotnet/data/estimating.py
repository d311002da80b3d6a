"""A few videos are prepared to say how large a set will be, before the rest are."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rotnet.data.catalog import Kind
from rotnet.data.framestore.formats import FORMATS
from rotnet.data.hands import Hands
from rotnet.data.job import Job, check_source, find
from rotnet.data.sizes import Estimate, estimated, sampled
from rotnet.data.store import Storage, Task
from rotnet.data.workplace import Workplace
from rotnet.errors import DataError


def estimates(
    source: Path,
    out: Path,
    kind: Kind,
    *,
    storage: Storage,
    hands: Hands,
    quarantine: Mapping[str, str] | None = None,
) -> dict[str, Estimate]:
    """Return how large a set would be in each format, judged by a few videos; nothing is kept.

    Args:
        source: folder of videos.
        out: where the set would lie; it need not be there.
        kind: how to read the source.
        storage: how to store, but for the format.
        hands: prepare the videos.
        quarantine: videos that are left out untried, by path, each with the reason.

    Raises:
        DataError: if there is nothing to prepare, or none of those videos can be decoded.
    """
    check_source(source)
    listing = find(kind, source, quarantine or {})
    candidates = [found for found in listing.candidates if not found.refusal]
    if not candidates:
        first = listing.candidates[0]
        raise DataError(
            f"{source}: every one of its {len(listing.candidates)} videos is left out untried "
            f"(first: {first.path}: {first.refusal})"
        )
    sizes = [_size(source / candidate.path) for candidate in candidates]
    some = sampled(candidates)
    found: dict[str, Estimate] = {}
    with tempfile.TemporaryDirectory() as place:
        for name in FORMATS:
            workplace = Workplace(Path(place), {"format": name})
            tasks = [
                Task(
                    file=source / candidate.path,
                    candidate=candidate,
                    storage=replace(storage, format=name),
                    part=workplace.part(candidate.path),
                )
                for candidate in some
            ]
            stored = list(hands(tasks))
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
                first_tried = stored[0].video
                raise DataError(
                    f"{source}: none of the {len(some)} videos that were tried, of "
                    f"{len(candidates)}, can be decoded (first: {first_tried.path}: "
                    f"{first_tried.reason}), so nothing is known of its size"
                )
            found[name] = estimate
    return found


def estimate_first(tasks: Sequence[Task], job: Job, place: Workplace) -> None:
    """Prepare a few videos, to say how large the set will be and whether there is room for it.

    Nothing is lost by it: what is done is not done again. What an earlier run has begun is never
    refused, for a part of the set is written already.
    """
    if job.storage.format == "source":
        return
    tasks = [task for task in tasks if not task.candidate.refusal]
    some = sampled(tasks)
    stored = list(job.hands(some))
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
