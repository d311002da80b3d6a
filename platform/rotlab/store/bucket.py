"""Objects of a bucket: each whole or not there, created once, replaced only as it was last seen.

All that a store needs of object storage: creation that fails where the name is taken, replacement
that fails where another came between, and listings that show what was written before. Each protocol
makes the requests in its own way (`rotlab.store.objects`); whether a server heeds the conditions is
tried out by each run (`rotlab.store.exclusive`).

A server that does not answer is asked again, ever more seldom, and that is told once.
"""

import errno
import functools
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rotlab.store.answers import BucketError, judged
from rotlab.store.objects import NOTHING, Held, Listed, Objects, Page
from rotlab.store.objects_gcs import GoogleObjects
from rotlab.store.objects_s3 import S3Objects

PROTOCOLS: dict[str, type[Objects]] = {"s3": S3Objects, "gs": GoogleObjects}  # by scheme
AWAY_S = 3600.0  # a server that does not answer is asked for so long
REACH_S = 20.0  # likewise, by who only begins: it may be the wrong one
BATCH = 1000  # names that one request can remove
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_ANSWER_S, _FILE_S = 15.0, 60.0  # that an answer may take, and a part of a file
_AT_ONCE = 16
_LOG = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class ChangedError(Exception):
    """An object is not what it was when it was last seen."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Objects below a URL. Names are relative to it.

    Args:
        url: s3://BUCKET/PATH or of another of PROTOCOLS, without a slash at its end.
        patience_s: how long a server may be away.
    """

    url: str
    patience_s: float = AWAY_S

    def create(self, name: str, data: bytes) -> str:
        """Create an object and return its tag.

        Raises:
            FileExistsError: if the name is taken. By the same content it is not: an answer may have
                been lost, and what was asked for is there.
        """
        try:
            return self._ask(lambda objects: objects.put(self._key(name), data, NOTHING))
        except ChangedError:
            there = self.read(name)
            if there is not None and there.data == data:
                return there.tag
            raise FileExistsError(
                errno.EEXIST, "was created by another", f"{self}/{name}"
            ) from None

    def replace(self, name: str, data: bytes, tag: str | None = None) -> str:
        """Write an object, over the one of that tag alone if one is given; return the new tag.

        Raises:
            ChangedError: if the object has another tag, or is gone.
        """
        try:
            return self._ask(lambda objects: objects.put(self._key(name), data, tag))
        except (ChangedError, FileNotFoundError):
            there = self.read(name)
            if there is not None and there.data == data:
                return there.tag
            raise ChangedError(f"{self}/{name}") from None

    def read(self, name: str) -> Held | None:
        """Return an object, or None where there is none."""
        try:
            return self._ask(lambda objects: objects.get(self._key(name)))
        except FileNotFoundError:
            return None

    def read_all(self, names: Iterable[str]) -> dict[str, Held]:
        """Return those objects that are there, by name."""
        names = list(names)
        if len(names) < 2:
            found = [self.read(name) for name in names]
        else:
            with ThreadPoolExecutor(min(_AT_ONCE, len(names))) as readers:
                found = list(readers.map(self.read, names))
        return {name: one for name, one in zip(names, found, strict=True) if one is not None}

    def listed(self, folder: str, *, deep: bool = False) -> dict[str, Listed | None]:
        """Return what lies in a folder: objects by their names in it; None marks folders.

        Args:
            folder: its name; "" is the URL's own.
            deep: list the objects of all folders below instead of those folders.
        """
        start, more = self._key(f"{folder}/" if folder else ""), None
        found: dict[str, Listed | None] = {}
        while True:
            page = self._ask(functools.partial(_page, start, deep, more))
            found |= {name[len(start) :]: one for name, one in page.objects.items()}
            found |= dict.fromkeys(name[len(start) : -1] for name in page.folders)
            more = page.more
            if more is None:
                return found

    def clock(self) -> float:
        """Return the server's time, in seconds since the epoch: what `changed` goes by."""
        return self._ask(lambda objects: objects.clock())

    def upload(self, path: Path, name: str) -> None:
        """Put a file's content under a name; it appears whole."""
        self._ask(lambda objects: objects.upload(path, self._key(name)), of_file=True)

    def download(self, name: str, path: Path) -> None:
        """Write an object's content to a file.

        Raises:
            FileNotFoundError: if there is no such object.
        """
        self._ask(lambda objects: objects.download(self._key(name), path), of_file=True)

    def remove(self, *names: str) -> None:
        """Remove objects; those that are not there are no matter."""
        for first in range(0, len(names), BATCH):
            keys = [self._key(name) for name in names[first : first + BATCH]]
            self._ask(functools.partial(_remove, keys))

    def remove_folder(self, folder: str) -> None:
        """Remove all that lies below a name."""
        self.remove(*(f"{folder}/{name}" for name in self.listed(folder, deep=True)))

    def __str__(self) -> str:
        return self.url

    def _key(self, name: str) -> str:
        prefix = self.url.partition("://")[2].partition("/")[2]
        return f"{prefix}/{name}" if prefix else name

    def _objects(self, answer_s: float) -> Objects:
        scheme, _, rest = self.url.partition("://")
        return PROTOCOLS[scheme](rest.partition("/")[0], answer_s)

    def _ask(self, question: Callable[[Objects], Answer], *, of_file: bool = False) -> Answer:
        """Return the server's answer, asking again where there is none.

        Raises:
            FileNotFoundError: there is no such object.
            ChangedError: the condition does not hold.
            BucketError: it refuses, or has been away for too long.
        """
        objects = self._objects(_FILE_S if of_file else _ANSWER_S)
        began, pause, is_told = time.monotonic(), _PAUSE_S, False
        while True:
            try:
                found = question(objects)
            except Exception as error:
                sort, why = judged(*objects.reason(error), objects.advice)
                if sort == "other":
                    raise
                if sort == "changed":
                    raise ChangedError(str(error)) from error
                if sort == "refused":
                    raise BucketError(f"store {self}: {why}") from error
                if time.monotonic() + pause - began > self.patience_s:
                    raise BucketError(
                        f"store {self}: no answer for {time.monotonic() - began:.0f} s ({why}); "
                        f"start its server, or see {objects.advice.endpoint} and the network; the "
                        "same command then goes on"
                    ) from error
                if not is_told and sort == "away":
                    is_told = True
                    _LOG.warning("store %s does not answer (%s): asked again", self, why)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                if is_told:
                    _LOG.warning(
                        "store %s answers again, after %.0f s", self, time.monotonic() - began
                    )
                return found


def reach(url: str) -> Bucket:
    """Return the bucket at a URL, if its server answers and lets it be listed.

    Raises:
        BucketError: if not, in one line: no such bucket, no credentials, no answer, no package.
    """
    Bucket(url, REACH_S).clock()
    return Bucket(url)


def _page(start: str, deep: bool, more: str | None, objects: Objects) -> Page:
    return objects.page(start, deep=deep, more=more)


def _remove(names: list[str], objects: Objects) -> None:
    objects.remove(names)
