"""What a store asks of a server of objects, whatever its protocol. No request is made here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rotlab.store.answers import Advice, Reason

NOTHING = ""  # the tag of an object that is not there


@dataclass(frozen=True, slots=True)
class Held:
    """What an object holds, and the tag by which the server knows this content."""

    data: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a listing.

    Args:
        size: in bytes.
        changed: since when it has that content: seconds since the epoch, by the server's clock.
        md5: of the content in hexadecimal; or something else, where the server does not tell.
    """

    size: int
    changed: float
    md5: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing.

    Args:
        objects: by their names.
        folders: names that others begin with, each with a slash at its end.
        more: by which the next part is asked for; None: this is the last.
    """

    objects: dict[str, Listed]
    folders: list[str]
    more: str | None


class Objects(Protocol):
    """The objects of one bucket, by their whole names.

    A request is made once, and fails as the protocol's library does; of what is not there, with
    FileNotFoundError. Parts of files alone are asked for again.

    Args:
        bucket: its name.
        answer_s: how long an answer may take, or a part of a file.
    """

    advice: Advice

    def __init__(self, bucket: str, answer_s: float) -> None: ...

    @staticmethod
    def reason(error: Exception) -> tuple[Reason, str]:
        """Return what an error of the library means, and what the server said."""
        ...

    def put(self, name: str, data: bytes, over: str | None) -> str:
        """Write an object over the one of that tag alone, or over any (None); return its tag."""
        ...

    def get(self, name: str) -> Held:
        """Return an object."""
        ...

    def page(self, start: str, *, deep: bool, more: str | None) -> Page:
        """Return a part of the objects whose names begin so.

        Args:
            start: of the names; with a slash at its end, or empty.
            deep: list those of folders below instead of the folders.
            more: as the part before had it.
        """
        ...

    def clock(self) -> float:
        """Return the server's time, in seconds since the epoch; fails if it may not be listed."""
        ...

    def remove(self, names: Sequence[str]) -> None:
        """Remove at most `bucket.BATCH` objects; those that are not there are no matter."""
        ...

    def upload(self, path: Path, name: str) -> None:
        """Put a file's content under a name; it appears whole."""
        ...

    def download(self, name: str, path: Path) -> None:
        """Write an object's content to a file."""
        ...
