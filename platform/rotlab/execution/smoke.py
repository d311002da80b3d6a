"""Before a study: each sort of its stages is tried in small, by what runs the real ones."""

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from rotlab.execution.conduct.budget import Usage
from rotlab.execution.conduct.conduct import Conduct, Event, Listener, Policy
from rotlab.execution.conduct.display import duration
from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.oversee import Overseer
from rotlab.execution.conduct.retries import ADVICE
from rotlab.execution.on_ray.tuning import Surroundings, run_trials
from rotlab.execution.passed import PASSED, Passed
from rotlab.execution.stage.perform import Work
from rotlab.planning.plan.serial import stage_to_json
from rotlab.planning.release.smoke import Smoke, smoke_of
from rotlab.planning.stage import Resources, Stage
from rotlab.store.store import Store

FEW = 8  # videos that stand for a set


class _Heard:
    """Hears which sorts had to go on from a checkpoint, and which lacked memory at first."""

    def __init__(self) -> None:
        self.went_on: set[str] = set()
        self.lacked: dict[str, str] = {}

    def record(self, event: Event) -> None:
        """Take an event; none of them is kept."""
        if event["event"] == "stage_ended" and event["state"] == "KILLED":
            cause = event["cause"]
            if cause == "stopped":
                self.went_on.add(event["key"])
            elif cause in ADVICE:
                self.lacked[event["key"]] = cause


def try_first(
    job: Job,
    to_do: Collection[str],
    resources: Mapping[str, Resources],
    run: str,
    around: Surroundings,
    say: Callable[[str], None],
) -> bool:
    """Try each sort of a study's stages in small, and say whether all passed.

    A sort takes two steps, is stopped at a checkpoint, goes on from there, and scores, on a few
    videos; its stages run as real ones do, in a store of their own that is removed. What fails is
    told when all have been tried. What passed is remembered, and not tried again by the same code.

    Args:
        job: the study.
        to_do: keys of its stages that are to be done.
        resources: kind -> request, resolved.
        run: identity of the run.
        around: where it runs.
        say: takes the lines that remain.

    Raises:
        KeyboardInterrupt: if it was to stop.
    """
    smoke = to_try(job, to_do)
    for why, number in smoke.untried.items():
        say(f"warning: {_counted(number)} cannot be tried in small: {why}")
    notes = job.store.smoke_notes(job.plan.name)
    passed = Passed(notes, job.kinds, resources, job.address)
    wanted = {key: stage for key, stage in smoke.plan.stages.items() if smoke.counts[key]}
    fresh = [key for key, stage in wanted.items() if stage not in passed]
    if not fresh:
        say(f"smoke: all {len(wanted)} sorts of stages have passed before")
        return True
    smoke = smoke.only(fresh)
    stages = smoke.plan.stages
    say(f"smoke: trying {len(stages)} sort{'' if len(stages) == 1 else 's'} of stages in small")
    heard, began = _Heard(), time.monotonic()
    store = job.store.smoke_store(job.plan.name, run)
    try:
        work = work_of(job, smoke, store, resources)
        conduct = run_small(job, smoke, work, resources, heard, around, say)
        _clear(notes)
        for key in conduct.failures:
            _keep(stages[key], store, notes)
    finally:
        store.discard()
    missing = conduct.missing()
    passed.add(stage for key, stage in stages.items() if key not in missing)
    done = len(stages) - len(missing)
    say(
        f"smoke: {done} of {len(stages)} sorts of stages passed in "
        f"{duration(time.monotonic() - began)}, {len(heard.went_on - missing.keys())} of them "
        "on from a checkpoint"
    )
    for key, cause in heard.lacked.items():
        if key not in missing:
            say(f"warning: {smoke.names[key]} lacked {cause} at first; {ADVICE[cause]}")
    _tell(smoke, conduct, missing, notes, say)
    return not missing


def run_small(
    job: Job,
    smoke: Smoke,
    work: Work,
    resources: Mapping[str, Resources],
    listener: Listener,
    around: Surroundings,
    say: Callable[[str], None],
) -> Conduct:
    """Run sorts of stages as real ones are run, in a store of their own; return how it went.

    Args:
        job: the study.
        smoke: the sorts.
        work: them as the workers take them.
        resources: kind -> request, resolved.
        listener: hears of every event.
        around: where it runs.
        say: takes what its user is to know meanwhile.

    Raises:
        KeyboardInterrupt: if it was to stop.
    """
    policy = Policy(same_errors=0, concurrency=job.policy.concurrency)
    conduct = Conduct(smoke.plan, {}, resources, around.cluster.capacity, listener, policy=policy)
    around.interrupt.aim(conduct, around.stop_file)
    cancel = job.store.cancel_path(job.plan.name)
    overseer = Overseer(conduct, around.stop_file, cancel, Usage, lambda _: None, say)
    run_trials(conduct, work, overseer.look, around)
    around.interrupt.let_go()
    return conduct


def to_try(job: Job, to_do: Collection[str]) -> Smoke:
    """Return what is to be tried: also what searches and looks will ask for, as it is foreseen.

    Args:
        job: the study.
        to_do: keys of its stages that are to be done, as far as they are known.
    """
    if job.foreseen is None:
        return smoke_of(job.plan, job.kinds, to_do)
    further = {k: one for k, one in job.foreseen.stages.items() if k not in job.plan.stages}
    plan = replace(job.plan, stages={**job.plan.stages, **further})
    done = job.store.records(further.values())
    return smoke_of(plan, job.kinds, {*to_do, *(further.keys() - done.keys())})


def work_of(job: Job, smoke: Smoke, store: Store, resources: Mapping[str, Resources]) -> Work:
    """Return what workers need to try stages in a store of their own, on a few videos each."""
    return Work(
        dict(smoke.plan.stages),
        dict(job.kinds),
        dict(job.data),
        store.root,
        {kind: each.each.cpus for kind, each in resources.items()},
        job.hung_s,
        job.policy.stale_s,
        few=FEW,
    )


def _tell(
    smoke: Smoke,
    conduct: Conduct,
    missing: Collection[str],
    notes: Path,
    say: Callable[[str], None],
) -> None:
    """Say of each sort that failed what it is, why it failed, and where more is said of it."""
    for key, failure in conduct.failures.items():
        to_do = f", {_counted(smoke.counts[key])} to do" if smoke.counts[key] else ""
        say(f"{smoke.names[key]}{to_do}: {failure.reason}")
        for path in _notes_of(smoke.plan.stages[key], notes):
            if path.exists():
                say(f"  {path}")
    kinds = Counter(smoke.plan.stages[key].kind for key in missing if key not in conduct.failures)
    if kinds:
        each = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        why = "the trial was cut short" if conduct.halted else "what they start from failed"
        say(f"not tried, as {why}: {each}")
    if conduct.halted:
        say(conduct.halted)
    if missing:
        say("nothing was started; mend it, and run again")


def _counted(stages: int) -> str:
    return f"{stages} stage{'' if stages == 1 else 's'}"


def _keep(stage: Stage, store: Store, notes: Path) -> None:
    """Keep what a failed sort said, and what it was, past the store that it was tried in."""
    notes.mkdir(parents=True, exist_ok=True)
    log, settings = _notes_of(stage, notes)
    store.bring_logs(stage)
    logs = [one for own in store.logs(stage) for one in (own, *store.helper_logs(own))]
    said = "".join(path.read_text("utf-8", "replace") for path in logs)
    log.write_text(said, encoding="utf-8")
    settings.write_text(json.dumps(stage_to_json(stage), indent=1) + "\n", encoding="utf-8")


def _notes_of(stage: Stage, notes: Path) -> tuple[Path, Path]:
    """The log and the settings of a sort that failed."""
    name = f"{stage.kind}-{stage.key[:12]}"
    return notes / f"{name}.log", notes / f"{name}.json"


def _clear(notes: Path) -> None:
    """Remove what was kept of sorts that failed an earlier time."""
    for path in notes.glob("*"):
        if path.name != PASSED:
            path.unlink(missing_ok=True)
