"""A process that serves a bucket on loopback, and how it is made to answer nobody."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUCKET = "lab"
PAGE = 20  # names in one answer; S3 and Google Cloud Storage give a thousand


@dataclass(frozen=True, slots=True)
class Server:
    """One that listens.

    Args:
        process: that it is.
        endpoint: its URL.
    """

    process: subprocess.Popen[str]
    endpoint: str

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have it answer nobody during the block."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def served(module: Path, env: Mapping[str, str]) -> Iterator[Server]:
    """Have a server for the length of the block.

    Args:
        module: that says its port, and serves.
        env: variables that it needs besides.
    """
    process = subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, str(module)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        assert process.stdout is not None
        yield Server(process, f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
