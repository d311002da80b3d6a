"""Objects by the JSON API of Google Cloud Storage, through gcsfs. Tags are generations.

The condition is `ifGenerationMatch`: 0 creates, a generation replaces what has it. Listings show
what was written before. Requests go through gcsfs's session and credentials, but are not repeated
by it, since `rotlab.store.bucket` does that and tells; parts of files are.

https://cloud.google.com/storage/docs/request-preconditions
https://cloud.google.com/storage/docs/consistency
"""

import base64
import functools
import importlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from rotlab.store.answers import TIMEOUTS, Advice, Reason, by_status, names_of
from rotlab.store.objects import NOTHING, Held, Listed, Page

_CONNECT_S = 5.0
_PART = 16 * 2**20  # bytes of a file that one request sends
_AT_ONCE = 16
_EMULATOR = "STORAGE_EMULATOR_HOST"  # Google's own libraries ask it, too, and then give no token
_FIELDS = "items(name,size,timeCreated,md5Hash),prefixes,nextPageToken"
_AWAY = TIMEOUTS | {"TransportError", "RequestException", "ClientError"}
_REASONS: Mapping[str, Reason] = {  # by errors of gcsfs, google.auth and ours
    "ImportError": "no package",
    "NoBucketError": "no bucket",
    "FileExistsError": "changed",  # 412
    "FileNotFoundError": "absent",
    "DefaultCredentialsError": "no credentials",
    "NonRetryableError": "wrong credentials",
}


class NoBucketError(Exception):
    """There is no such bucket."""


class GoogleObjects:
    """Those of one bucket; see `rotlab.store.objects.Objects`."""

    advice = Advice(
        package="gcsfs",
        extra="gcs",
        credentials="run `gcloud auth application-default login`, set "
        "GOOGLE_APPLICATION_CREDENTIALS, or give the node a service account",
        rights="storage.objects.list, .get, .create and .delete (roles/storage.objectUser)",
        endpoint=_EMULATOR,
    )

    def __init__(self, bucket: str, answer_s: float) -> None:
        self._bucket, self._answer_s = bucket, answer_s

    @staticmethod
    def reason(error: Exception) -> tuple[Reason, str]:
        """Return what an error of gcsfs means, and what the server said."""
        said = " ".join(str(error).split()) or type(error).__name__
        names = names_of(error)
        for name, reason in _REASONS.items():
            if name in names:
                return reason, said
        if names & _AWAY or _is_away(error.__cause__):
            return "away", said
        if "HttpError" in names:
            return by_status(int(getattr(error, "code", None) or 0)), said
        if type(error) is OSError and said.startswith("Forbidden"):
            return "forbidden", said
        if type(error) is ValueError and said.startswith("Bad Request"):
            return "no", said
        return "other", ""

    def put(self, name: str, data: bytes, over: str | None) -> str:
        """Write an object over the one of that tag alone, or over any (None); return its tag."""
        with _of_bucket(self._bucket):
            made = self._call(
                "POST",
                f"{self._requests.base.removesuffix('storage/v1/')}upload/storage/v1/b/{{}}/o",
                data=data,
                headers={"Content-Type": "application/octet-stream"},
                json_out=True,
                uploadType="media",
                name=name,
                ifGenerationMatch="0" if over == NOTHING else over,
                fields="generation",
            )
        return str(made["generation"])

    def get(self, name: str) -> Held:
        """Return an object."""
        headers, data = self._call("GET", "b/{}/o/{}", name, alt="media")
        return Held(data, headers["X-Goog-Generation"])

    def page(self, start: str, *, deep: bool, more: str | None) -> Page:
        """Return a part of the objects whose names begin so."""
        with _of_bucket(self._bucket):
            page = self._call(
                "GET",
                "b/{}/o",
                json_out=True,
                prefix=start,
                delimiter=None if deep else "/",
                pageToken=more,
                fields=_FIELDS,
            )
        return Page(
            {one["name"]: _listed(one) for one in page.get("items", ())},
            list(page.get("prefixes", ())),
            page.get("nextPageToken"),
        )

    def clock(self) -> float:
        """Return the server's time, in seconds since the epoch; fails if it may not be listed."""
        with _of_bucket(self._bucket):
            headers, _ = self._call("GET", "b/{}/o", maxResults=1, fields="nextPageToken")
        return parsedate_to_datetime(headers["Date"]).timestamp()

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are not there are no matter."""

        def one(name: str) -> None:
            with suppress(FileNotFoundError):
                self._call("DELETE", "b/{}/o/{}", name)

        with ThreadPoolExecutor(_AT_ONCE) as removers:
            list(removers.map(one, names))

    def upload(self, path: Path, name: str) -> None:
        """Put a file's content under a name; it appears whole."""
        with _of_bucket(self._bucket):
            self._files.put_file(str(path), f"{self._bucket}/{name}", chunksize=_PART)

    def download(self, name: str, path: Path) -> None:
        """Write an object's content to a file."""
        self._files.get_file(f"{self._bucket}/{name}", str(path), concurrency=1)

    @property
    def _requests(self) -> Any:  # noqa: ANN401  (gcsfs has no types)
        return _file_system(os.getpid(), self._answer_s, "request")

    @property
    def _files(self) -> Any:  # noqa: ANN401  (gcsfs has no types)
        return _file_system(os.getpid(), self._answer_s, "file")

    def _call(self, method: str, path: str, *names: str, **request: object) -> Any:  # noqa: ANN401
        return self._requests.call(method, path, self._bucket, *names, **request)


@contextmanager
def _of_bucket(bucket: str) -> Iterator[None]:
    """What is not found in the block can only be the bucket."""
    try:
        yield
    except FileNotFoundError as error:
        if error.errno is not None:  # a file here
            raise
        raise NoBucketError(bucket) from error


def _is_away(error: BaseException | None) -> bool:
    """Whether credentials could not be had, as their server does not answer."""
    return error is not None and (bool(names_of(error) & _AWAY) or _is_away(error.__cause__))


def _listed(one: Mapping[str, Any]) -> Listed:
    # in whole seconds, as `clock` has them: nothing has changed after now
    changed = int(datetime.fromisoformat(one["timeCreated"]).timestamp())
    return Listed(int(one["size"]), changed, base64.b64decode(one.get("md5Hash", "")).hex())


@functools.lru_cache(maxsize=4)
def _file_system(process: int, answer_s: float, use: str) -> Any:  # noqa: ANN401, ARG001
    """Gcsfs's file system; what a fork has inherited of another process's is of no use."""
    library, http = importlib.import_module("gcsfs.core"), importlib.import_module("aiohttp")
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # what fails is told by who asked for it
    found = library.GCSFileSystem(
        project="",  # that of the credentials
        token="anon" if os.environ.get(_EMULATOR) else "google_default",
        access="read_write",
        requests_timeout=http.ClientTimeout(sock_connect=_CONNECT_S, sock_read=answer_s),
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    if use == "request":
        once = type(found)._request.__wrapped__  # as it is before gcsfs has it repeated
        found._request = functools.partial(once, found)
    return found
