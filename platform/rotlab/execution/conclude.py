"""How a run ended: what is said, told and returned."""

import shlex
import time
from collections.abc import Callable, Iterable

from ray.tune import TuneError

from rotlab.execution.conduct import Conduct, Listener
from rotlab.execution.failures import store_option
from rotlab.execution.job import Job
from rotlab.execution.missing import describe_missing, describe_undecided
from rotlab.execution.record import Record
from rotlab.execution.study import SavedStudy
from rotnet.errors import UserError

DONE, INCOMPLETE, INTERRUPTED = 0, 1, 130


def conclude(job: Job, conduct: Conduct, listener: Listener, say: Callable[[str], None]) -> int:
    """Say and tell how a run ended; return its exit status."""
    total = len(job.plan.stages)
    if conduct.finished_all and not job.plan.awaited:
        tell_end(listener, "FINISHED")
        say(f"done: all {total} stages are in the store")
        return DONE
    missing = conduct.missing()
    done = total - len(missing)
    if conduct.stopping:
        tell_end(listener, "KILLED")
        say(
            f"interrupted: {done} of {total} stages are in the store; "
            "the same command goes on from the last checkpoints"
        )
        return INTERRUPTED
    tell_end(listener, "FAILED" if conduct.failures else "KILLED")
    if conduct.halted:
        say(f"stopped, with {done} of {total} stages in the store: {conduct.halted}")
    if job.searches is not None:
        for key, why in job.searches.undecided().items():
            say(describe_undecided(job.plan.tunings[key], why))
    if conduct.failures or not conduct.halted:
        for text in describe_missing(job.plan, conduct.failures, missing, job.options):
            say(text)
    return INCOMPLETE


def cause_of(error: TuneError) -> Exception:
    """Return what the user can mend of an error that Tune gives as a traceback, else itself."""
    last = str(error).strip().splitlines()[-1]
    if not last.startswith("OSError:"):
        return error
    return UserError(f"the run broke off: {last}; once that is mended the same command goes on")


def results_line(job: Job) -> str:
    """Return the command that shows a study's results."""
    uri = ("--tracking-uri", job.tracking_uri) if job.tracking_uri else ()
    return shlex.join(["rotlab", "results", job.plan.name, *store_option(job.options), *uri])


def tell_start(listener: Listener, study: SavedStudy, reused: Iterable[Record]) -> None:
    """Tell that a study is being run, and what of it was there already."""
    listener.record(
        {
            "event": "study_started",
            "time": time.time(),
            "question": study.question,
            "revision": study.revision,
        }
    )
    for record in reused:
        listener.record(
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


def tell_end(listener: Listener, state: str) -> None:
    """Tell that a study is not run any more."""
    listener.record({"event": "study_ended", "time": time.time(), "state": state})
