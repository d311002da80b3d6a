"""`rotlab doctor`: this machine, what stands in its way, and the nodes of a cluster."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from rotlab.cli import DONE, USER_ERROR, main


@pytest.fixture
def address() -> Iterator[str]:
    """A Ray on this machine that others may join."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        ray.init(
            num_cpus=1,
            include_dashboard=False,
            object_store_memory=80 * 2**20,
            _temp_dir=folder,
            _node_ip_address="127.0.0.1",
        )
        try:
            yield ray.get_runtime_context().gcs_address
        finally:
            ray.shutdown()


def test_a_sound_machine_is_ok_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--store", str(tmp_path / "store")]) == DONE
    told = capsys.readouterr().out
    assert "written, and a file is created by one only" in told
    assert "mlflow.db can be made" in told
    assert list(tmp_path.iterdir()) == []


def test_what_is_bad_is_told_with_a_way_out_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mlflow.db").write_text("not a database")
    assert main(["doctor", "--store", str(tmp_path)]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "bad driver MLflow" in told
    assert "is not a SQLite database" in told
    assert "1 bad" in told
    assert main(["doctor", "--store", "/proc/none", "--tracking-uri", "http://127.0.0.1:1"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "/proc/none cannot be written" in told
    assert "no MLflow server answers" in told


def test_a_cluster_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["doctor", "--store", str(tmp_path), "--address", "127.0.0.1:1"]
    assert main(given) == USER_ERROR
    assert "nobody answers there" in capsys.readouterr().err


@pytest.mark.cluster
@pytest.mark.slow
def test_every_node_is_looked_at(address: str, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603  (our own module)
        [sys.executable, "-m", "rotlab.cli", "doctor", "--store", str(tmp_path),
         "--address", address],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    told = " ".join(done.stdout.split())
    assert done.returncode == DONE, done
    for what in ("versions as the driver's", "store written, and a file is created", "clock"):
        assert re.search(rf"ok node [\d.]+ {what}", told), done
    assert list(tmp_path.iterdir()) == []
