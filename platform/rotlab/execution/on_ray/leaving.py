"""How Ray Tune is made to let go of workers and of trials that wait, where a run gives way.

Tune keeps one idle worker in case that another trial comes, and one more for each trial that it has
staged; a trial that is stopped before it began leaves that staged for ever. It has no option for
either, so that this reaches for the controller behind the wrapper that schedulers are given. With a
Tune that is made otherwise, runs do not give way.
"""

from typing import Any

from ray.tune.experiment import Trial

_NEEDED = (
    "_staged_trials",
    "_resetting_trials",
    "_trial_to_actor",
    "_actor_manager",
    "_actor_cache",
    "_unstage_trial_with_resources",
)


def controller_of(wrapped: Any) -> Any:  # noqa: ANN401  (Tune's own)
    """Return Tune's controller behind what schedulers are given; None where it is another."""
    controller: Any = getattr(wrapped, "_tune_controller", None)
    is_known = all(hasattr(controller, name) for name in _NEEDED)
    return controller if is_known and hasattr(controller._actor_cache, "_may_keep_one") else None


def keep_one(controller: Any, *, keeps: bool) -> None:  # noqa: ANN401
    """Have Tune keep an idle worker in case that another trial comes, or none."""
    controller._actor_cache._may_keep_one = keeps


def can_withdraw(controller: Any, trial: Trial) -> bool:  # noqa: ANN401
    """Say whether a trial waits, and no worker is being made ready for it."""
    return trial.status == Trial.PENDING and trial not in controller._resetting_trials


def is_starting(controller: Any, trial: Trial) -> bool:  # noqa: ANN401
    """Say whether a worker of its own has room, and is being started for a trial that waits."""
    actor = controller._trial_to_actor.get(trial)
    return actor is not None and bool(controller._actor_manager.is_actor_started(actor))


def withdraw(controller: Any, trial: Trial) -> None:  # noqa: ANN401
    """End a trial that waits, with what was asked of Ray for it."""
    if trial in controller._staged_trials:
        controller._unstage_trial_with_resources(trial)
    controller.stop_trial(trial)
