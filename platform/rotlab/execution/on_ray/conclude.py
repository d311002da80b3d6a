"""How a run ended: what is said, told and returned."""

import shlex
from collections.abc import Callable

from ray.tune import TuneError

from rotlab.execution.conduct.conduct import Conduct
from rotlab.execution.conduct.failures import store_option
from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.listener import Listener
from rotlab.execution.conduct.missing import describe_missing, describe_undecided
from rotlab.execution.conduct.telling import tell_end
from rotnet.errors import UserError

DONE, INCOMPLETE, INTERRUPTED = 0, 1, 130


def conclude(job: Job, conduct: Conduct, listener: Listener, say: Callable[[str], None]) -> int:
    """Say and tell how a run ended; return its exit status."""
    over = job.searches.over() if job.searches is not None else frozenset()
    missing = [key for key in conduct.missing() if key not in over]
    failures = {key: one for key, one in conduct.failures.items() if key not in over}
    total = len(job.to_do.stages) - (len(conduct.missing()) - len(missing))
    is_decided = job.only is not None or job.plan.is_decided
    if not missing and is_decided:
        rest = _missing_beside(job)
        tell_end(listener, "KILLED" if rest or not job.plan.is_decided else "FINISHED")
        say(f"done: all {total} stages are in the store")
        _say_proposals(job, say)
        if rest:
            say(f"{rest} other stages of {job.plan.name} are missing; `rotlab run` makes them")
        elif not job.plan.is_decided:
            deciders = "looks" if job.plan.families else "searches"
            say(f"`rotlab run` goes on with the {deciders} of {job.plan.name}")
        return DONE
    done = total - len(missing)
    if conduct.stopping:
        tell_end(listener, "KILLED")
        say(
            f"interrupted: {done} of {total} stages are in the store; "
            "the same command goes on from the last checkpoints"
        )
        return INTERRUPTED
    tell_end(listener, "FAILED" if failures else "KILLED")
    if conduct.halted:
        say(f"stopped, with {done} of {total} stages in the store: {conduct.halted}")
    if job.searches is not None:
        for key, why in job.searches.undecided().items():
            say(describe_undecided(job.plan, key, why))
    if failures or not conduct.halted:
        for text in describe_missing(job.to_do, failures, missing, job.options):
            say(text)
    _say_proposals(job, say)
    return INCOMPLETE


def _say_proposals(job: Job, say: Callable[[str], None]) -> None:
    """Say what came of proposals that did not get to their end."""
    pruned = 0 if job.searches is None else job.searches.num_pruned
    if pruned:
        noun = "proposal was" if pruned == 1 else "proposals were"
        say(f"{pruned} {noun} stopped before the end, by search.pruner")
    failed = 0 if job.searches is None else job.searches.num_failed
    if failed:
        status = shlex.join(["rotlab", "status", job.plan.name, *store_option(job.options)])
        noun = "proposal" if failed == 1 else "proposals"
        say(f"{failed} {noun} failed, which ended searches have passed over: {status}")


def _missing_beside(job: Job) -> int:
    """How many stages of the plan, beside those to be done, are not."""
    others = [one for key, one in job.plan.stages.items() if key not in job.to_do.stages]
    return len(others) - len(job.store.records(others))


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
