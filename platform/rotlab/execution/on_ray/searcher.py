"""Between Ray Tune and a run: Tune asks what to start and when to leave, and tells the rest."""

import re
from collections import abc
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from rotlab.execution.conduct.assignment import Assignment
from rotlab.execution.conduct.conduct import Conduct
from rotlab.execution.conduct.failures import Failure, death, hung_stage, outside, telling
from rotlab.execution.conduct.message import from_result
from rotlab.execution.on_ray.leaving import (
    can_withdraw,
    controller_of,
    is_starting,
    keep_one,
    withdraw,
)

_REASON_CHARS = 300
_SOME = 0.001  # of a node's one unit, by which Ray finds the node: many may take as much
_ERROR = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Warning)\b")  # a traceback's last line
Hung = abc.Callable[[str, str], bool]
Called = abc.Callable[[], None]


class _NotPickled:
    """Tune pickles what it is given for a restart that never comes; locks and threads stay here."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class StageSearcher(_NotPickled, Searcher):
    """Hands out stages as they become ready. Keeps no state: a run goes on from the store."""

    def __init__(self, conduct: Conduct) -> None:
        super().__init__()
        self._conduct = conduct

    def suggest(  # type: ignore[override]  # Tune's annotation leaves out its own FINISHED
        self,
        trial_id: str,  # noqa: ARG002  (stages have keys of their own)
    ) -> dict[str, Any] | str | None:
        """Return a stage with what it asks for, None where it must wait, or FINISHED."""
        proposed = self._conduct.propose()
        if proposed is None:
            return None
        if proposed == "FINISHED":
            return Searcher.FINISHED
        resources = proposed.resources
        return {
            **_words(proposed),
            "cpus": resources.cpus,
            "gpus": resources.gpus or 0.0,
            "processes": resources.processes,
            "model": resources.model,
            "then": [_words(one) for one in proposed.then],
        }

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Ignore it: `TrialListener` is told more."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Save nothing."""


def _words(assignment: Assignment) -> dict[str, Any]:
    return {
        "stage": assignment.key,
        "attempt": assignment.attempt,
        "stale": assignment.stale,
        "grown": assignment.grown.json() if assignment.grown else None,
        "sign": assignment.sign,
    }


def _attempts(trial: Trial) -> list[tuple[str, str]]:
    """The stages that a trial is to do, with its attempts at them, in their order."""
    return [(one["stage"], one["attempt"]) for one in (trial.config, *trial.config["then"])]


class SparesFirst(_NotPickled, FIFOScheduler):
    """Gives a worker that comes free to a stage that waits for one, in the order of their release.

    Tune's own order would give it to the stage that was released first: one whose own worker is
    just being started, and would be ended for it.

    Args:
        conduct: the run.
        has_joined: its cluster is one that others may share and that may grow: when there will be
            room is known to Ray alone, which is asked whose worker is being started.
    """

    def __init__(self, conduct: Conduct, *, has_joined: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._conduct, self._has_joined = conduct, has_joined
        self._waiting: dict[str, Trial] = {}
        self._gave_way = False

    def on_trial_add(
        self,
        tune_controller: object,  # noqa: ARG002
        trial: Trial,
    ) -> None:
        """Take note of a trial."""
        self._waiting[trial.trial_id] = trial

    def choose_trial_to_run(
        self,
        tune_controller: object,
    ) -> Trial | None:
        """Return the trial that the next free worker is for, None where each has its own."""
        controller = controller_of(tune_controller) if self._has_joined else None
        if controller is not None:
            self._give_way(controller)
        for name, trial in tuple(self._waiting.items()):
            if trial.status != Trial.PENDING:
                del self._waiting[name]
            elif controller is not None and is_starting(controller, trial):
                continue
            elif self._conduct.is_spare(trial.config["stage"], trial.config["attempt"]):
                return trial
        return None

    def _give_way(self, controller: Any) -> None:  # noqa: ANN401  (Tune's own)
        """While others lack room, let go of idle workers and of trials that wait beyond the limit.

        The latest go first; their stages are ready again.
        """
        gives_way = self._conduct.limit is not None
        if not (gives_way or self._gave_way):
            return
        self._gave_way = gives_way
        keep_one(controller, keeps=not self._conduct.is_over)
        for name, trial in reversed(tuple(self._waiting.items())):
            own = trial.config
            if can_withdraw(controller, trial) and self._conduct.withdraws(
                own["stage"], own["attempt"]
            ):
                del self._waiting[name]
                withdraw(controller, trial)


class TrialListener(_NotPickled, Callback):
    """Passes on what Tune hears of trials.

    Args:
        conduct: hears of it.
        was_hung: says whether an attempt at a stage, by its log, was ended because it hung.
    """

    def __init__(self, conduct: Conduct, was_hung: Hung) -> None:
        self._conduct = conduct
        self._was_hung = was_hung

    def on_trial_start(
        self,
        iteration: int,  # noqa: ARG002
        trials: list[Trial],  # noqa: ARG002
        trial: Trial,
        **info: object,  # noqa: ARG002
    ) -> None:
        """A worker took a stage."""
        self._conduct.began(trial.config["stage"], trial.config["attempt"])

    def on_trial_result(
        self,
        iteration: int,  # noqa: ARG002
        trials: list[Trial],  # noqa: ARG002
        trial: Trial,
        result: dict[str, Any],
        **info: object,  # noqa: ARG002
    ) -> None:
        """A worker reported."""
        told = from_result(result)
        if told is not None:
            attempt, message = told
            key = next(key for key, one in _attempts(trial) if one == attempt)
            self._conduct.heard(key, attempt, message)

    def on_trial_complete(
        self,
        iteration: int,  # noqa: ARG002
        trials: list[Trial],  # noqa: ARG002
        trial: Trial,
        **info: object,  # noqa: ARG002
    ) -> None:
        """A trial is over; a stage of which it never told how did not end."""
        failure = Failure("worker", "the worker ended without a result")
        for key, attempt in _attempts(trial):
            self._conduct.died(key, attempt, failure)

    def on_trial_error(
        self,
        iteration: int,  # noqa: ARG002
        trials: list[Trial],  # noqa: ARG002
        trial: Trial,
        **info: object,  # noqa: ARG002
    ) -> None:
        """A worker is gone, or raised what was reported before."""
        for key, attempt in _attempts(trial):
            failure = hung_stage(key) if self._was_hung(key, attempt) else _failure(trial)
            self._conduct.died(key, attempt, failure)


class StopWhenIdle(_NotPickled, Stopper):
    """Ends the run once it was asked to stop, or has halted, and no stage is at work.

    Args:
        conduct: the run.
        look: called whenever Tune asks.
    """

    def __init__(self, conduct: Conduct, look: Called) -> None:
        self._conduct = conduct
        self._look = look

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002
        """Stop no trial by itself."""
        return False

    def stop_all(self) -> bool:
        """Say whether all is to end now."""
        self._look()
        return bool(self._conduct.stopping or self._conduct.halted) and self._conduct.idle


def request(config: dict[str, Any]) -> tune.PlacementGroupFactory:
    """Return what a trial of this configuration occupies: a bundle for each of its processes.

    They lie on as few machines as there is room on.
    """
    processes = config["processes"]
    bundle = {"CPU": float(config["cpus"]) / processes}
    if config["gpus"]:
        bundle["GPU"] = float(config["gpus"]) / processes
        if config["model"]:
            bundle[f"accelerator_type:{config['model']}"] = _SOME
    return tune.PlacementGroupFactory([bundle] * processes)


def _failure(trial: Trial) -> Failure:
    """Ray's account in one line: of several, the one that names the cause.

    An error that the stage never told of came before or after it, in the worker's own code.
    """
    if trial.error_file is None:
        return Failure("worker", "the worker process died")
    lines = Path(trial.error_file).read_text(encoding="utf-8").splitlines()
    cause = telling(lines)
    if cause is not None:
        return death(f"the worker process died: {cause[:_REASON_CHARS]}")
    said = [text.strip() for text in lines if text.strip()]
    if said and _ERROR.match(said[-1]):
        return outside(said[-1][:_REASON_CHARS])
    return Failure("worker", "the worker process died: no reason given")
