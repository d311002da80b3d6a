"""The one training loop: it steps, reports, saves, and goes on where it was left."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rotnet.config import TrainConfig
from rotnet.learning.carrier import Carrier
from rotnet.learning.checkpoint import CHECKPOINT
from rotnet.learning.company import Company
from rotnet.learning.descent import Descent, Task
from rotnet.learning.device import computing
from rotnet.learning.meter import Meter, Unmetered
from rotnet.learning.saver import Saver, State
from rotnet.learning.tally import Health, Tally
from rotnet.learning.together import Together
from rotnet.learning.watch import Stopped, StopWish, Watch

REPORT_EVERY = 50
_WISHES: tuple[StopWish, ...] = ("no", "at_checkpoint", "now")


def train(
    task: Task,
    config: TrainConfig,
    *,
    steps_per_epoch: int,
    identity: Mapping[str, Any],
    folder: Path,
    checkpoint_s: float,
    watch: Watch,
    meter: Meter | None = None,
    together: Together | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[dict[str, float]]:
    """Train a network to the end, from the folder's checkpoint if it holds one.

    On a CPU with the same number of threads, an interrupted training ends bit-equal to an
    undisturbed one, and so does one that goes on from the end of a shorter one
    (`rotnet.learning.length`). Of several processes that compute it together, the leader alone
    watches, reads and writes; all end at the same step, in the same state.

    Args:
        task: model, batches and targets.
        config: length, optimiser, schedule.
        steps_per_epoch: steps of an epoch.
        identity: what the training is made of; a checkpoint of other work is refused, unless that
            is the beginning of this.
        folder: gets checkpoint.pt.
        checkpoint_s: seconds between checkpoints; one is also written at the end and when asked to
            stop. They are written while the training goes on (`rotnet.learning.saver`).
        watch: is told of metrics and of whole checkpoints, and may stop the training.
        meter: hears of the parts of each step; None is nobody.
        together: what is computed with other processes; None where this one is alone.
        clock: seconds, for the interval.

    Returns:
        One row of metrics for each report: step, loss, accuracy, lr, and after each epoch those of
        `validate`.

    Raises:
        CheckpointError: if the folder's checkpoint belongs to other work.
        Stopped: if the watch wished so.
        FloatingPointError: if the loss is no longer finite; at the next report or checkpoint, and
            nothing of it is saved.
        OSError: if a checkpoint cannot be written; at a step after it was begun, or at the end.
    """
    meter = meter or Unmetered()
    company = Company() if together is None else together.company
    descent = Descent(task, config, steps_per_epoch, meter, together)
    device = descent.device
    carrier = Carrier(device)
    total = config.epochs * steps_per_epoch
    path = folder / CHECKPOINT
    with (
        computing(config, device),
        Saver(path, dict(identity), task.model, descent, watch.saved) as saver,
    ):
        state = saver.load(company) or State(0, Tally.empty(device), Health.good(device))
        last_saved = clock()
        batches = task.batches(state.step)
        while state.step < total:
            meter.enter("load")
            batch = next(batches)
            meter.enter("transfer")
            taken = descent.step(state.step, carrier.bring(batch))
            meter.enter("idle")
            state.step += 1
            state.tally.add(taken.loss, taken.correct, taken.seen)
            state.health.look(state.step, taken.loss, taken.norm)
            ends_epoch = state.step % steps_per_epoch == 0
            if ends_epoch or state.tally.steps == REPORT_EVERY:
                state.health.check(config, steps_per_epoch)
                metrics = _close(task, state, descent, validate=ends_epoch)
                if company.leads:
                    watch.report(state.step, metrics)
            saver.look()
            wish = _WISHES[company.heed_number(lambda: _WISHES.index(watch.should_stop()))]
            if wish == "now":
                raise Stopped(f"stopped after step {state.step} of {total}")
            is_last = state.step == total
            is_due = is_last or clock() - last_saved >= checkpoint_s or wish == "at_checkpoint"
            if is_due and company.leads:
                state.health.check(config, steps_per_epoch)
                saver.save(state)
                last_saved = clock()
                if is_last or wish == "at_checkpoint":
                    saver.finish()
            if wish == "at_checkpoint" and not is_last:
                raise Stopped(f"stopped at the checkpoint of step {state.step} of {total}")
    return state.history


def _close(task: Task, state: State, descent: Descent, *, validate: bool) -> dict[str, float]:
    """Close the tally, and return what it and held-out videos tell."""
    metrics = {**state.tally.metrics(), "lr": descent.optimizer.param_groups[0]["lr"]}
    if validate and task.validate is not None:
        task.model.eval()
        metrics.update(task.validate())
    state.history.append({"step": state.step, **metrics})
    state.tally = Tally.empty(descent.device)
    return metrics
