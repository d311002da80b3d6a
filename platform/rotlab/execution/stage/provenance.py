"""Where a result comes from: versions, host, commit and source. Asked once per process."""

import functools
import hashlib
import importlib.metadata
import importlib.util
import platform
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

SCIENCE = "rotnet"
PLATFORM = "rotlab"  # what it does around a stage is no part of the result
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
def source(run: str) -> str | None:
    """Return a digest of the source that a stage's function comes from; None where there is none.

    It is of rotnet's files and of those of the function's own package; of a function in rotlab, or
    in no package, of its own module only.

    Args:
        run: "module:function".
    """
    module = run.partition(":")[0]
    return _digest_of({**_files(SCIENCE), **_own_files(module)})


@functools.cache
def platform_source() -> str | None:
    """Return a digest of rotlab's source; None where it has no files."""
    return _digest_of(_files(PLATFORM))


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


def _digest_of(files: Mapping[str, Path]) -> str | None:
    lines = "".join(f"{name} {_digest(path)}\n" for name, path in sorted(files.items()))
    return _sha256(lines.encode()) if files else None


def _own_files(module: str) -> dict[str, Path]:
    package = module.partition(".")[0]
    files = {} if package == PLATFORM else _files(package)
    if files:
        return files
    found = importlib.util.find_spec(module)
    path = Path(found.origin) if found is not None and found.origin is not None else None
    return {module: path} if path is not None and path.is_file() else {}


@functools.cache
def _files(package: str) -> dict[str, Path]:
    """A package's Python files by their paths in it; none where it has no folder of its own."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None or not found.submodule_search_locations:
        return {}
    folder = Path(found.origin).parent
    return {path.relative_to(folder.parent).as_posix(): path for path in folder.rglob("*.py")}


@functools.cache
def _digest(path: Path) -> str:
    return _sha256(path.read_bytes())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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
