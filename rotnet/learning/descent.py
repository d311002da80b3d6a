"""Steps of gradient descent: views of a batch, forward, backward, and the optimiser's move."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rotnet.config import TrainConfig
from rotnet.data.loader import Batch
from rotnet.learning.compiling import compiled
from rotnet.learning.device import autocast
from rotnet.learning.meter import Meter
from rotnet.learning.schedule import in_force, learning_rate
from rotnet.learning.together import Together
from rotnet.pretexts.pretext import Objective


@dataclass(frozen=True)
class Task:
    """What is learnt.

    Args:
        model: on its device.
        batches: batches from a step on, counted from 0, without end.
        prepare: the network input (N, 3, T, H, W) and targets (N,) of a batch on the model's
            device, those of a clip side by side.
        validate: metrics of the model on held-out videos, called after each epoch; None without
            any.
        objective: how outputs are held against targets.
    """

    model: nn.Module
    batches: Callable[[int], Iterator[Batch]]
    prepare: Callable[[Batch], tuple[Tensor, Tensor]]
    validate: Callable[[], dict[str, float]] | None
    objective: Objective


@dataclass(frozen=True)
class Taken:
    """What a step showed.

    Args:
        loss: the mean, of the whole batch.
        norm: of its gradient.
        correct: how many of its targets were told.
        seen: how many there were.
        predicted: what this process said of its targets.
        targets: those.
    """

    loss: Tensor
    norm: Tensor
    correct: Tensor
    seen: int
    predicted: Tensor
    targets: Tensor


class Descent:
    """A model, its optimiser, and how a step is taken; nothing in it waits for the device.

    Args:
        task: model and targets.
        config: optimiser, schedule, and how it is computed.
        steps_per_epoch: for the schedule.
        meter: hears of the parts of a step.
        together: what is computed with other processes; None where this one has the whole batch.
    """

    def __init__(
        self,
        task: Task,
        config: TrainConfig,
        steps_per_epoch: int,
        meter: Meter,
        together: Together | None = None,
    ) -> None:
        self._task, self._config, self._steps_per_epoch = task, config, steps_per_epoch
        self._meter, self._together = meter, together
        self._parts = config.accumulate if together is None else together.division.own_parts
        self._processes = 1 if together is None else together.division.processes
        self.device = next(task.model.parameters()).device
        self._forward: Callable[[Tensor], Tensor] = task.model
        if config.compile:
            self._forward = compiled(task.model, self.device)
        self.optimizer = torch.optim.SGD(
            task.model.parameters(),
            lr=config.lr,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            nesterov=config.nesterov,
            fused=True,
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=config.precision == "fp16")

    def restore(self, optimizer: dict[str, object], scaler: dict[str, object]) -> None:
        """Go on from saved states; how the optimiser computes is not theirs to say."""
        own = [group["fused"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(optimizer)
        for group, fused in zip(self.optimizer.param_groups, own, strict=True):
            group["fused"] = fused
        self.scaler.load_state_dict(scaler)

    def step(self, number: int, batch: Batch) -> Taken:
        """Take a step, counted from 0, on a batch that lies on the device.

        The batch is gone through in `accumulate` parts of whole clips, or in those of them that are
        this process's, and the gradient is that of the mean loss over all of it.
        """
        epoch = number // self._steps_per_epoch
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(number, self._steps_per_epoch, self._config)
            group["momentum"] = in_force("momentum", epoch, self._config)
            group["weight_decay"] = in_force("weight_decay", epoch, self._config)
        self._meter.enter("views")
        views, targets = self._task.prepare(batch)
        self._task.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        if self._together is not None:
            self._together.begin()
        each = len(targets) // self._parts
        losses, predicted = [], []
        for some, wanted in zip(views.split(each), targets.split(each), strict=True):
            loss, said = self._go_through(some, wanted, self._parts * self._processes)
            losses.append(loss)
            predicted.append(said)
        self._meter.enter("optimiser")
        loss, said = _sum(losses), torch.cat(predicted)
        correct = (said == targets).sum()
        if self._together is not None:
            loss, correct = self._together.end(loss, correct)
        self.scaler.unscale_(self.optimizer)
        norm = _gradient_norm(self._task.model, self._config.clip_gradient)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return Taken(loss, norm, correct, len(targets) * self._processes, said, targets)

    def _go_through(self, views: Tensor, targets: Tensor, shares: int) -> tuple[Tensor, Tensor]:
        """Add a part's share to the gradient; return its share of the loss, and what was said."""
        objective = self._task.objective
        self._meter.enter("forward")
        with autocast(self._config, views.device):
            outputs = self._forward(views)
        loss = objective.loss(outputs.float(), targets)
        if shares > 1:
            loss = loss / shares
        self._meter.enter("backward")
        self.scaler.scale(loss).backward()
        return loss.detach(), objective.predict(outputs.detach().float())


def _sum(losses: list[Tensor]) -> Tensor:
    return losses[0] if len(losses) == 1 else torch.stack(losses).sum()


def _gradient_norm(model: nn.Module, most: float | None) -> Tensor:
    """Return the norm of the whole gradient, which is cut to `most` if that is given."""
    if most is not None:
        return nn.utils.clip_grad_norm_(model.parameters(), most)
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    return nn.utils.get_total_norm(gradients)
