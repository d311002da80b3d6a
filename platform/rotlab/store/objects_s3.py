"""Objects by the API of S3, through s3fs: conditions are If-None-Match and If-Match, tags ETags.

S3 itself heeds both, and its listings show what was written before; of another server that speaks
its API, `rotlab.store.exclusive` tries it out.
"""

import functools
import os
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import fsspec

from rotlab.store.answers import TIMEOUTS, Advice, Reason, by_status, names_of
from rotlab.store.objects import Held, Listed, Page

_CONNECT_S = 5.0
_FILE_TRIES = 5  # for each part of one
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}
_WRONG_CREDENTIALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


class S3Objects:
    """Those of one bucket; see `rotlab.store.objects.Objects`."""

    advice = Advice(
        package="s3fs",
        extra="s3",
        credentials="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of "
        "the node",
        rights="s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject",
        endpoint="AWS_ENDPOINT_URL",
    )

    def __init__(self, bucket: str, answer_s: float) -> None:
        self._bucket, self._answer_s = bucket, answer_s

    @staticmethod
    def reason(error: Exception) -> tuple[Reason, str]:
        """Return what an error of s3fs or botocore means, and what the server said."""
        names = names_of(error)
        response: Mapping[str, Any] = (
            getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
        )
        if isinstance(error, ImportError):
            return "no package", ""
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code == "NoSuchBucket":
            return "no bucket", code
        if names & _NO_CREDENTIALS:
            return "no credentials", ""
        if code in _WRONG_CREDENTIALS:
            return "wrong credentials", code
        if isinstance(error, FileNotFoundError):
            return "absent", ""
        if names & TIMEOUTS:
            return "away", str(error) or type(error).__name__
        if not (response or "BotoCoreError" in names):
            return "other", ""
        return by_status(status), str(error) or type(error).__name__

    def put(self, name: str, data: bytes, over: str | None) -> str:
        """Write an object over the one of that tag alone, or over any (None); return its tag."""
        condition = {} if over is None else {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        return str(self._call("put_object", Key=name, Body=data, **condition)["ETag"])

    def get(self, name: str) -> Held:
        """Return an object."""
        answer = self._call("get_object", Key=name)
        body = fsspec.asyn.sync(self._requests.loop, answer["Body"].read)
        return Held(body, answer["ETag"])

    def page(self, start: str, *, deep: bool, more: str | None) -> Page:
        """Return a part of the objects whose names begin so."""
        request = {"Prefix": start, **({} if deep else {"Delimiter": "/"})}
        request |= {} if more is None else {"ContinuationToken": more}
        page = self._call("list_objects_v2", **request)
        return Page(
            {one["Key"]: _listed(one) for one in page.get("Contents", ())},
            [one["Prefix"] for one in page.get("CommonPrefixes", ())],
            page["NextContinuationToken"] if page.get("IsTruncated") else None,
        )

    def clock(self) -> float:
        """Return the server's time, in seconds since the epoch; fails if it may not be listed."""
        page = self._call("list_objects_v2", MaxKeys=1)
        headers = page["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"]).timestamp()

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are not there are no matter."""
        gone = {"Objects": [{"Key": name} for name in names], "Quiet": True}
        self._call("delete_objects", Delete=gone)

    def upload(self, path: Path, name: str) -> None:
        """Put a file's content under a name; it appears whole."""
        self._files.put_file(str(path), f"{self._bucket}/{name}")

    def download(self, name: str, path: Path) -> None:
        """Write an object's content to a file."""
        self._files.get_file(f"{self._bucket}/{name}", str(path))

    @property
    def _requests(self) -> Any:  # noqa: ANN401  (fsspec has no types)
        return _file_system(os.getpid(), self._answer_s, 1)

    @property
    def _files(self) -> Any:  # noqa: ANN401  (fsspec has no types)
        return _file_system(os.getpid(), self._answer_s, _FILE_TRIES)

    def _call(self, method: str, **request: object) -> Any:  # noqa: ANN401  (fsspec has no types)
        return self._requests.call_s3(method, Bucket=self._bucket, **request)


def _listed(one: Mapping[str, Any]) -> Listed:
    return Listed(one["Size"], one["LastModified"].timestamp(), one["ETag"].strip('"'))


@functools.lru_cache(maxsize=4)
def _file_system(process: int, answer_s: float, tries: int) -> Any:  # noqa: ANN401, ARG001
    """Fsspec's file system; what a fork has inherited of another process's is of no use."""
    config = {
        "connect_timeout": _CONNECT_S,
        "read_timeout": answer_s,
        "retries": {"mode": "standard", "total_max_attempts": 1},
    }
    found = fsspec.filesystem(
        "s3", use_listings_cache=False, skip_instance_cache=True, config_kwargs=config
    )
    found.retries = tries  # `Bucket` asks again, and tells
    return found
