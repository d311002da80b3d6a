"""A file of a study read back: no byte is believed before it is held against its checksum.

Nothing is extracted by the names that an archive gives: each member must be a plain file that the
manifest lists, and lies where a member of that form belongs, in a folder of its own.
"""

import hashlib
import json
import os
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rotlab.planning.space.report import NAME
from rotlab.store.bundle import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SEAL,
    Manifest,
    check_place,
    manifest_from_json,
)
from rotlab.store.record import Record, record_from_json
from rotlab.store.study import SavedStudy, study_from_json
from rotnet.errors import UserError

_CHUNK = 1 << 20  # bytes
_DAMAGED = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    AttributeError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)


class BundleError(UserError):
    """A file is not a whole study that we can read."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was in a file.

    Args:
        manifest: of it.
        folder: where its members lie, by their names.
        revisions: of the study, the last one last.
        records: by key.
    """

    manifest: Manifest
    folder: Path
    revisions: tuple[SavedStudy, ...]
    records: Mapping[str, Record]

    @property
    def study(self) -> SavedStudy:
        """The last revision."""
        return self.revisions[-1]

    def result_files(self, record: Record) -> dict[str, Path]:
        """Return path -> where it lies, of the files of a result that were taken along."""
        folder = self.folder / "results" / record.kind / record.key
        return {name: folder / name for name in record.files if (folder / name).is_file()}

    def state(self, record: Record) -> Path | None:
        """Return the training state of a stage, if it was taken along."""
        path = self.folder / "states" / record.kind / record.key
        return path if path.is_file() else None

    def decisions(self) -> dict[str, Path]:
        """Return path in the store -> where it lies, of what searches and looks decided."""
        folder = self.folder / "decisions"
        return {str(one.relative_to(folder)): one for one in sorted(folder.rglob("*.json"))}

    def journals(self) -> list[Path]:
        """Return the journals."""
        return sorted((self.folder / "journals").glob("*.jsonl"))


def unpack(path: Path, folder: Path) -> Bundle:
    """Read a file into an empty folder, and return what it holds.

    Raises:
        BundleError: if it is damaged, of a newer format, or not ours; it names the file.
    """
    if not path.is_file():
        raise BundleError(f"{path}: no such file")
    try:
        with tarfile.open(path, "r:*") as archive:
            manifest = _read_manifest(archive)
            _extract(archive, manifest, folder)
        return _check(manifest, folder)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            where = f": {error.filename}" if error.filename else ""
            raise BundleError(f"{path}: {error.strerror or error}{where}") from error
        said = str(error).partition("\n")[0].rstrip(":") or type(error).__name__
        raise BundleError(f"{path}: not a whole file of `rotlab export`: {said}") from error


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    name, text = _next(archive)
    if name.partition("/")[2] != MANIFEST:
        raise ValueError(f"it begins with {name!r}, not with a manifest")
    _, seal = _next(archive)
    found = hashlib.sha256(text).hexdigest()
    if seal.decode("ascii", "replace") != found:
        raise ValueError(f"its manifest is damaged: SHA-256 is {found}, not what {SEAL} says")
    manifest = manifest_from_json(text)
    if name != f"{manifest.study}/{MANIFEST}":
        raise ValueError(f"it begins with {name!r}, but is of {manifest.study!r}")
    return manifest


def _next(archive: tarfile.TarFile) -> tuple[str, bytes]:
    """The next member's name and content, for one that is to be held in memory."""
    member = archive.next()
    file = archive.extractfile(member) if member is not None and member.isreg() else None
    if member is None or file is None:
        raise ValueError("it has no manifest")
    if member.size > MAX_MANIFEST_BYTES:
        raise ValueError(f"its manifest has {member.size:,} bytes, more than any of ours")
    return member.name, file.read()


def _extract(archive: tarfile.TarFile, manifest: Manifest, folder: Path) -> None:
    missing = dict(manifest.members)
    for member in archive:
        head, _, name = member.name.partition("/")
        if name in (MANIFEST, SEAL) and head == manifest.study:
            continue  # iterating begins anew
        if not member.isreg():
            raise ValueError(f"its member {member.name!r} is a link, a folder or a device")
        sealed = missing.pop(name, None) if head == manifest.study else None
        if sealed is None:
            raise ValueError(f"its member {member.name!r} is not in the manifest, or comes twice")
        check_place(name)
        if member.size != sealed.size:
            raise ValueError(f"its member {name!r} has {member.size} bytes, not {sealed.size}")
        file = archive.extractfile(member)
        if file is None:
            raise ValueError(f"its member {name!r} cannot be read")
        found = _copy(file, folder / name)
        if found != sealed.sha256:
            raise ValueError(f"its member {name!r} has SHA-256 {found}, not {sealed.sha256}")
    if missing:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(f"its member {next(iter(missing))!r} is missing{more}")


def _copy(file: IO[bytes], path: Path) -> str:
    """Copy what is in a file to disk; return its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as copy:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest()


def _check(manifest: Manifest, folder: Path) -> Bundle:
    """Hold what was read against each other."""
    revisions = _read_revisions(manifest, folder)
    stages = {(one["kind"], one["key"]) for study in revisions for one in study.plan["stages"]}
    records = {}
    for path in sorted((folder / "records").glob("*/*.json")):
        record = _read_record(path)
        if (record.kind, record.key) not in stages:
            raise ValueError(f"its record {record.kind}/{record.key} is of no stage of the study")
        records[record.key] = record
    for name, sealed in manifest.members.items():
        sort, *place = name.split("/", 3)
        if sort not in ("results", "states"):
            continue
        record_of = records.get(place[1])
        state = (record_of.state or {}) if record_of else {}
        files = record_of.files if record_of else {}
        said = files.get(place[2]) if sort == "results" else state.get("sha256")
        if said != sealed.sha256:
            raise ValueError(f"its member {name!r} is not what the record says")
    return Bundle(manifest, folder, revisions, records)


def _read_revisions(manifest: Manifest, folder: Path) -> tuple[SavedStudy, ...]:
    paths = sorted((folder / "studies").glob("*.json"), key=lambda path: int(path.stem))
    revisions = tuple(study_from_json(json.loads(path.read_bytes())) for path in paths)
    numbers = [one.revision for one in revisions]
    if not revisions or numbers != list(range(1, len(revisions) + 1)):
        raise ValueError(f"its study has the revisions {numbers}, not 1 and all after it")
    if [int(path.stem) for path in paths] != numbers:
        raise ValueError("its study's revisions are misnamed")
    if any(one.name != manifest.study for one in revisions):
        raise ValueError(f"its revisions are of another study than {manifest.study!r}")
    return revisions


def _read_record(path: Path) -> Record:
    record = record_from_json(json.loads(path.read_bytes()))
    if (record.kind, record.key) != (path.parent.name, path.stem):
        raise ValueError(f"its record {path.parent.name}/{path.stem} is of another stage")
    if not re.fullmatch(NAME, record.attempt):
        raise ValueError(f"its record {record.key} names the attempt {record.attempt!r}")
    for name in record.files:
        check_place(f"results/{record.kind}/{record.key}/{name}")
    return record
