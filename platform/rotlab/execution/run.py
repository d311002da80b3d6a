"""The driver: runs what a plan asks for and the store lacks, and nothing else."""

import os
import secrets
import shlex
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from rotlab.execution.conduct.budget import Rates, Usage, rates_of, spent
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Conduct
from rotlab.execution.conduct.counted import check_counted
from rotlab.execution.conduct.expenses import Expenses
from rotlab.execution.conduct.interrupt import Interrupt
from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.notify import News
from rotlab.execution.conduct.oversee import Overseer
from rotlab.execution.conduct.telling import being_run, tell_end, tell_start, untold
from rotlab.execution.measuring import measure_first
from rotlab.execution.on_ray.cluster import Cluster, cluster
from rotlab.execution.on_ray.conclude import (
    DONE,
    INCOMPLETE,
    INTERRUPTED,
    conclude,
    results_line,
)
from rotlab.execution.on_ray.sharing import beside_others
from rotlab.execution.on_ray.tuning import Surroundings, run_trials
from rotlab.execution.search.copying import copying
from rotlab.execution.search.optuna_storage import shown
from rotlab.execution.smoke import try_first
from rotlab.execution.stage.perform import Work
from rotlab.planning.plan.divided import check_divided
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Resources, Stage
from rotlab.store.decision_book import decision_files
from rotlab.store.exclusive import check_exclusive
from rotlab.store.gate import counting
from rotlab.store.record import Record
from rotlab.store.shelf import artifact_root_of, shelf_of, tracking_uri_of
from rotlab.store.store import Store, StoreError
from rotlab.store.study import SavedStudy, next_revision
from rotlab.tracking.journal import Journal
from rotlab.tracking.past import look_back
from rotlab.tracking.tracker import JournalOnly, Tracker
from rotlab.tracking.uri import check_tracking_uri
from rotnet.errors import UserError

_CLOSE_S = 30.0
_CLOSE_SOON_S = 3.0
_SAVED_S, _PAUSE_S = 5.0, 0.1  # another that has begun has saved its study by then


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
    uri = tracking_uri_of(store, job.tracking_uri)
    _revision(job)  # refused before all else
    store.root.mkdir(parents=True, exist_ok=True)
    check_exclusive(store.root)
    check_tracking_uri(uri)
    run = f"{os.getpid()}-{secrets.token_hex(4)}"
    with Interrupt() as interrupt, store.driving(name, run) as other:
        job = _caught_up(job)
        study = _revision(job)
        with counting(store.root):  # `rotlab gc` knows the study before its results are relied on
            if other is None:
                store.save_study(study)
            records = store.records(job.plan.stages.values())
        if other is None:
            journal = Journal(store.journal_path(name))
            tracker = _tracker(job, journal, uri, study.revision)
        else:
            study = _await_same(study, store, other)
            say(f"{name} is being run by {other} as well: work is shared, and that run tracks it")
            journal = Journal(store.journal_path(name, run))
            tracker = JournalOnly(journal)
        copy = None if other is not None or job.smoke == "only" else _copy(job)
        status, news = INTERRUPTED, News(job.notify, name)
        try:
            tracker.start()
            with copying(copy, lambda: decision_files(store.root, job.plan), _not_copied(job, say)):
                status = _bring_about(
                    job, study, records, tracker, run, interrupt, news, progress, say
                )
        except KeyboardInterrupt:
            say("interrupted before the end; the same command goes on from the last checkpoints")
        except BaseException:
            status = INCOMPLETE
            raise
        finally:
            interrupt.disarm()
            if job.smoke != "no":
                store.smoke_store(name, run).discard()
            unsent = tracker.close(_CLOSE_SOON_S if status == INTERRUPTED else _CLOSE_S)
            journal.close()
            news.tell(f"{name} ended with exit status {status}", status=status)
            for problem in news.problems():
                say(f"warning: nobody was notified: {problem}")
        if unsent:
            why = f": {tracker.problem}" if tracker.problem else ""
            say(f"warning: {unsent} events have not reached MLflow{why}; the next run sends them")
        if job.smoke != "only":
            _say_where(job, uri, other, status, say)
    return status


def _copy(job: Job) -> Callable[[], None] | None:
    """Optuna takes a second to be imported: only where something is searched."""
    if job.optuna is None or job.search is None:
        return None
    from rotlab.execution.search.optuna_copy import OptunaCopy

    return OptunaCopy(
        job.optuna, job.store.root, job.plan.name, job.search, job.plan.tunings
    ).bring_up


def _not_copied(job: Job, say: Callable[[str], None]) -> Callable[[str], None]:
    def failed(problem: str) -> None:
        say(
            f"warning: the searches are not all in Optuna's storage ({problem}); no result hangs "
            f"on it, and `rotlab sync {job.plan.name}` brings it up"
        )

    return failed


def _revision(job: Job) -> SavedStudy:
    """The study as it is to be saved. What is done of a part of it makes no other of it."""
    last = job.store.study(job.plan.name)
    if last is not None and job.only is not None:
        return last
    return next_revision(last, job.plan, job.text, job.resources)


def _tracker(job: Job, journal: Journal, uri: str, revision: int) -> Tracker | JournalOnly:
    if job.smoke == "only":  # of which nothing is tracked
        return JournalOnly(journal)
    root, shelf = artifact_root_of(job.store, uri), shelf_of(job.store, job.artifacts)
    configs = {name: kind.config for name, kind in job.kinds.items()}
    return Tracker(job.plan, journal, uri, root, revision, configs, shelf, job.artifacts)


def _say_where(
    job: Job, uri: str, other: str | None, status: int, say: Callable[[str], None]
) -> None:
    if other is not None:
        say("what this run made is tracked by the other, or by the next run")
    say(f"store:   {job.store.name}")
    say(f"MLflow:  {uri}")
    if job.optuna is not None:
        say(f"Optuna:  {shlex.join(['optuna-dashboard', shown(job.optuna)])}")
    if status != INTERRUPTED:
        say(f"results: {results_line(job)}")


def _caught_up(job: Job) -> Job:
    """The job with all in its plan that searches, or looks, decide by what the store has."""
    if job.searches is None:
        return job

    def metrics(stages: Iterable[Stage]) -> dict[str, Mapping[str, float]]:
        return {key: record.metrics for key, record in job.store.records(stages).items()}

    return replace(job, plan=job.searches.catch_up(metrics))


def _await_same(study: SavedStudy, store: Store, other: str) -> SavedStudy:
    """Return the study as the other has saved it, once it is this run's; it may have just begun."""
    end = time.monotonic() + _SAVED_S
    while True:
        saved = store.study(study.name)
        if saved is not None and saved.asks_what(study):
            return saved  # a plan that grows may have grown on either side
        if time.monotonic() > end:
            raise StoreError(
                f"study {study.name!r} is being run by {other} with another plan; wait for it or "
                "stop it, or give this search space another name"
            )
        time.sleep(_PAUSE_S)


def _bring_about(
    job: Job,
    study: SavedStudy,
    records: Mapping[str, Record],
    tracker: Tracker | JournalOnly,
    run: str,
    interrupt: Interrupt,
    news: News,
    progress: Console,
    say: Callable[[str], None],
) -> int:
    name, store = job.plan.name, job.store
    past = look_back(Journal(store.journal_path(name)).read())
    reused = untold(records.values(), past)
    done = {key: record for key, record in records.items() if key in job.to_do.stages}
    stopped = _stopped(job) - done.keys()
    total = len(job.to_do.stages.keys() - stopped)
    is_growing = job.searches is not None and not job.plan.is_decided
    if len(done) == total and not is_growing:
        is_whole = len(records) + len(stopped) == len(job.plan.stages) and job.plan.is_decided
        if is_whole and job.smoke != "only" and (reused or not past.is_ended):
            tell_start(tracker, study, reused, job.policy.budget)
            tell_end(tracker, "FINISHED")
        say(f"nothing to do: all {total} stages are in the store")
        return DONE
    more = f", and what {_deciders(job.plan)} will ask for" * is_growing
    say(f"{name}: {total - len(done)} of {total} stages to do{more}")
    with cluster(
        job.address, job.cpus, job.gpus, job.pending, verbose=job.verbose, shield=interrupt.shield
    ) as ray_cluster:
        resources = _resolve(job, ray_cluster, say)
        stop_file = store.stop_path(name, run)
        around = Surroundings(ray_cluster, interrupt, stop_file, progress, job.verbose)
        missing = [key for key in job.to_do.stages if key not in done and key not in stopped]
        if job.smoke != "no":
            has_passed = try_first(job, missing, resources, run, around, say)
            if not has_passed or job.smoke == "only":
                return DONE if has_passed else INCOMPLETE
        measured = measure_first(job, missing, resources, run, around, say)
        is_limited = job.policy.budget.money is not None
        rates = rates_of(job.prices, job.device, resources.values(), needed=is_limited)
        own = tracker.journal.path
        conduct = Conduct(
            job.to_do,
            done,
            resources,
            ray_cluster.capacity,
            tracker,
            policy=replace(job.policy, rates=rates),
            used=spent([Journal(own).read()], rates),
            seconds=job.seconds,
            shares=_resolve_shares(job, ray_cluster),
            measured=measured,
            searches=job.searches,
        )
        interrupt.aim(conduct, stop_file)
        overseer = Overseer(
            conduct,
            stop_file,
            store.cancel_path(name),
            _beside(job, own, rates),
            lambda words: news.tell(f"{name} has used {words} of its budget"),
            say,
        )
        with (
            being_run(tracker, study, reused, job.policy.budget),
            beside_others(job, conduct, ray_cluster, run) as share,
        ):

            def look() -> None:
                overseer.look()
                share()

            look()
            run_trials(conduct, _work(job, resources), look, around)
    if conduct.plan is not job.to_do:
        job = replace(job, plan=conduct.plan)
        store.save_study(_revision(job))
    if conduct.is_near and not conduct.halted:
        say(f"the study has used {conduct.is_near} of its budget")
    return conclude(job, conduct, tracker, say)


def _stopped(job: Job) -> set[str]:
    """Stages of the plan that are not done, and need not be: what they were tried for is over."""
    if job.searches is None or not job.searches.num_pruned:
        return set()
    return set(job.to_do.stages) & job.searches.over()


def _deciders(plan: Plan) -> str:
    return "looks" if plan.families else "searches"


def _beside(job: Job, own: Path, rates: Rates) -> Callable[[], Usage]:
    """Return what tells what other runs of the study have used, where there is a limit."""
    name, store, expenses = job.plan.name, job.store, Expenses(rates)
    if not job.policy.budget:
        return Usage
    return lambda: expenses.beside(own, store.journal_path(name), store.journals(name))


def _work(job: Job, resources: Mapping[str, Resources]) -> Work:
    return Work(
        dict(job.plan.stages),
        dict(job.kinds),
        dict(job.data),
        job.store.root,
        {kind: each.each.cpus for kind, each in resources.items()},
        job.hung_s,
        job.policy.stale_s,
        dict(job.plan.continues),
        job.keep_states,
        to_go_on=job.plan.to_go_on,
    )


def _resolve(job: Job, on: Cluster, say: Callable[[str], None]) -> dict[str, Resources]:
    """Return requests with their GPUs as numbers; a cluster that cannot grow must hold each."""
    capacity, resources = on.capacity(), job.resources
    found = {
        kind: each.resolved(has_gpu=bool(capacity.gpus) or (each.measured and on.may_grow))
        for kind, each in resources.items()
    }
    measured = ", ".join(kind for kind, each in resources.items() if each.measured)
    if measured and not capacity.gpus:
        then = "it is asked for some" if on.may_grow else "they take cores only"
        say(f"gpus: auto of {measured}: there is no GPU now, so {then}")
    if (
        on.may_grow
        and not capacity.gpus
        and any(one.gpus is None and not one.measured for one in resources.values())
    ):
        say(
            "warning: the cluster has no GPU now, so stages take cores only; to have it grow by "
            "GPUs, ask for them: resources: {pretrain: {gpus: 1}, ...}"
        )
    if not on.may_grow:
        for kind, each in found.items():
            _check_fits(kind, each, capacity)
    check_divided(job.to_do.stages.values(), job.kinds, found)
    check_counted(job.plan.tunings.values(), found)
    return found


def _resolve_shares(job: Job, on: Cluster) -> dict[str, Resources]:
    """Likewise what single stages ask for."""
    capacity = on.capacity()
    found = {key: capacity.resolve(each) for key, each in job.shares.items()}
    if not on.may_grow:
        for key, each in found.items():
            _check_fits(job.plan.stages[key].kind, each, capacity)
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
