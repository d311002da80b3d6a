"""Objects of a bucket: each whole or not there, created once, replaced only as it was last seen.

All that a store needs of object storage, by fsspec: creation that fails where the name is taken
(`If-None-Match: *`), replacement that fails where another came between (`If-Match`), and listings
that show what was written before. S3 gives all three; what else speaks its API is tried out by each
run (`rotlab.store.exclusive`).

A server that does not answer is asked again, ever more seldom, and that is told once.
"""

import errno
import functools
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

import fsspec

from rotlab.store.answers import BucketError, judged

PROTOCOLS = ("s3",)  # whose exclusive creation is known to be safe
AWAY_S = 3600.0  # a server that does not answer is asked for so long
REACH_S = 20.0  # likewise, by who only begins: it may be the wrong one
BATCH = 1000  # names that one request can remove
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_CONNECT_S, _ANSWER_S, _FILE_S = 5.0, 15.0, 60.0  # that an answer may take, and a part of a file
_FILE_TRIES = 5  # for each part of one
_AT_ONCE = 16
_LOG = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class ChangedError(Exception):
    """An object is not what it was when it was last seen."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an object holds, the tag by which the server knows this content, and since when."""

    data: bytes
    tag: str
    changed: float  # seconds since the epoch, by the server's clock


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a listing: its size in bytes, its tag, and since when it has that content."""

    size: int
    tag: str
    changed: float  # seconds since the epoch, by the server's clock


@dataclass(frozen=True, slots=True)
class Bucket:
    """Objects below a URL. Names are relative to it.

    Args:
        url: s3://BUCKET/PATH, without a slash at its end.
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
            return self._put(name, data, IfNoneMatch="*")
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
        if tag is None:
            return self._put(name, data)
        try:
            return self._put(name, data, IfMatch=tag)
        except (ChangedError, FileNotFoundError):
            there = self.read(name)
            if there is not None and there.data == data:
                return there.tag
            raise ChangedError(f"{self}/{name}") from None

    def read(self, name: str) -> Held | None:
        """Return an object, or None where there is none."""

        def get(fs: Any) -> Held:  # noqa: ANN401  (fsspec has no types)
            answer = fs.call_s3("get_object", **self._at(name))
            body = fsspec.asyn.sync(fs.loop, answer["Body"].read)
            return Held(body, answer["ETag"], answer["LastModified"].timestamp())

        try:
            return self._ask(get)
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
        where = self._at(f"{folder}/" if folder else "")
        start, request = where["Key"], {"Bucket": where["Bucket"], "Prefix": where["Key"]}
        request |= {} if deep else {"Delimiter": "/"}
        found: dict[str, Listed | None] = {}
        while True:
            page = self._ask(functools.partial(_call, "list_objects_v2", request))
            for one in page.get("Contents", ()):
                found[one["Key"][len(start) :]] = _listed(one)
            for one in page.get("CommonPrefixes", ()):
                found[one["Prefix"][len(start) : -1]] = None
            if not page.get("IsTruncated"):
                return found
            request["ContinuationToken"] = page["NextContinuationToken"]

    def clock(self) -> float:
        """Return the server's time, in seconds since the epoch: what `changed` goes by."""
        request = {"Bucket": self._at("")["Bucket"], "MaxKeys": 1}
        page = self._ask(functools.partial(_call, "list_objects_v2", request))
        headers = page["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"]).timestamp()

    def upload(self, path: Path, name: str) -> None:
        """Put a file's content under a name; it appears whole."""
        self._ask(lambda fs: fs.put_file(str(path), self._path(name)), of_file=True)

    def download(self, name: str, path: Path) -> None:
        """Write an object's content to a file.

        Raises:
            FileNotFoundError: if there is no such object.
        """
        self._ask(lambda fs: fs.get_file(self._path(name), str(path)), of_file=True)

    def remove(self, *names: str) -> None:
        """Remove objects; those that are not there are no matter."""
        for first in range(0, len(names), BATCH):
            keys = [{"Key": self._at(name)["Key"]} for name in names[first : first + BATCH]]
            gone = {"Objects": keys, "Quiet": True}
            request = {"Bucket": self._at("")["Bucket"], "Delete": gone}
            self._ask(functools.partial(_call, "delete_objects", request))

    def remove_folder(self, folder: str) -> None:
        """Remove all that lies below a name."""
        self.remove(*(f"{folder}/{name}" for name in self.listed(folder, deep=True)))

    def __str__(self) -> str:
        return self.url

    def _put(self, name: str, data: bytes, **condition: str) -> str:
        request = {"Body": data, **self._at(name), **condition}
        return str(self._ask(functools.partial(_call, "put_object", request))["ETag"])

    def _path(self, name: str) -> str:
        where = self._at(name)
        return f"{where['Bucket']}/{where['Key']}"

    def _at(self, name: str) -> dict[str, str]:
        bucket, _, prefix = self.url.partition("://")[2].partition("/")
        return {"Bucket": bucket, "Key": f"{prefix}/{name}" if prefix else name}

    def _ask(self, question: Callable[[Any], Answer], *, of_file: bool = False) -> Answer:
        """Return the server's answer, asking again where there is none.

        Raises:
            FileNotFoundError: there is no such object.
            ChangedError: the condition does not hold.
            BucketError: it refuses, or has been away for too long.
        """
        began, pause, is_told = time.monotonic(), _PAUSE_S, False
        while True:
            try:
                found = question(_file_system(os.getpid(), _FILE_S if of_file else _ANSWER_S))
            except Exception as error:
                sort, why = judged(error)
                if sort == "other":
                    raise
                if sort == "changed":
                    raise ChangedError(str(error)) from error
                if sort == "refused":
                    raise BucketError(f"store {self}: {why}") from error
                if time.monotonic() + pause - began > self.patience_s:
                    raise BucketError(
                        f"store {self}: no answer for {time.monotonic() - began:.0f} s ({why}); "
                        "start its server, or see AWS_ENDPOINT_URL and the network; the same "
                        "command then goes on"
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
    bucket = Bucket(url)
    hasty = Bucket(url, REACH_S)
    request = {"Bucket": hasty._at("")["Bucket"], "MaxKeys": 1}
    hasty._ask(functools.partial(_call, "list_objects_v2", request))
    return bucket


@functools.lru_cache(maxsize=4)
def _file_system(process: int, answer_s: float) -> Any:  # noqa: ANN401, ARG001  (one for each process)
    """Fsspec's file system; what a fork has inherited of another process's is of no use."""
    config = {
        "connect_timeout": _CONNECT_S,
        "read_timeout": answer_s,
        "retries": {"mode": "standard", "total_max_attempts": 1},
    }
    try:
        found = fsspec.filesystem(
            "s3", use_listings_cache=False, skip_instance_cache=True, config_kwargs=config
        )
    except ImportError as error:
        raise BucketError(
            "a store at s3:// needs the package s3fs, which is not installed here: "
            "pip install '.[s3]', on every node"
        ) from error
    found.retries = _FILE_TRIES if answer_s == _FILE_S else 1  # `Bucket` asks again, and tells
    return found


def _listed(one: Mapping[str, Any]) -> Listed:
    return Listed(one["Size"], one["ETag"], one["LastModified"].timestamp())


def _call(method: str, request: Mapping[str, Any], fs: Any) -> Any:  # noqa: ANN401  (no types)
    return fs.call_s3(method, **request)
