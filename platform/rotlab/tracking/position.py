"""Up to where an MLflow has a journal: remembered beside the journal."""

import json
import os
from pathlib import Path


def read_position(journal: Path, uri: str, end: int) -> int:
    """Return the byte up to which an MLflow has a journal; 0, which is safe, where unknown.

    Args:
        journal: the file.
        uri: of the MLflow.
        end: of the journal: what was remembered of a longer one is of another.
    """
    try:
        held = json.loads(_beside(journal).read_text(encoding="utf-8"))
        known = held["uri"] == uri and held["offset"] <= end
        return int(held["offset"]) if known else 0
    except (FileNotFoundError, ValueError, KeyError):
        return 0


def write_position(journal: Path, uri: str, offset: int) -> None:
    """Remember it. Only who holds the study's writing may."""
    path = _beside(journal)
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.write_text(json.dumps({"uri": uri, "offset": offset}), encoding="utf-8")
    aside.replace(path)


def _beside(journal: Path) -> Path:
    return journal.with_suffix(".sent")
