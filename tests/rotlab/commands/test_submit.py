"""`rotlab submit`: to a job server that is not there, and to one that is."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotlab.cli import USER_ERROR, main
from tests.rotlab.execution.processes import descendants, kill, wait_until
from tests.sockets import free_ports

SPACE = """\
name: sent
question: Is it sent?
base: tiny
data: {pretrain: pool, target: actions}
axes: {init: [rotation, scratch]}
"""
TOKEN = "of-the-tests"  # noqa: S105  (opens nothing but a Ray that ends with the test)


def test_a_job_server_that_is_not_there_is_told_with_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.yaml").write_text(SPACE)
    given = ["submit", str(tmp_path / "s.yaml"), "--address", "http://127.0.0.1:1"]
    assert main(given) == USER_ERROR
    told = capsys.readouterr().err
    assert "--address http://127.0.0.1:1: no job server of Ray's answers" in told
    assert "open a tunnel with `ray dashboard cluster.yaml`" in told


def test_a_search_space_that_is_wrong_is_refused_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.yaml").write_text(SPACE.replace("axes", "axis"))
    assert main(["submit", str(tmp_path / "s.yaml"), "--address", "http://127.0.0.1:1"]) == 2
    assert "unknown key 'axis'; did you mean 'axes'?" in capsys.readouterr().err


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the job server of a Ray on this machine, which asks for a token."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    own_bin = Path(sys.executable).parent  # what a job calls python is the head's
    monkeypatch.setenv("PATH", f"{own_bin}{os.pathsep}{os.environ['PATH']}")
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        port, dashboard, agent = free_ports(
            3
        )  # with the usual ones, another Ray's agent would be asked
        words = ("--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}")
        apart = (f"--dashboard-agent-listen-port={agent}",)
        own = ("--dashboard-host=127.0.0.1", f"--temp-dir={folder}", "--num-cpus=1")
        small = ("--object-store-memory=80000000", "--disable-usage-stats")
        script = str(Path(sys.executable).with_name("ray"))
        log = Path(folder) / "start.log"
        with log.open("w") as said:
            started = subprocess.Popen(  # noqa: S603  (Ray's own command)
                [script, "start", *words, *apart, *own, *small], stdout=said, stderr=said
            )
        below: dict[int, str] = {}
        try:
            wait_until(lambda: "Ray runtime started" in log.read_text(), 90)
            below = descendants(started.pid)
            yield f"http://127.0.0.1:{dashboard}"
        finally:
            below |= descendants(started.pid)
            started.send_signal(signal.SIGTERM)
            started.wait(timeout=60)
            kill(*below)


def ask(*words: str) -> tuple[int, str]:
    """Run the command in a process of its own, which reads the token anew."""
    done = subprocess.run(  # noqa: S603  (our own module)
        [sys.executable, "-m", "rotlab.cli", "submit", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.cluster
@pytest.mark.slow
def test_what_the_head_cannot_keep_is_refused_there_before_anything_starts(
    head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.yaml").write_text(SPACE)
    given = (str(tmp_path / "s.yaml"), "--address", head, "--store", "/proc/none")
    status, told = ask(*given)
    assert "sent: handed over as rotlab-sent-" in told
    assert "/proc/none cannot be written" in told
    assert "nothing was started: see what is bad, above" in told
    assert status == USER_ERROR
    status, told = ask("--attach", "sent", "--address", head)
    assert (status, "nothing was started" in told) == (USER_ERROR, True)
    status, told = ask("--cancel", "sent", "--address", head)
    assert (status, "has ended already, as FAILED" in told) == (USER_ERROR, True)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    status, told = ask("--attach", "sent", "--address", head)
    assert status == USER_ERROR
    assert "no job server of Ray's answers" in told
    assert "Traceback" not in told
