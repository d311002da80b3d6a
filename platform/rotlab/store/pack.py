"""A study written into one file: every byte is held against its checksum on the way."""

import contextlib
import hashlib
import json
import os
import secrets
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from rotlab.planning.plan.plan import Plan
from rotlab.store.bundle import (
    MANIFEST,
    SEAL,
    Manifest,
    Sealed,
    Weights,
    manifest_to_json,
)
from rotlab.store.carrying import bring_files
from rotlab.store.decision_book import bring_decisions, decision_files
from rotlab.store.files import flush_folder
from rotlab.store.record import Record, record_to_json
from rotlab.store.replica import told
from rotlab.store.store import Store, StoreError
from rotnet.errors import UserError

FORMS = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz"}
WEIGHTS = (".pt", ".pth", ".ckpt", ".safetensors")
_QUICK = 1  # weights hardly get smaller, however long one tries


@dataclass(frozen=True, slots=True)
class Member:
    """Something that goes into the file.

    Args:
        name: below the study's folder.
        source: its content, or the file that begins with it.
        sealed: its checksum and size.
    """

    name: str
    source: Path | bytes
    sealed: Sealed


def form_of(path: Path) -> str:
    """Return how a file of that name is written.

    Raises:
        UserError: if its ending is none that we write.
    """
    for ending, form in FORMS.items():
        if path.name.endswith(ending) and path.name != ending:
            return form
    raise UserError(f"{path}: must end in {', '.join(FORMS)}")


def members(
    store: Store, plan: Plan, records: Mapping[str, Record], weights: Weights
) -> Iterator[Member]:
    """Yield what a study has in a store; of files that change, what they are now.

    Args:
        store: that holds it.
        plan: of its last revision.
        records: of the plan's stages that are done, by key.
        weights: whose networks are taken along: of the stages behind the results, of all, with
            their training states, or of none.

    Raises:
        StoreError: if a file of a result is gone.
    """
    folder = store.study_folder(plan.name)
    bring_decisions(store.root, plan)
    for study in store.revisions(plan.name):
        number = f"{study.revision}.json"
        yield of_bytes(f"studies/{number}", (folder / number).read_bytes())
    for journal in store.journals(plan.name):
        yield _of_lines(f"journals/{journal.name}", journal)
    for path in decision_files(store.root, plan):
        yield of_bytes(f"decisions/{path.relative_to(store.root)}", path.read_bytes())
    networks = _networks(plan, records) if weights == "results" else set(records)
    for key, record in records.items():
        place = f"{record.kind}/{key}"
        text = json.dumps(record_to_json(record), indent=1, sort_keys=True)
        yield of_bytes(f"records/{place}.json", text.encode())
        files = {
            name: sha256
            for name, sha256 in record.files.items()
            if not is_weights(name) or (weights != "none" and key in networks)
        }
        here = store.result_place(record)
        bring_files(here, files)
        for name, sha256 in files.items():
            yield _of_file(f"results/{place}/{name}", here / name, sha256, record)
        if weights == "all":
            store.bring_state_of(record)
        state = store.state_path(record)
        if weights == "all" and record.state is not None and state.is_file():
            yield _of_file(f"states/{place}", state, record.state["sha256"], record)


def of_bytes(name: str, content: bytes) -> Member:
    """Return a member of given content."""
    return Member(name, content, Sealed(hashlib.sha256(content).hexdigest(), len(content)))


def is_weights(name: str) -> bool:
    """Say whether a file of a result holds a network."""
    return name.endswith(WEIGHTS)


def pack(path: Path, manifest: Manifest, content: Iterable[Member]) -> None:
    """Write a file: whole, or not at all.

    Args:
        path: that must not be there yet.
        manifest: naming the members.
        content: the members.

    Raises:
        UserError: if the file is there, cannot be written, or a result is damaged.
    """
    form = form_of(path)
    _refuse_if_there(path)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    text = manifest_to_json(manifest)
    first = (of_bytes(MANIFEST, text), of_bytes(SEAL, hashlib.sha256(text).hexdigest().encode()))
    level: dict[str, Any] = {"compresslevel": _QUICK} if form == "w:gz" else {}
    try:
        with aside.open("wb") as file:
            with tarfile.open(fileobj=file, mode=form, **level) as archive:  # type: ignore[call-overload]  # mode is one of FORMS
                for member in (*first, *content):
                    _add(archive, manifest.study, member)
            file.flush()
            os.fsync(file.fileno())
        _refuse_if_there(path)
        aside.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _refuse_if_there(path: Path) -> None:
    if path.exists():
        raise UserError(f"{path} exists; give another name, or remove it first")


def _networks(plan: Plan, records: Mapping[str, Record]) -> set[str]:
    """The stages behind the results that have a network, the nearest of each chain."""
    found: set[str] = set()
    queue = list(dict.fromkeys(cell.result for cell in plan.cells))
    for key in queue:
        record = records.get(key)
        if record is not None and any(map(is_weights, record.files)):
            found.add(key)
        else:
            queue += [one for one in plan.stages[key].inputs.values() if one not in queue]
    return found


def _of_file(name: str, path: Path, sha256: str, record: Record) -> Member:
    try:
        return Member(name, path, Sealed(sha256, path.stat().st_size))
    except FileNotFoundError as error:
        said = f"{told(path)}: gone, though there is a record"
        raise StoreError(f"{said}; {_again(record.key)}") from error


def _again(key: str) -> str:
    return f"have the stage made again: rotlab invalidate {key[:12]} --because TEXT"


def _of_lines(name: str, path: Path) -> Member:
    """The whole lines that a growing file has now."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            digest.update(line)
            size += len(line)
    return Member(name, path, Sealed(digest.hexdigest(), size))


def _add(archive: tarfile.TarFile, folder: str, member: Member) -> None:
    info = tarfile.TarInfo(f"{folder}/{member.name}")
    info.size = member.sealed.size
    with _opened(member.source) as file:
        checked = _Checked(file)
        archive.addfile(info, checked)
    found = checked.digest.hexdigest()
    if found != member.sealed.sha256:
        source = told(member.source) if isinstance(member.source, Path) else member.name
        raise StoreError(
            f"{source}: damaged: SHA-256 is {found}, not {member.sealed.sha256}; "
            f"{_again(member.name.split('/')[2])}"
        )


@contextlib.contextmanager
def _opened(source: Path | bytes) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    else:
        with source.open("rb") as file:
            yield file


class _Checked:
    """A file whose SHA-256 is reckoned while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk
