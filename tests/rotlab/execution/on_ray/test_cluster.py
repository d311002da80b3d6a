"""Joining a cluster that is not there, and the folders that killed runs leave."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from rotlab.execution.on_ray.cluster import cluster
from rotnet.errors import UserError


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "t")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t").mkdir()
    return tmp_path / "t"


def join(address: str, **own: int) -> None:
    with cluster(address, own.get("cpus"), own.get("gpus"), verbose=False):
        pass


def test_an_address_where_nobody_answers_is_refused_at_once(temp: Path) -> None:
    start = time.monotonic()
    with pytest.raises(UserError, match=r"--address 127\.0\.0\.1:1: nobody answers there"):
        join("127.0.0.1:1")
    assert time.monotonic() - start < 6
    assert list(temp.iterdir()) == []


def test_cores_of_a_cluster_that_is_there_cannot_be_chosen(temp: Path) -> None:
    assert temp.exists()
    with pytest.raises(
        UserError, match="--cpus and --gpus describe a cluster that is started here"
    ):
        join("127.0.0.1:1", cpus=2)


def test_folders_that_no_run_holds_are_removed_once_they_are_old(temp: Path) -> None:
    old, new = temp / "rotlab-ray-old", temp / "rotlab-ray-new"
    for folder in (old, new):
        (folder / "session").mkdir(parents=True)
    os.utime(old, (time.time() - 1000, time.time() - 1000))
    with pytest.raises(UserError):
        join("127.0.0.1:1")
    assert list(temp.iterdir()) == [new]
