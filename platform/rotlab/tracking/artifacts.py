"""Which files of a result go into MLflow whole, and which are named there by where they lie."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

from rotlab.planning.stage import Stage
from rotlab.tracking.journal import Event

Artifacts = Literal["none", "small", "all"]
CONFIG = "config.json"
MOST_BYTES = 1_000_000  # of a small file: tables and scores of some hundred videos, no network
_STATE = "checkpoint.pt"  # good for continuing only
_NOTES = ("partial.txt", "error.txt", "origin.json")
_DONE = ("FINISHED", "REUSED")
NETWORKS = (".pt", ".safetensors")  # left where they lie even if small


class Shelf(Protocol):
    """Where results lie."""

    def attempts(self, key: str, kind: str) -> Path:
        """Return the folder of a stage's attempts, whose folders are named by them."""

    def told(self, folder: Path) -> str:
        """Return the path or URL by which users find a folder."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a stage has left, and by which settings.

    Args:
        key: of the stage.
        kind: of the stage.
        attempt: whose folder holds it.
        config: all settings, resolved.
    """

    key: str
    kind: str
    attempt: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The files of a result, by name.

    Args:
        folder: that they lie in.
        place: the path or URL by which users find it.
        whole: those that go into MLflow.
        left: those that are named only.
    """

    folder: Path
    place: str
    whole: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def tags(self) -> dict[str, str]:
        """Where all of it lies, and which files only there: name and size."""
        told = ", ".join(f"{name} ({_size(self.folder / name)})" for name in self.left)
        return {"rotlab.folder": self.place} | ({"rotlab.only_there": told} if told else {})


def result_of(stage: Stage, event: Event) -> Result | None:
    """Return what a stage has left that ended so; None where it did not end well.

    What was done by another attempt than the one that ends is named by "result".
    """
    attempt = event.get("result") or event.get("attempt")
    if event["state"] not in _DONE or not attempt:
        return None
    return Result(stage.key, stage.kind, attempt, stage.config.model_dump(mode="json"))


def sort_files(result: Result, shelf: Shelf, artifacts: Artifacts) -> Sorted | None:
    """Return which files of a result go where; None where they are not there any more."""
    folder = shelf.attempts(result.key, result.kind) / result.attempt
    if not folder.is_dir():
        return None
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != _STATE and path.name not in _NOTES
    )
    whole = tuple(name for name in names if _goes(folder / name, artifacts))
    return Sorted(
        folder, shelf.told(folder), whole, tuple(name for name in names if name not in whole)
    )


@contextmanager
def gathered(result: Result, files: Sorted) -> Iterator[Path]:
    """Give a folder of what goes into MLflow: the settings, and copies of the files."""
    with TemporaryDirectory(prefix="rotlab-") as name:
        place = Path(name)
        for each in files.whole:
            (place / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(files.folder / each, place / each)
        text = json.dumps(result.config, indent=2, sort_keys=True)
        (place / CONFIG).write_text(f"{text}\n", encoding="utf-8")
        yield place


def _goes(path: Path, artifacts: Artifacts) -> bool:
    if artifacts == "all":
        return True
    return path.suffix not in NETWORKS and path.stat().st_size <= MOST_BYTES


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
