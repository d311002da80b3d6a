"""What is refused, by a bucket's server or before it is asked, has its way out, in one line."""

import pytest

from rotlab.store import bucket as buckets
from rotlab.store.answers import BucketError, judged
from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.tracking.uri import TrackingError
from rotnet.errors import UserError
from tests.rotlab.store import s3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("s3://nowhere/store", "no such bucket"),
        ("s3:///store", "names no bucket"),
        ("s3://lab/../other", "names no bucket"),
        ("gs://lab/store", "scheme 'gs' is not supported"),
        ("abfs://lab/store", "scheme 'abfs' is not supported"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_place_that_cannot_be_used_is_refused_in_one_line(given: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        Store.open(given)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("server")
def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.filesystem", absent)
    buckets._file_system.cache_clear()
    with pytest.raises(BucketError, match=r"pip install '\.\[s3\]'"):
        Store.open(f"s3://{s3.BUCKET}/x")


class RefusalError(Exception):
    """As s3fs wraps what a server says."""

    def __init__(self, code: str, status: int) -> None:
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        super().__init__(code)


@pytest.mark.parametrize(
    ("error", "sort", "said"),
    [
        (RefusalError("AccessDenied", 403), "refused", "s3:PutObject"),
        (RefusalError("SignatureDoesNotMatch", 403), "refused", "does not accept the credentials"),
        (type("NoCredentialsError", (Exception,), {})(), "refused", "no credentials were found"),
        (RefusalError("NoSuchBucket", 404), "refused", "no such bucket"),
        (RefusalError("SlowDown", 503), "away", "SlowDown"),
        (RefusalError("ConditionalRequestConflict", 409), "busy", "Conflict"),
        (RefusalError("PreconditionFailed", 412), "changed", ""),
        (ConnectionResetError("reset"), "away", "reset"),
        (KeyError("a bug"), "other", ""),
        (PermissionError("of a folder here"), "other", ""),
    ],
)
def test_each_refusal_has_its_way_out(error: Exception, sort: str, said: str) -> None:
    found, words = judged(error)
    assert found == sort
    assert said in words


def test_mlflows_database_cannot_lie_in_a_bucket(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = Store.open(url)
    with pytest.raises(TrackingError, match="give --tracking-uri"):
        tracking_uri_of(store, None)
    assert tracking_uri_of(store, "http://127.0.0.1:5000") == "http://127.0.0.1:5000"
