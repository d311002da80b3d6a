"""Where things lie in a store. The one module that knows the paths; it reads and writes nothing.

<kind>/<key>/attempts/<id>/...     a working folder, then a result
<kind>/<key>/record.json           names the attempt that counts; without it there is no result
<kind>/<key>/lease.json            somebody works at it; see `rotlab.store.lease`
<kind>/<key>/logs/<id>.log         what each attempt said
<kind>/<key>/logs/<id>.log.<n>     what helper n of it said, where several processes computed it
<kind>/<key>/invalid/<id>/...      a result that counts no more; <id>.json says why
<kind>/<key>/state.json, state/    in a bucket: the newest training state; `rotlab.store.mirror`
studies/<name>/<revision>.json     plan and question
studies/<name>/journal.jsonl       what happened
studies/<name>/journal.jsonl.parts/  in a bucket: what has happened since; `execution.courier`
studies/<name>/cancel              a wish that its drivers end
studies/<name>/smoke-<run>/...     a store of stages that are only tried, gone with the run
studies/<name>/smoke/...           what was tried and passed, and what was said by what did not
memory/<mark>-<device>.json        what sorts of stages need; see `rotlab.execution.conduct.peaks`
searches/<key>/<number>.json      what searches decide; see `rotlab.store.decision_book`
clusters/<cluster>/<run>.json      what runs take of it; see `rotlab.execution.conduct.neighbours`
.clearing.lock                     keeps `rotlab gc` apart from runs that begin
.counting/<id>                     in a bucket: who is kept apart; see `rotlab.store.presence`
.trash-<id>/...                    what a `rotlab gc` is removing
.import-<id>/...                   what a `rotlab import` has not yet put in place
"""

from pathlib import Path

from rotlab.planning.stage import Stage
from rotlab.store.replica import told

CHECKPOINT = "checkpoint.pt"  # good for continuing only; not part of a result
ORIGIN = "origin.json"  # what an attempt began from
ERROR = "error.txt"
PARTIAL = "partial.txt"  # a result that was imported without some of its files
RECORD = "record.json"
LEASE = "lease.json"
INVALID = "invalid"
TRASH = ".trash-"
OTHERS = (
    "studies",
    "artifacts",
    "searches",
    "looks",
    "memory",
    "clusters",
)  # folders that hold no stages
IMPORT = ".import-"
GATE = ".clearing.lock"
COUNTING = ".counting"


class Layout:
    """The paths of a store.

    Args:
        root: the folder that is the store.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def home(self, key: str, kind: str) -> Path:
        """Return the folder of all that a stage has."""
        return self.root / kind / key

    def homes(self) -> list[Path]:
        """Return the folders of all stages that have anything, whoever asked for them."""
        return sorted(
            path
            for path in self.root.glob("[!.]*/*")
            if path.parent.name not in OTHERS and path.is_dir()
        )

    def attempts(self, key: str, kind: str) -> Path:
        """Return the folder of a stage's attempts."""
        return self.home(key, kind) / "attempts"

    def told(self, folder: Path) -> str:
        """Return the path or URL by which users find a folder."""
        return told(folder)

    def error_path(self, stage: Stage, attempt: str) -> Path:
        """Return where a failed attempt's traceback lies."""
        return self.attempts(stage.key, stage.kind) / attempt / ERROR

    def lease_path(self, stage: Stage) -> Path:
        """Return the file that says who works at a stage; its folder is there then."""
        home = self.home(stage.key, stage.kind)
        home.mkdir(parents=True, exist_ok=True)
        return home / LEASE

    def log_path(self, stage: Stage, attempt: str) -> Path:
        """Return where an attempt's log lies."""
        return self.home(stage.key, stage.kind) / "logs" / f"{attempt}.log"

    def helper_log_path(self, stage: Stage, attempt: str, number: int) -> Path:
        """Return where the log of an attempt's helper lies, counted from 1."""
        path = self.log_path(stage, attempt)
        return path.with_name(f"{path.name}.{number}")

    def halfway_path(self, stage: Stage) -> Path:
        """Return where it is noted that a stage was stopped (`rotlab.execution.on_ray.halfway`)."""
        return self.home(stage.key, stage.kind) / "halfway"

    def peak_path(self, stage: Stage) -> Path:
        """Return the note of how much of a device a tried stage held."""
        return self.home(stage.key, stage.kind) / "peak.json"

    def peaks_folder(self) -> Path:
        """Return the folder of what is known of the memory that stages need."""
        return self.root / "memory"

    def cluster_folder(self, cluster: str) -> Path:
        """Return the folder in which runs on a cluster say what they take of it."""
        return self.root / "clusters" / cluster

    def logs(self, stage: Stage) -> list[Path]:
        """Return the logs of all attempts at a stage, oldest first."""
        return sorted((self.home(stage.key, stage.kind) / "logs").glob("*.log"))

    def helper_logs(self, log: Path) -> list[Path]:
        """Return the logs of an attempt's helpers, beside its own."""
        return sorted(log.parent.glob(f"{log.name}.*"))

    def study_folder(self, name: str) -> Path:
        """Return the folder of a study."""
        return self.root / "studies" / name

    def revision_path(self, name: str, number: int) -> Path:
        """Return where a revision of a study lies."""
        return self.study_folder(name) / f"{number}.json"

    def journal_path(self, name: str, run: str | None = None) -> Path:
        """Return where a study's journal lies, or that of a run beside the one that tracks it."""
        return self.study_folder(name) / (f"journal-{run}.jsonl" if run else "journal.jsonl")

    def journals(self, name: str) -> list[Path]:
        """Return all journals of a study."""
        return sorted(self.study_folder(name).glob("journal*.jsonl"))

    def stop_path(self, name: str, run: str) -> Path:
        """Return the file whose presence asks the workers of one run to stop."""
        return self.study_folder(name) / f"stop-{run}"

    def smoke_notes(self, name: str) -> Path:
        """Return the folder of what is known of a study's stages that were tried."""
        return self.study_folder(name) / "smoke"

    def cancel_path(self, name: str) -> Path:
        """Return the file whose presence asks all drivers of a study to end."""
        return self.study_folder(name) / "cancel"
