"""What one machine has, as a stage that ran there would find it. Values, and how they are found."""

import contextlib
import ctypes
import importlib.metadata
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from rotlab.execution.stage.provenance import commit, host, versions
from rotlab.store.files import create_json, exists
from rotnet.data.framestore.verified import cache_folder
from rotnet.errors import UserError

Cuda = tuple[int, int]  # major and minor


@dataclass(frozen=True, slots=True)
class Room:
    """Free disk.

    Args:
        path: the folder that something is written to.
        free_bytes: on its disk, for this user.
    """

    path: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Survey:
    """A machine.

    Args:
        host: its name.
        versions: of Python and of packages.
        commit: of the code, None outside a checkout.
        gpus: devices that the system shows.
        driver: the newest CUDA that its driver knows; None: no driver.
        cuda: that torch is built for; None: for cores only.
        rooms: "cache" and "temporary" -> free disk there.
        store: what is wrong with the store as seen from here; None: nothing.
    """

    host: str
    versions: Mapping[str, str]
    commit: str | None
    gpus: int
    driver: Cuda | None
    cuda: Cuda | None
    rooms: Mapping[str, Room]
    store: str | None


def survey(root: str, mark: str) -> Survey:
    """Return what there is on this machine.

    Args:
        root: folder of the store.
        mark: name of a file that the driver has put there.
    """
    folders = {"cache": cache_folder(), "temporary": Path(tempfile.gettempdir())}
    return Survey(
        host=host(),
        versions=_versions(),
        commit=commit(),
        gpus=len(list(Path("/dev").glob("nvidia[0-9]*"))),
        driver=_driver(),
        cuda=_cuda(torch.version.cuda),
        rooms={name: room(folder) for name, folder in folders.items()},
        store=look_at_store(Path(root), mark),
    )


def room(folder: Path) -> Room:
    """Return the free disk of a folder, be it there yet or not."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return Room(str(folder), shutil.disk_usage(there).free)


def look_at_store(root: Path, mark: str) -> str | None:
    """Return what is wrong with a store, seen from here, None if nothing is.

    Args:
        root: its folder.
        mark: name of a file in it that another process has made just now.
    """
    aside = f".{mark}-{os.getpid()}-{host()}.tmp"
    try:
        if not exists(root / mark):
            return f"{root} is not the folder that the driver writes to; mount it on every node"
        try:
            create_json(root / mark, {"by": aside}, aside)
        except FileExistsError:
            return None
    except UserError as error:  # of a bucket
        return str(error)
    except OSError as error:
        said = error.strerror or str(error)
        return f"{root} cannot be written ({said}); mount it writable, with hard links, as NFS has"
    return f"{root} lets two processes create one file, so that results could be lost; use another"


def now(_: int = 0) -> float:
    """Return this machine's time, in seconds since 1970."""
    return time.time()


def _versions() -> dict[str, str]:
    found = dict(versions())
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["mlflow"] = importlib.metadata.version("mlflow")
    return found


def _driver() -> Cuda | None:
    found = ctypes.c_int(0)
    try:
        if ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(found)) != 0:
            return None
    except (OSError, AttributeError):
        return None
    return found.value // 1000, found.value % 1000 // 10


def _cuda(version: str | None) -> Cuda | None:
    if version is None:
        return None
    major, minor, *_ = version.split(".")
    return int(major), int(minor)
