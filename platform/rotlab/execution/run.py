"""The driver: runs what a plan asks for and the store lacks, and nothing else."""

import contextlib
import os
import secrets
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ray import tune
from ray.tune import TuneError
from rich.console import Console

from rotlab.execution.capacity import Capacity
from rotlab.execution.cluster import Cluster, cluster
from rotlab.execution.conduct import Conduct, Event
from rotlab.execution.display import Display
from rotlab.execution.failures import store_option
from rotlab.execution.interrupt import Interrupt
from rotlab.execution.missing import describe_missing
from rotlab.execution.perform import Work
from rotlab.execution.record import Record
from rotlab.execution.searcher import StageSearcher, StopWhenIdle, TrialListener, request
from rotlab.execution.store import Store
from rotlab.execution.study import SavedStudy, next_revision
from rotlab.execution.trial import run_trial
from rotlab.planning.plan import Plan
from rotlab.planning.stage import Resources, StageKind
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import Tracker
from rotlab.tracking.uri import check_tracking_uri, default_tracking_uri, sqlite_path
from rotnet.errors import UserError

DONE, INCOMPLETE, INTERRUPTED = 0, 1, 130
_CLOSE_S = 30.0
_CLOSE_SOON_S = 3.0


@dataclass(frozen=True, slots=True)
class Job:
    """A study to be run, and where.

    Args:
        plan: what is asked for; its data are on this machine and its stages are supported.
        kinds: kind -> what it is.
        resources: kind -> what its stages ask for.
        text: the search-space file.
        data: name of a data set -> the folder, or URL, it lies in.
        store: where results lie.
        tracking_uri: of MLflow; None takes the default.
        address: of a Ray cluster; None starts one on this machine.
        cpus: cores of one started here; None takes all.
        gpus: devices of one started here; None takes all.
        verbose: let Ray and the workers talk.
        options: what `rotlab run-stage` needs to find the same store and data.
    """

    plan: Plan
    kinds: Mapping[str, StageKind]
    resources: Mapping[str, Resources]
    text: str
    data: Mapping[str, Path | str]
    store: Store
    tracking_uri: str | None = None
    address: str | None = None
    cpus: int | None = None
    gpus: int | None = None
    verbose: bool = False
    options: tuple[str, ...] = ()


def run_job(job: Job, progress: Console, say: Callable[[str], None]) -> int:
    """Run what is missing of a study; return 0 if all is done, 1 if not, 130 if interrupted.

    Args:
        job: the study.
        progress: where to show how it goes.
        say: takes the lines that remain.

    Raises:
        UserError: before any stage starts: another question under the study's name, a tracking URI
            that cannot work, a study that is being run, a request that this machine can never meet.
    """
    uri = job.tracking_uri or default_tracking_uri(job.store.root)
    study = next_revision(job.store.study(job.plan.name), job.plan, job.text, job.resources)
    job.store.root.mkdir(parents=True, exist_ok=True)
    check_tracking_uri(uri)
    with Interrupt() as interrupt, job.store.only_driver(job.plan.name):
        job.store.save_study(study)
        journal = Journal(job.store.journal_path(job.plan.name))
        is_own = sqlite_path(uri) == job.store.root / "mlflow.db"
        artifacts = str(job.store.root / "artifacts") if is_own else None
        tracker = Tracker(job.plan, journal, uri, artifacts)
        status = INTERRUPTED
        try:
            tracker.start()
            status = _bring_about(job, study, tracker, journal, interrupt, progress, say)
        except KeyboardInterrupt:
            say("interrupted before the end; the same command goes on from the last checkpoints")
        finally:
            interrupt.disarm()
            unsent = tracker.close(_CLOSE_SOON_S if status == INTERRUPTED else _CLOSE_S)
            journal.close()
        if unsent:
            why = f": {tracker.problem}" if tracker.problem else ""
            say(f"warning: {unsent} events have not reached MLflow{why}; the next run sends them")
        say(f"store:   {job.store.root}")
        say(f"MLflow:  {uri}")
        if status != INTERRUPTED:
            say(f"results: {_results_line(job)}")
    return status


def _bring_about(
    job: Job,
    study: SavedStudy,
    tracker: Tracker,
    journal: Journal,
    interrupt: Interrupt,
    progress: Console,
    say: Callable[[str], None],
) -> int:
    total = len(job.plan.stages)
    records = job.store.records(job.plan.stages.values())
    known, is_ended = _look_back(journal.read())
    reused = [record for key, record in records.items() if key not in known]
    if len(records) == total:
        if reused or not is_ended:
            _tell_start(tracker, study, reused)
            _tell_end(tracker, "FINISHED")
        say(f"nothing to do: all {total} stages are in the store")
        return DONE
    say(f"{job.plan.name}: {total - len(records)} of {total} stages to do")
    with cluster(
        job.address, job.cpus, job.gpus, verbose=job.verbose, shield=interrupt.shield
    ) as ray_cluster:
        resources = _resolve(job.resources, ray_cluster)
        conduct = Conduct(job.plan, records, resources, ray_cluster.capacity, tracker)
        stop_file = job.store.stop_path(job.plan.name, f"{os.getpid()}-{secrets.token_hex(4)}")
        interrupt.aim(conduct, stop_file)
        _tell_start(tracker, study, reused)
        try:
            with Display(conduct.snapshot, progress), _hushed(verbose=job.verbose):
                _tune(job, conduct, resources, stop_file, ray_cluster.scratch)
        except KeyboardInterrupt:
            conduct.stopping = True
        except TuneError as error:
            raise _cause(error) from error
        interrupt.disarm()
        conduct.abandon()
    return _conclude(job, conduct, tracker, say)


def _tune(
    job: Job, conduct: Conduct, resources: Mapping[str, Resources], stop_file: Path, scratch: Path
) -> None:
    cpus = {kind: each.cpus for kind, each in resources.items()}
    work = Work(
        dict(job.plan.stages),
        dict(job.kinds),
        dict(job.data),
        job.store.root,
        cpus,
        dict(job.plan.continues),
    )
    trainable = tune.with_parameters(run_trial, work=work, stop_file=stop_file)
    tune.Tuner(
        tune.with_resources(trainable, request),
        tune_config=tune.TuneConfig(
            search_alg=StageSearcher(conduct), num_samples=-1, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name=job.plan.name,
            storage_path=str(scratch / "tune"),
            verbose=1 if job.verbose else 0,
            callbacks=[TrialListener(conduct)],
            stop=StopWhenIdle(conduct),
            failure_config=tune.FailureConfig(max_failures=0),
        ),
    ).fit()


@contextlib.contextmanager
def _hushed(*, verbose: bool) -> Iterator[None]:
    """Drop what Ray prints to stdout of its own accord, such as news of dead workers."""
    if verbose:
        yield
        return
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        yield


def _resolve(resources: Mapping[str, Resources], on: Cluster) -> dict[str, Resources]:
    """Return requests with their GPUs as numbers; a cluster that cannot grow must hold each."""
    found = {kind: on.capacity.resolve(each) for kind, each in resources.items()}
    if not on.may_grow:
        for kind, each in found.items():
            _check_fits(kind, each, on.capacity)
    return found


def _check_fits(kind: str, wanted: Resources, capacity: Capacity) -> None:
    for name, need, held in (
        ("cpus", wanted.cpus, capacity.cpus),
        ("gpus", wanted.gpus or 0.0, capacity.gpus),
    ):
        if need > held:
            raise UserError(
                f"resources.{kind}.{name}: a stage asks for {need:g}, but this machine offers "
                f"{held:g}; ask for less, or give --address of a cluster or --{name}"
            )


def _conclude(job: Job, conduct: Conduct, tracker: Tracker, say: Callable[[str], None]) -> int:
    if conduct.finished_all:
        _tell_end(tracker, "FINISHED")
        say(f"done: all {len(job.plan.stages)} stages are in the store")
        return DONE
    missing = conduct.missing()
    done = len(job.plan.stages) - len(missing)
    if conduct.stopping:
        _tell_end(tracker, "KILLED")
        say(
            f"interrupted: {done} of {len(job.plan.stages)} stages are in the store; "
            "the same command goes on from the last checkpoints"
        )
        return INTERRUPTED
    _tell_end(tracker, "FAILED")
    for text in describe_missing(job.plan, conduct.failures, missing, job.options):
        say(text)
    return INCOMPLETE


def _cause(error: TuneError) -> Exception:
    """What the user can mend of an error that Tune gives as a traceback's text, else itself."""
    last = str(error).strip().splitlines()[-1]
    if not last.startswith("OSError:"):
        return error
    return UserError(f"the run broke off: {last}; once that is mended the same command goes on")


def _results_line(job: Job) -> str:
    uri = ("--tracking-uri", job.tracking_uri) if job.tracking_uri else ()
    return shlex.join(["rotlab", "results", job.plan.name, *store_option(job.options), *uri])


def _look_back(events: Iterable[Event]) -> tuple[set[str], bool]:
    """The stages that a journal knows to be done, and whether the study ended complete."""
    known: set[str] = set()
    is_ended = False
    for event in events:
        match event["event"]:
            case "stage_ended" if event["state"] in ("FINISHED", "REUSED"):
                known.add(event["key"])
            case "study_started":
                is_ended = False
            case "study_ended":
                is_ended = event["state"] == "FINISHED"
    return known, is_ended


def _tell_start(tracker: Tracker, study: SavedStudy, reused: Iterable[Record]) -> None:
    tracker.record(
        {
            "event": "study_started",
            "time": time.time(),
            "question": study.question,
            "revision": study.revision,
        }
    )
    for record in reused:
        tracker.record(
            {
                "event": "stage_ended",
                "time": time.time(),
                "key": record.key,
                "attempt": record.attempt,
                "state": "REUSED",
                "metrics": dict(record.metrics),
                "seconds": record.seconds,
                "error": None,
            }
        )


def _tell_end(tracker: Tracker, state: str) -> None:
    tracker.record({"event": "study_ended", "time": time.time(), "state": state})
