"""What was read of a study, in a file of Arrow columns in this user's own cache folder.

One file for each tracking URI, study and sort of runs that was read. Its first bytes are a checksum
of the rest; a file that is damaged, cut short, of another format or not there is none, and what it
held is read again. Each is written aside and then named, so that of two writers one wins and no
reader sees a half.
"""

import contextlib
import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from rotlab.tracking.following import Held
from rotlab.tracking.runs import TAGS, StudyRuns, Which
from rotnet.data.framestore.verified import cache_folder

_FORMAT = 2
_ENTRY = b"rotlab"
_DIGEST = 32
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cache:
    """The file of one study in one MLflow, of its cells' runs or of all.

    Args:
        path: where it lies, if it does.
    """

    path: Path

    @classmethod
    def of(cls, uri: str, study: str, which: Which) -> "Cache":
        """Return the cache of a study; its file's name tells neither URI nor study."""
        name = hashlib.sha256(json.dumps([uri, study, which]).encode()).hexdigest()[:32]
        return cls(cache_folder() / "results" / f"{name}.arrow")

    def load(self) -> Held | None:
        """Return what is held; None where that is nothing, or nothing that can be trusted."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning("results are read anew: %s", error)
            return None
        if hashlib.sha256(raw[_DIGEST:]).digest() != raw[:_DIGEST]:
            _LOG.info("%s is damaged: results are read anew", self.path)
            return None
        table = pa.ipc.open_file(pa.py_buffer(raw[_DIGEST:])).read_all()
        entry = json.loads(table.schema.metadata[_ENTRY])
        if entry.pop("format") != _FORMAT:
            return None
        runs = table.replace_schema_metadata(None).to_pandas()
        texts = ["run_id", "status", *TAGS.values()]
        runs = runs.astype(dict.fromkeys(texts, object))
        runs[texts] = runs[texts].where(runs[texts].notna(), None)
        return Held(StudyRuns(entry.pop("tags"), runs), **entry)

    def save(self, held: Held) -> None:
        """Keep what is held; where that cannot be done, say so and go on."""
        entry = {
            "format": _FORMAT,
            "tags": dict(held.found.tags),
            "stamp": held.stamp,
            "experiment": held.experiment,
            "read_s": held.read_s,
            "countable": held.countable,
            "deleted": held.deleted,
        }
        table = pa.Table.from_pandas(held.found.runs, preserve_index=False)
        table = table.replace_schema_metadata({_ENTRY: json.dumps(entry)})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        body = sink.getvalue().to_pybytes()
        aside = self.path.with_suffix(f".{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside.write_bytes(hashlib.sha256(body).digest() + body)
            aside.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink()
            _LOG.warning("results are not kept for the next query: %s", error)
