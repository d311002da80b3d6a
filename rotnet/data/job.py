"""What a preparation is asked for: its source, how to store it, and what it refuses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import av

from rotnet.data.catalog import VIDEO_SUFFIXES, Kind, Listing
from rotnet.data.hands import Hands
from rotnet.data.sizes import Estimate
from rotnet.data.store import Storage
from rotnet.data.video import Video
from rotnet.errors import DataError

MADE_WITH = f"PyAV {av.__version__}"
CODE_VERSION = 2  # raised by hand when equal videos and settings give other frames or areas
QUARANTINED = "in quarantine: "

Progress = Callable[[int, int], None]
Estimated = Callable[[Estimate], None]


def unheard(*_: object) -> None:
    """Take what nobody wants to see."""


class NotAllWholeError(DataError):
    """A strict preparation met videos that are not wholly decodable; `videos` are they."""

    def __init__(self, message: str, videos: tuple[Video, ...]) -> None:
        super().__init__(message)
        self.videos = videos


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a preparation is asked for, beside its source and its place."""

    kind: Kind
    storage: Storage
    name: str
    hands: Hands
    strict: bool
    progress: Progress
    quarantine: Mapping[str, str] = field(default_factory=dict)
    estimate: Estimated = unheard

    @property
    def settings(self) -> dict[str, Any]:
        """Return all that can change the set, as it stands in the header and in the fingerprint."""
        return {**self.kind.settings, **self.storage.settings, "code_version": CODE_VERSION}

    @property
    def identity(self) -> dict[str, Any]:
        """Return what must be the same for an interrupted preparation to go on."""
        storage = {**asdict(self.storage), **self.storage.settings}
        frames = {**storage, "code_version": CODE_VERSION}
        return {"frames": frames, "made_with": MADE_WITH}

    def found(self, source: Path) -> Listing:
        """Return the videos of the source; those in quarantine are refused by name."""
        return find(self.kind, source, self.quarantine)


def check_source(source: Path) -> None:
    """Raise DataError if a source is no folder."""
    if not source.exists():
        raise DataError(f"{source} does not exist: SOURCE must be a folder of videos")
    if not source.is_dir():
        raise DataError(f"{source} is a file: SOURCE must be a folder of videos")


def find(kind: Kind, source: Path, quarantine: Mapping[str, str]) -> Listing:
    """Return the videos of a source, those in quarantine with a refusal.

    Raises:
        DataError: if there is none, or the quarantine names one that is not there.
    """
    listing = kind.find(source)
    if not listing.candidates:
        suffixes = " ".join(sorted(VIDEO_SUFFIXES))
        raise DataError(
            f"{source} holds no video: {listing.ignored} files, none of them named {suffixes}"
        )
    paths = {candidate.path for candidate in listing.candidates}
    strangers = sorted(set(quarantine) - paths)
    if strangers:
        raise DataError(
            f"the quarantine names {len(strangers)} videos that {source} does not hold, such "
            f"as {strangers[0]}: paths are relative to SOURCE"
        )
    return replace(
        listing,
        candidates=tuple(
            replace(c, refusal=QUARANTINED + quarantine[c.path].removeprefix(QUARANTINED))
            if c.path in quarantine
            else c
            for c in listing.candidates
        ),
    )


def refuse_troubled(name: str, videos: Sequence[Video]) -> None:
    """Raise NotAllWholeError unless every video is whole."""
    troubled = tuple(video for video in videos if video.status != "ok")
    if troubled:
        raise NotAllWholeError(
            f"{name}: {len(troubled)} of {len(videos)} videos are not wholly decodable, and "
            f"--strict was given; nothing was written "
            f"(first: {troubled[0].path}: {troubled[0].reason})",
            troubled,
        )


def nothing_decodable(source: Path, videos: Sequence[Video]) -> str:
    """Return why a source of which every video is left out makes no set."""
    shown = "; ".join(f"{video.path}: {video.reason}" for video in videos[:3])
    more = f"; and {len(videos) - 3} more" if len(videos) > 3 else ""
    return f"{source} holds no video that can be decoded: {shown}{more}"
