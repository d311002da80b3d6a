"""What is refused, by a bucket's server or before it is asked, has its way out, in one line."""

import json
from pathlib import Path

import pytest
from gcsfs.retry import validate_response

from rotlab.store import objects_gcs, objects_s3
from rotlab.store.answers import BucketError, judged
from rotlab.store.objects_gcs import GoogleObjects
from rotlab.store.objects_s3 import S3Objects
from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.tracking.uri import TrackingError
from rotnet.errors import UserError
from tests.rotlab.store.gcs import ENDPOINT
from tests.rotlab.store.served import BUCKET


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("s3://nowhere/store", "no such bucket"),
        ("s3:///store", "names no bucket; give s3://BUCKET/PATH"),
        ("s3://lab/../other", "names no bucket"),
        ("gs://nowhere/store", "no such bucket"),
        ("gs:///store", "names no bucket; give gs://BUCKET/PATH"),
        ("gcs://nowhere/store", "store gs://nowhere/store: there is no such bucket"),
        ("abfs://lab/store", "scheme 'abfs' is not supported"),
    ],
)
@pytest.mark.usefixtures("server", "google")
def test_a_place_that_cannot_be_used_is_refused_in_one_line(given: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        Store.open(given)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("scheme", "extra", "found_by"),
    [("s3", "s3", "fsspec.filesystem"), ("gs", "gcs", "importlib.import_module")],
)
@pytest.mark.usefixtures("any_server")
def test_without_the_package_it_is_named(
    scheme: str, extra: str, found_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'it'")

    for module in (objects_s3, objects_gcs):
        module._file_system.cache_clear()
    monkeypatch.setattr(found_by, absent)
    with pytest.raises(BucketError, match=rf"pip install '\.\[{extra}\]'"):
        Store.open(f"{scheme}://{BUCKET}/x")


def test_without_googles_credentials_the_ways_to_give_some_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    objects_gcs._file_system.cache_clear()
    with pytest.raises(BucketError, match=r"no credentials .*gcloud auth application-default"):
        Store.open(f"gs://{BUCKET}/x")


def test_one_store_has_one_name(any_url: str) -> None:
    found = Store.open(any_url).name
    assert found == any_url
    if found.startswith("gs:"):
        assert Store.open(any_url.replace("gs:", "gcs:")).name == found


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
def test_each_refusal_of_s3_has_its_way_out(error: Exception, sort: str, said: str) -> None:
    found, words = judged(*S3Objects.reason(error), S3Objects.advice)
    assert found == sort
    assert said in words


def of_google(status: int, message: str) -> Exception:
    """What gcsfs makes of an answer."""
    with pytest.raises(Exception) as made:  # noqa: PT011  (any)
        validate_response(status, json.dumps({"error": {"message": message}}), "b/{}/o", ["lab"])
    error = made.value
    assert isinstance(error, Exception)
    return error


@pytest.mark.parametrize(
    ("error", "sort", "said"),
    [
        (of_google(403, "no storage.objects.list access"), "refused", "roles/storage.objectUser"),
        (of_google(401, "Invalid Credentials"), "refused", "does not accept the credentials"),
        (of_google(400, "invalid name"), "refused", "its server says: Bad Request: b/lab/o invali"),
        (of_google(400, "Bad"), "refused", "its server says: Bad"),
        (of_google(404, "No such object"), "other", ""),
        (of_google(412, "conditionNotMet"), "changed", ""),
        (of_google(408, "too slow"), "away", "too slow"),
        (of_google(429, "rateLimitExceeded"), "busy", "rateLimit"),
        (of_google(502, ""), "away", "ProxyError"),
        (of_google(503, "backendError"), "away", "backendError"),
        (ConnectionResetError("reset"), "away", "reset"),
        (KeyError("a bug"), "other", ""),
        (ValueError("a bug"), "other", ""),
        (PermissionError("of a folder here"), "other", ""),
    ],
)
def test_each_refusal_of_google_has_its_way_out(error: Exception, sort: str, said: str) -> None:
    found, words = judged(*GoogleObjects.reason(error), GoogleObjects.advice)
    assert found == sort
    assert said in words
    assert "\n" not in words


def test_credentials_that_cannot_be_renewed_for_now_are_asked_for_again() -> None:
    unreached = type("TransportError", (Exception,), {})("metadata server")
    error = of_google(401, "Invalid Credentials")
    error.__cause__ = type("RefreshError", (Exception,), {})("not renewed")
    assert GoogleObjects.reason(error)[0] == "wrong credentials"
    error.__cause__.__cause__ = unreached
    assert GoogleObjects.reason(error)[0] == "away"


def test_mlflows_database_cannot_lie_in_a_bucket(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = Store.open(url)
    with pytest.raises(TrackingError, match="give --tracking-uri"):
        tracking_uri_of(store, None)
    assert tracking_uri_of(store, "http://127.0.0.1:5000") == "http://127.0.0.1:5000"
