"""A whole study whose store and whose MLflow's artifacts lie in a bucket, known to each command."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from rotlab.cli import main
from rotlab.commands import collect, export, import_study, logs, report, sync
from rotlab.store.bucket import Bucket
from tests.rotlab.execution import drive
from tests.rotlab.execution.lab import KINDS
from tests.rotlab.execution.processes import finish, start_driver
from tests.rotlab.store import s3
from tests.rotlab.store.nodes import Nodes
from tests.rotlab.store.served import Server
from tests.rotlab.tracking.servers import MlflowServer
from tests.rotlab.tracking.story import runs_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
Ask = Callable[..., str]


@pytest.fixture
def mlflow(server: Server, url: str, tmp_path: Path) -> Iterator[str]:
    """The URI of an MLflow server that has its artifacts beside the store."""
    found = MlflowServer(
        f"sqlite:///{tmp_path}/server.db",
        tmp_path,
        artifacts=f"{url}/artifacts",
        env={**s3.KEYS, "MLFLOW_S3_ENDPOINT_URL": server.endpoint},
    )
    found.start()
    yield found.uri
    found.kill()


@pytest.fixture
def ask(
    url: str, mlflow: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Ask:
    """Return what a command says of the store."""
    for command in (collect, export, import_study, logs, report, sync):
        monkeypatch.setattr(command, "load_kinds", lambda: KINDS)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow)

    def said(*words: str, store: str = url, status: int = 0) -> str:
        capsys.readouterr()
        where = () if words[0] == "results" else ("--store", store)
        assert main([*words, *where]) == status, capsys.readouterr()
        return "".join(capsys.readouterr())

    return said


def test_a_study_is_run_read_mended_moved_and_removed_in_a_bucket(
    url: str, mlflow: str, node: Nodes, ask: Ask, tmp_path: Path
) -> None:
    env = {**os.environ, "ROTNET_CACHE": str(tmp_path / "one"), "MLFLOW_TRACKING_URI": mlflow}
    ended = finish(start_driver("small", url, env=env), 240)
    assert ended.status == 0, ended
    store, stages = node("two", url), drive.SCENARIOS["small"]().stages
    *counts, _ = stages
    frame = ask("results", "small", "--format", "csv")
    assert "FINISHED" in frame
    assert "5.0" in frame  # what the total adds up
    run = runs_of(mlflow)[f"stage:{counts[0]}"].info.run_id
    client = MlflowClient(tracking_uri=mlflow)
    assert "state.json" in {one.path for one in client.list_artifacts(run)}
    artifacts = Bucket(f"{url}/artifacts").listed("", deep=True)
    assert sum(name.endswith(f"{run}/artifacts/state.json") for name in artifacts) == 1

    assert "3 of 3 stages done" in ask("status", "small")
    assert "finished in" in ask("logs", counts[0][:12])
    assert "is not being run" in ask("cancel", "small", status=2)
    anew = f"sqlite:///{tmp_path}/new.db"
    assert "5 runs made" in ask("sync", "small", "--tracking-uri", anew)
    run = runs_of(anew)[f"stage:{counts[0]}"].info.run_id
    there = {one.path for one in MlflowClient(tracking_uri=anew).list_artifacts(run)}
    assert "state.json" in there  # of a node that had none of it
    ask("report", "small", "-o", str(tmp_path / "page.html"))
    assert "Can it count?" in (tmp_path / "page.html").read_text()
    file = str(tmp_path / "small.tar.gz")
    assert "3 of 3 results" in ask("export", "small", "-o", file)

    assert "2 results count no more" in ask(
        "invalidate", counts[0], "--because", "a bad disk", "--yes"
    )
    assert "removed" in ask("gc", "--keep-days", "0", "--yes")
    left = [name for name in Bucket(url).listed("", deep=True) if counts[0] in name]
    assert not [name for name in left if "/attempts/" in name]

    other = f"{url}-other"
    assert "3 results added" in ask("import", file, store=other)
    found = node("three", other)
    for record in found.records(stages.values()).values():
        found.result_folder(record)
    assert store.records(stages.values()).keys() == {counts[1]}
