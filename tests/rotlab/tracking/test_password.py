"""An `mlflow server` that asks for a password; its files lie in a bucket (of moto, a stand-in)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from mlflow.tracking import MlflowClient

from rotlab.answer import results
from rotlab.cli import USER_ERROR, main
from rotlab.planning.plan.plan import Plan
from rotlab.store.layout import Layout
from rotlab.tracking.attentions import read_attention
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Journal
from rotlab.tracking.rebuild import rebuild
from rotnet.pictures.strip import FILE
from tests.rotlab.store.s3 import KEYS, serving
from tests.rotlab.store.served import BUCKET
from tests.rotlab.tracking.servers import MlflowServer
from tests.rotlab.tracking.story import events_of, runs_of
from tests.rotlab.tracking.strips import make_strip

pytestmark = pytest.mark.slow

KEY = "finetune-rotation-rgb-0"
USER, PASSWORD = "admin", "a word of the tests"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The URL of a server of S3's API."""
    with serving() as server:
        yield server.endpoint


@pytest.fixture
def guarded(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a server whose user's name and password this process knows."""
    settings = tmp_path / "auth.ini"
    rule = "authorization_function = mlflow.server.auth:authenticate_request_basic_auth"
    settings.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{tmp_path}/users.db\n"
        f"admin_username = {USER}\n{rule}\n"
    )
    server = MlflowServer(
        f"sqlite:///{tmp_path}/server.db",
        tmp_path,
        artifacts=f"s3://{BUCKET}/mlflow",
        more=["--app-name", "basic-auth"],
        env={
            **KEYS,
            "MLFLOW_S3_ENDPOINT_URL": bucket,
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the tests",
        },
    )
    server.start()
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    yield server.uri
    server.kill()


def test_a_study_is_written_with_its_files_and_read_by_who_has_the_password(
    guarded: str,
    bucket: str,
    study: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan, store = study(fusion=False), Layout(tmp_path / "store")
    folder = store.attempts(KEY, "finetune") / "a"
    folder.mkdir(parents=True)
    (folder / "confusion.csv").write_text("class,a\na,1\n")
    make_strip().save(folder / FILE)
    journal = Journal(tmp_path / "store" / "studies" / "small" / "journal.jsonl")
    for event in events_of(plan):
        journal.append({**event, "attempt": "a"} if "key" in event else event)
    journal.close()
    rebuild(Errand(plan, journal.path, guarded, None, shelf=store))

    run = runs_of(guarded)[f"stage:{KEY}"].info.run_id
    client = MlflowClient(tracking_uri=guarded)
    names = {one.path for one in client.list_artifacts(run)}
    assert names == {"config.json", "confusion.csv", FILE}
    assert read_attention(guarded, [run])[run].videos == make_strip().videos
    keys = {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "region_name": "us-east-1"}
    secret = KEYS["AWS_SECRET_ACCESS_KEY"]
    s3 = boto3.client("s3", endpoint_url=bucket, aws_secret_access_key=secret, **keys)
    held = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix="mlflow/")["Contents"]]
    assert sum(name.endswith(f"{run}/artifacts/{FILE}") for name in held) == 1
    frame = results("small", tracking_uri=guarded)
    assert list(frame["state"]) == ["FINISHED"] * len(plan.cells)

    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "another")
    assert main(["results", "small", "--tracking-uri", guarded]) == USER_ERROR
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert len(told.splitlines()) == 1
    assert "401" in told or "password" in told.lower()
    assert PASSWORD not in told
