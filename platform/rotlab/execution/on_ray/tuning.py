"""Ray Tune at work: the stages of a run as its trials."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import ray
from ray import tune
from ray.tune import TuneError
from rich.console import Console

from rotlab.execution.conduct.conduct import Conduct
from rotlab.execution.conduct.display import Display
from rotlab.execution.conduct.interrupt import Interrupt
from rotlab.execution.on_ray.cluster import Cluster
from rotlab.execution.on_ray.conclude import cause_of
from rotlab.execution.on_ray.searcher import (
    SparesFirst,
    StageSearcher,
    StopWhenIdle,
    TrialListener,
    request,
)
from rotlab.execution.on_ray.stage_log import was_hung
from rotlab.execution.on_ray.trial import Shared, run_trial
from rotlab.execution.stage.perform import Work
from rotlab.store.store import Store


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where trials run, and by whom they are watched.

    Args:
        cluster: that they run on.
        interrupt: aimed at their run.
        stop_file: whose presence is the wish that they stop.
        progress: where to show how it goes.
        verbose: let Tune and the workers talk.
    """

    cluster: Cluster
    interrupt: Interrupt
    stop_file: Path
    progress: Console
    verbose: bool


def run_trials(
    conduct: Conduct, work: Work, look: Callable[[], None], around: Surroundings
) -> None:
    """Run stages until none can start any more, or the run was stopped and none is at work.

    Args:
        conduct: says what starts, and hears how it ends.
        work: the stages.
        look: called now and then.
        around: where they run.

    Raises:
        UserError: if Tune broke off for a reason that its user can mend.
    """
    try:
        with Display(conduct.snapshot, around.progress), _hushed(verbose=around.verbose):
            _tuner(conduct, work, look, around).fit()
    except KeyboardInterrupt:
        conduct.stopping = True
    except TuneError as error:
        raise cause_of(error) from error
    finally:
        around.interrupt.disarm()
        conduct.abandon()


def _tuner(
    conduct: Conduct, work: Work, look: Callable[[], None], around: Surroundings
) -> tune.Tuner:
    store, verbose = Store(work.store), around.verbose
    shared = Shared(ray.put(work))
    trainable = tune.with_parameters(
        run_trial, shared=shared, stop_file=around.stop_file, verbose=verbose
    )

    def hung(key: str, attempt: str) -> bool:
        return was_hung(store.log_path(conduct.plan.stages[key], attempt))

    return tune.Tuner(
        tune.with_resources(trainable, request),
        tune_config=tune.TuneConfig(
            search_alg=StageSearcher(conduct),
            scheduler=SparesFirst(conduct, has_joined=around.cluster.may_grow),
            num_samples=-1,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=mkdtemp(dir=around.cluster.scratch),
            verbose=1 if verbose else 0,
            callbacks=[TrialListener(conduct, hung)],
            stop=StopWhenIdle(conduct, look),
            failure_config=tune.FailureConfig(max_failures=0),
        ),
    )


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
