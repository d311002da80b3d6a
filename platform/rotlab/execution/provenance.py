"""Where a result comes from: versions, host and commit of the code. Asked once per process."""

import functools
import importlib.metadata
import importlib.util
import platform
import shutil
import socket
import subprocess
from pathlib import Path

PACKAGES = ("rotlab", "torch", "torchvision", "av", "numpy", "ray")


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages at work; absent ones are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def host() -> str:
    """Return the machine's name."""
    return socket.gethostname()


@functools.cache
def commit() -> str | None:
    """Return the git commit of the checkout that rotnet is imported from, or None outside one.

    "-dirty" follows where tracked files differ from it. A rotnet installed inside somebody else's
    checkout is not tracked there, and gives None.
    """
    git = shutil.which("git")
    spec = importlib.util.find_spec("rotnet")
    if git is None or spec is None or spec.origin is None:
        return None
    source = Path(spec.origin)
    tracked = _ask(git, source.parent, "ls-files", "--error-unmatch", source.name)
    if tracked is None:
        return None
    return _ask(git, source.parent, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _ask(git: str, folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  (fixed words, no shell)
            [git, "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
