"""The one training loop: it steps, reports, saves, and goes on where it was left."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rotnet.config import TrainConfig
from rotnet.data.loader import Batch
from rotnet.errors import CheckpointError
from rotnet.learning.checkpoint import CHECKPOINT, read, write
from rotnet.learning.device import autocast
from rotnet.learning.length import is_beginning
from rotnet.learning.schedule import learning_rate
from rotnet.learning.watch import Stopped, Watch
from rotnet.pretexts.pretext import Objective

REPORT_EVERY = 50


@dataclass(frozen=True)
class Task:
    """What is learnt.

    Args:
        model: on its device.
        batches: batches from a step on, counted from 0, without end.
        prepare: a batch's network input (N, 3, T, H, W) and targets (N,), on the model's device.
        validate: metrics of the model on held-out videos, called after each epoch; None without
            any.
        objective: how outputs are held against targets.
    """

    model: nn.Module
    batches: Callable[[int], Iterator[Batch]]
    prepare: Callable[[Batch], tuple[Tensor, Tensor]]
    validate: Callable[[], dict[str, float]] | None
    objective: Objective


@dataclass
class _Tally:
    """Sums since the last report; tensors, so that no step waits for the device."""

    loss: Tensor
    correct: Tensor
    seen: int = 0
    steps: int = 0

    @classmethod
    def empty(cls, device: torch.device) -> "_Tally":
        return cls(torch.zeros((), device=device), torch.zeros((), device=device))

    def add(self, loss: Tensor, predicted: Tensor, targets: Tensor) -> None:
        self.loss += loss.detach()
        self.correct += (predicted == targets).sum()
        self.seen += len(targets)
        self.steps += 1

    def metrics(self) -> dict[str, float]:
        return {"loss": self.loss.item() / self.steps, "accuracy": self.correct.item() / self.seen}


@dataclass
class _Health:
    """Whether losses are numbers; tensors too, and no part of a checkpoint.

    Args:
        bad_since: the first step whose loss was none; infinity before.
        norm: of the gradient, at the last step whose norm was finite.
    """

    bad_since: Tensor
    norm: Tensor

    @classmethod
    def good(cls, device: torch.device) -> "_Health":
        return cls(torch.full((), torch.inf, device=device), torch.zeros((), device=device))

    def look(self, step: int, loss: Tensor, norm: Tensor) -> None:
        bad = torch.where(torch.isfinite(loss.detach()), torch.inf, float(step))
        self.bad_since = torch.minimum(self.bad_since, bad)
        self.norm = torch.where(torch.isfinite(norm), norm, self.norm)

    def check(self, config: TrainConfig, steps_per_epoch: int) -> None:
        """Raise FloatingPointError if a loss was no number."""
        if not torch.isfinite(self.bad_since):
            return
        step = int(self.bad_since)
        lr = learning_rate(step - 1, steps_per_epoch, config)
        raise FloatingPointError(
            f"the loss is no number since step {step}, with learning rate {lr:g} and a gradient "
            f"whose norm was last {self.norm.item():.3g}; lower lr, lengthen warmup_epochs, or set "
            "clip_gradient"
        )


@dataclass
class _State:
    """Where training is: what a checkpoint holds beside model and optimiser."""

    step: int
    tally: _Tally
    health: _Health
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    task: Task,
    config: TrainConfig,
    *,
    steps_per_epoch: int,
    identity: Mapping[str, Any],
    folder: Path,
    checkpoint_s: float,
    watch: Watch,
    clock: Callable[[], float] = time.monotonic,
) -> list[dict[str, float]]:
    """Train a network to the end, from the folder's checkpoint if it holds one.

    On a CPU with the same number of threads, an interrupted training ends bit-equal to an
    undisturbed one, and so does one that goes on from the end of a shorter one
    (`rotnet.learning.length`).

    Args:
        task: model, batches and targets.
        config: length, optimiser, schedule.
        steps_per_epoch: steps of an epoch.
        identity: what the training is made of; a checkpoint of other work is refused, unless that
            is the beginning of this.
        folder: gets checkpoint.pt.
        checkpoint_s: seconds between checkpoints; one is also written at the end and when asked to
            stop.
        watch: is told of metrics and checkpoints, and may stop the training.
        clock: seconds, for the interval.

    Returns:
        One row of metrics for each report: step, loss, accuracy, lr, and after each epoch those of
        `validate`.

    Raises:
        CheckpointError: if the folder's checkpoint belongs to other work.
        Stopped: if the watch wished so.
        FloatingPointError: if the loss is no longer finite; at the next report or checkpoint, and
            nothing of it is saved.
    """
    device = next(task.model.parameters()).device
    optimizer = torch.optim.SGD(
        task.model.parameters(),
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=config.nesterov,
    )
    scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "fp16")
    saver = _Saver(folder / CHECKPOINT, dict(identity), task.model, optimizer, scaler)
    state = saver.load(device) or _State(0, _Tally.empty(device), _Health.good(device))
    total = config.epochs * steps_per_epoch
    last_saved = clock()
    batches = task.batches(state.step)
    while state.step < total:
        _step(task, next(batches), config, optimizer, scaler, state, steps_per_epoch)
        ends_epoch = state.step % steps_per_epoch == 0
        if ends_epoch or state.tally.steps == REPORT_EVERY:
            state.health.check(config, steps_per_epoch)
            _report(task, state, optimizer, watch, validate=ends_epoch)
        wish = watch.should_stop()
        if wish == "now":
            raise Stopped(f"stopped after step {state.step} of {total}")
        if state.step == total or clock() - last_saved >= checkpoint_s or wish == "at_checkpoint":
            state.health.check(config, steps_per_epoch)
            saver.save(state)
            watch.saved(state.step, saver.path)
            last_saved = clock()
            if wish == "at_checkpoint" and state.step < total:
                raise Stopped(f"stopped at the checkpoint of step {state.step} of {total}")
    return state.history


def _step(
    task: Task,
    batch: Batch,
    config: TrainConfig,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    state: _State,
    steps_per_epoch: int,
) -> None:
    """Take one step of gradient descent."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(state.step, steps_per_epoch, config)
    clips, targets = task.prepare(batch)
    task.model.train()
    with autocast(config, clips.device):
        outputs = task.model(clips)
    loss = task.objective.loss(outputs.float(), targets)
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    norm = _gradient_norm(task.model, config.clip_gradient)
    scaler.step(optimizer)
    scaler.update()
    state.tally.add(loss, task.objective.predict(outputs.detach().float()), targets)
    state.step += 1
    state.health.look(state.step, loss, norm)


def _gradient_norm(model: nn.Module, most: float | None) -> Tensor:
    """Return the norm of the whole gradient, which is cut to `most` if that is given."""
    if most is not None:
        return nn.utils.clip_grad_norm_(model.parameters(), most)
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    return nn.utils.get_total_norm(gradients)


def _report(
    task: Task, state: _State, optimizer: torch.optim.Optimizer, watch: Watch, *, validate: bool
) -> None:
    """Close the tally and tell the watch."""
    metrics = {**state.tally.metrics(), "lr": optimizer.param_groups[0]["lr"]}
    if validate and task.validate is not None:
        task.model.eval()
        metrics.update(task.validate())
    state.history.append({"step": state.step, **metrics})
    state.tally = _Tally.empty(state.tally.loss.device)
    watch.report(state.step, metrics)


@dataclass(frozen=True)
class _Saver:
    """Writes and reads the checkpoint of one training."""

    path: Path
    identity: dict[str, Any]
    model: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler

    def save(self, state: _State) -> None:
        write(
            self.path,
            {
                "identity": self.identity,
                "step": state.step,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "rng": torch.get_rng_state(),
                "device_rng": _device_generator(self.model),
                "history": state.history,
                "tally": vars(state.tally),
            },
        )

    def load(self, device: torch.device) -> _State | None:
        """Return the saved state and put it in force, or None if nothing was saved."""
        if not self.path.exists():
            return None
        found = read(self.path, ("identity", "step", "model", "optimizer"))
        if not is_beginning(found["identity"], self.identity):
            changed = sorted(
                name
                for name in {*found["identity"], *self.identity}
                if found["identity"].get(name) != self.identity.get(name)
            )
            raise CheckpointError(
                f"{self.path}: belongs to other work; it differs in {', '.join(changed)}. "
                "Use another folder, or delete this one"
            )
        self.model.load_state_dict(found["model"])
        self.optimizer.load_state_dict(found["optimizer"])
        self.scaler.load_state_dict(found["scaler"])
        torch.set_rng_state(found["rng"])
        if found.get("device_rng") is not None:
            torch.cuda.set_rng_state(found["device_rng"], device)
        tally = _Tally(**found["tally"])
        tally.loss, tally.correct = tally.loss.to(device), tally.correct.to(device)
        return _State(found["step"], tally, _Health.good(device), found["history"])


def _device_generator(model: nn.Module) -> Tensor | None:
    """Return the state of the CUDA device's generator, from which dropout draws there."""
    device = next(model.parameters()).device
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else None
