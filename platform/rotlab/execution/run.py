"""The driver: runs what a plan asks for and the store lacks, and nothing else."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ray import tune
from ray.tune import TuneError
from rich.console import Console

from rotlab.execution.budget import Rates, Usage, rates_of, spent
from rotlab.execution.capacity import Capacity
from rotlab.execution.cluster import Cluster, cluster
from rotlab.execution.conclude import (
    DONE,
    INCOMPLETE,
    INTERRUPTED,
    cause_of,
    conclude,
    results_line,
    tell_end,
    tell_start,
)
from rotlab.execution.conduct import Conduct, Event
from rotlab.execution.display import Display
from rotlab.execution.exclusive import check_exclusive
from rotlab.execution.interrupt import Interrupt
from rotlab.execution.job import Job
from rotlab.execution.notify import News
from rotlab.execution.oversee import Overseer
from rotlab.execution.perform import Work
from rotlab.execution.searcher import StageSearcher, StopWhenIdle, TrialListener, request
from rotlab.execution.stage_log import was_hung
from rotlab.execution.store import StoreError
from rotlab.execution.study import SavedStudy, next_revision
from rotlab.execution.trial import run_trial
from rotlab.planning.stage import Resources
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import JournalOnly, Tracker
from rotlab.tracking.uri import check_tracking_uri, default_tracking_uri, sqlite_path
from rotnet.errors import UserError

_CLOSE_S = 30.0
_CLOSE_SOON_S = 3.0


def run_job(job: Job, progress: Console, say: Callable[[str], None]) -> int:
    """Run what is missing of a study; return 0 if all is done, 1 if not, 130 if interrupted.

    A second driver of the same study works beside the first: each leaves to the other what that is
    at. Only the first writes to MLflow; what the second made is there as reused.

    Args:
        job: the study.
        progress: where to show how it goes.
        say: takes the lines that remain.

    Raises:
        UserError: before any stage starts: another question under the study's name, a store on a
            file system that lacks what sharing needs, a tracking URI that cannot work, a study
            that is being run by another plan, a request that this machine can never meet.
    """
    name, store = job.plan.name, job.store
    uri = job.tracking_uri or default_tracking_uri(store.root)
    next_revision(store.study(name), job.plan, job.text, job.resources)  # refused before all else
    store.root.mkdir(parents=True, exist_ok=True)
    check_exclusive(store.root)
    check_tracking_uri(uri)
    run = f"{os.getpid()}-{secrets.token_hex(4)}"
    with Interrupt() as interrupt, store.driving(name, run) as other:
        study = next_revision(store.study(name), job.plan, job.text, job.resources)
        if other is None:
            store.save_study(study)
            journal = Journal(store.journal_path(name))
            is_own = sqlite_path(uri) == store.root / "mlflow.db"
            artifacts = str(store.root / "artifacts") if is_own else None
            tracker: Tracker | JournalOnly = Tracker(
                job.plan, journal, uri, artifacts, study.revision
            )
        else:
            _check_same(study, store.study(name), other)
            say(f"{name} is being run by {other} as well: work is shared, and that run tracks it")
            journal = Journal(store.journal_path(name, run))
            tracker = JournalOnly(journal)
        status, news = INTERRUPTED, News(job.notify, name)
        try:
            tracker.start()
            status = _bring_about(job, study, tracker, run, interrupt, news, progress, say)
        except KeyboardInterrupt:
            say("interrupted before the end; the same command goes on from the last checkpoints")
        except BaseException:
            status = INCOMPLETE
            tell_end(tracker, "FAILED")
            raise
        finally:
            interrupt.disarm()
            unsent = tracker.close(_CLOSE_SOON_S if status == INTERRUPTED else _CLOSE_S)
            journal.close()
            news.tell(f"{name} ended with exit status {status}", status=status)
            for problem in news.problems():
                say(f"warning: nobody was notified: {problem}")
        if unsent:
            why = f": {tracker.problem}" if tracker.problem else ""
            say(f"warning: {unsent} events have not reached MLflow{why}; the next run sends them")
        if other is not None:
            say("what this run made is tracked by the other, or by the next run")
        say(f"store:   {store.root}")
        say(f"MLflow:  {uri}")
        if status != INTERRUPTED:
            say(f"results: {results_line(job)}")
    return status


def _check_same(study: SavedStudy, saved: SavedStudy | None, other: str) -> None:
    if saved != study:
        raise StoreError(
            f"study {study.name!r} is being run by {other} with another plan; wait for it or stop "
            "it, or give this search space another name"
        )


def _bring_about(
    job: Job,
    study: SavedStudy,
    tracker: Tracker | JournalOnly,
    run: str,
    interrupt: Interrupt,
    news: News,
    progress: Console,
    say: Callable[[str], None],
) -> int:
    name, store, total = job.plan.name, job.store, len(job.plan.stages)
    records = store.records(job.plan.stages.values())
    known, is_ended = _look_back(Journal(store.journal_path(name)).read())
    reused = [record for key, record in records.items() if known.get(key) != record.metrics]
    if len(records) == total:
        if reused or not is_ended:
            tell_start(tracker, study, reused)
            tell_end(tracker, "FINISHED")
        say(f"nothing to do: all {total} stages are in the store")
        return DONE
    say(f"{name}: {total - len(records)} of {total} stages to do")
    with cluster(
        job.address, job.cpus, job.gpus, job.pending, verbose=job.verbose, shield=interrupt.shield
    ) as ray_cluster:
        resources = _resolve(job.resources, ray_cluster, say)
        is_limited = job.policy.budget.money is not None
        rates = rates_of(job.prices, job.device, resources.values(), needed=is_limited)
        own = tracker.journal.path
        conduct = Conduct(
            job.plan,
            records,
            resources,
            ray_cluster.capacity,
            tracker,
            policy=replace(job.policy, rates=rates),
            used=spent([Journal(own).read()], rates),
            seconds=job.seconds,
        )
        stop_file = store.stop_path(name, run)
        interrupt.aim(conduct, stop_file)
        overseer = Overseer(
            conduct,
            stop_file,
            store.cancel_path(name),
            lambda: _used_beside(job, own, rates),
            lambda words: news.tell(f"{name} has used {words} of its budget"),
        )
        tell_start(tracker, study, reused)
        overseer.look()
        try:
            with Display(conduct.snapshot, progress), _hushed(verbose=job.verbose):
                _tune(job, conduct, overseer, resources, stop_file, ray_cluster.scratch)
        except KeyboardInterrupt:
            conduct.stopping = True
        except TuneError as error:
            raise cause_of(error) from error
        finally:
            interrupt.disarm()
            conduct.abandon()
    if conduct.is_near and not conduct.halted:
        say(f"the study has used {conduct.is_near} of its budget")
    return conclude(job, conduct, tracker, say)


def _used_beside(job: Job, own: Path, rates: Rates) -> Usage:
    """What other runs of the study have used; only that which tracks it counts hours of wall."""
    if not job.policy.budget:
        return Usage()
    name, store = job.plan.name, job.store
    others = [path for path in store.journals(name) if path != own]
    used = spent((Journal(path).read() for path in others), rates)
    main = store.journal_path(name)
    wall = spent([Journal(main).read()]).wall_hours if main != own else 0.0
    return replace(used, wall_hours=wall)


def _tune(
    job: Job,
    conduct: Conduct,
    overseer: Overseer,
    resources: Mapping[str, Resources],
    stop_file: Path,
    scratch: Path,
) -> None:
    cpus = {kind: each.cpus for kind, each in resources.items()}
    stages = dict(job.plan.stages)
    work = Work(
        stages,
        dict(job.kinds),
        dict(job.data),
        job.store.root,
        cpus,
        job.hung_s,
        job.policy.stale_s,
        dict(job.plan.continues),
    )
    trainable = tune.with_parameters(run_trial, work=work, stop_file=stop_file, verbose=job.verbose)
    tune.Tuner(
        tune.with_resources(trainable, request),
        tune_config=tune.TuneConfig(
            search_alg=StageSearcher(conduct), num_samples=-1, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name=job.plan.name,
            storage_path=str(scratch / "tune"),
            verbose=1 if job.verbose else 0,
            callbacks=[
                TrialListener(
                    conduct,
                    lambda key, attempt: was_hung(job.store.log_path(stages[key], attempt)),
                )
            ],
            stop=StopWhenIdle(conduct, overseer.look),
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


def _resolve(
    resources: Mapping[str, Resources], on: Cluster, say: Callable[[str], None]
) -> dict[str, Resources]:
    """Return requests with their GPUs as numbers; a cluster that cannot grow must hold each."""
    capacity = on.capacity()
    found = {kind: capacity.resolve(each) for kind, each in resources.items()}
    if on.may_grow and not capacity.gpus and any(one.gpus is None for one in resources.values()):
        say(
            "warning: the cluster has no GPU now, so stages take cores only; to have it grow by "
            "GPUs, ask for them: resources: {pretrain: {gpus: 1}, ...}"
        )
    if not on.may_grow:
        for kind, each in found.items():
            _check_fits(kind, each, capacity)
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


def _look_back(events: Iterable[Event]) -> tuple[dict[str, Mapping[str, float]], bool]:
    """The metrics of stages that a journal knows to be done, and whether the study is complete."""
    known: dict[str, Mapping[str, float]] = {}
    is_ended = False
    for event in events:
        match event["event"]:
            case "stage_ended" if event["state"] in ("FINISHED", "REUSED"):
                known[event["key"]] = event["metrics"]
            case "study_started":
                is_ended = False
            case "study_ended":
                is_ended = event["state"] == "FINISHED"
    return known, is_ended
