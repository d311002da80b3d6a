"""What a prepared set says of itself in `dataset.json`: name, classes, settings, identity."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rotnet.errors import DataError

FORMAT = "rotnet-videos"
FORMAT_VERSION = 2
HEADER_FILE = "dataset.json"
MANIFEST_FILE = "manifest.csv"


@dataclass(frozen=True, slots=True)
class Header:
    """What `dataset.json` says of a set.

    Args:
        name: what people call the set; not part of its identity.
        kind: how its source was read: "folder", "ucf101", or another that `rotnet prepare` lists.
        classes: sorted; empty for an unlabelled set.
        num_splits: splits are counted from 1 to this.
        fingerprint: identity of videos, labels, groups, splits and preparation, in hexadecimal.
        settings: how it was prepared.
        counts: videos by status, files that were ignored, bytes of frames; where lists name the
            videos, how many are listed, missing, and on no list.
        notes: what a reader should know, such as why there are no splits.
        made_with: versions of what decoded the videos; not part of the set's identity.
        files: the SHA-256 of the files that were written together with it, by name.
    """

    name: str
    kind: str
    classes: tuple[str, ...]
    num_splits: int
    fingerprint: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    made_with: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


def read_header(folder: Path) -> Header:
    """Read only what `dataset.json` says of a prepared set.

    Args:
        folder: the set's folder, or its `manifest.csv`.

    Raises:
        DataError: if it is missing, no prepared set, or of a newer format.
    """
    path = set_folder(folder) / HEADER_FILE
    return parse_header(path.read_bytes(), path)


def parse_header(text: bytes, where: object) -> Header:
    """Return what a `dataset.json` says.

    Args:
        text: of the file.
        where: it lies, for messages.

    Raises:
        DataError: if it is no header, or of another format than this version reads.
    """
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise DataError(f"{where} is not the header of a prepared data set")
        if found["format_version"] < FORMAT_VERSION:
            raise DataError(
                f"{where} was made by an older rotnet, which stored frames otherwise: prepare the "
                "set again; results that were made with it keep their keys"
            )
        if found["format_version"] > FORMAT_VERSION:
            raise DataError(
                f"{where} has format {found['format_version']}, this rotnet reads up to "
                f"{FORMAT_VERSION}: use a newer rotnet, or prepare the set again"
            )
        return Header(
            name=found["name"],
            kind=found["kind"],
            classes=tuple(found["classes"]),
            num_splits=found["num_splits"],
            fingerprint=found["fingerprint"],
            settings=found["settings"],
            counts=found["counts"],
            notes=tuple(found["notes"]),
            made_with=found["made_with"],
            files=found["files"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{where} cannot be read: {error!r}; prepare the set again") from error


def kind_of(folder: Path) -> str:
    """Return how the source of a prepared set was read, of whatever format; empty if unreadable."""
    try:
        found = json.loads((folder / HEADER_FILE).read_text(encoding="utf-8"))
        return str(found["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def set_folder(path: Path) -> Path:
    """Return the folder of a set named by its folder or its manifest."""
    folder = path.parent if path.name == MANIFEST_FILE else path
    if not folder.is_dir():
        wrong = "is a file, not a prepared data set" if path.exists() else "does not exist"
        raise DataError(f"{path} {wrong}: make one with 'rotnet prepare KIND SOURCE OUT'")
    if not (folder / HEADER_FILE).is_file():
        raise DataError(
            f"{folder} is not a prepared data set (no {HEADER_FILE}): make one with "
            "'rotnet prepare KIND SOURCE OUT'"
        )
    return folder
