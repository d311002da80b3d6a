"""How a network does on held-out videos while it learns: eval mode, a centre clip of each."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rotnet.config import TrainConfig
from rotnet.data.loader import Batch, ClipLoader
from rotnet.learning.company import Company
from rotnet.learning.device import autocast
from rotnet.pretexts.pretext import Objective


class Told:
    """What was said of which target when a network was last judged.

    Args:
        num: targets, K.
    """

    def __init__(self, num: int) -> None:
        self.counts: NDArray[np.int64] = np.zeros((num, num), dtype=np.int64)  # [true, said]

    def forget(self) -> None:
        """Begin anew."""
        self.counts[:] = 0

    def take(self, targets: Tensor, said: Tensor) -> None:
        """Count targets (N,), and what was said of each, (N,)."""
        np.add.at(self.counts, (targets.cpu().numpy(), said.cpu().numpy()), 1)


def judge(
    model: nn.Module,
    loader: ClipLoader,
    prepare: Callable[[Batch], tuple[Tensor, Tensor]],
    objective: Objective,
    *,
    config: TrainConfig,
    batch_size: int,
    at_once: int,
    names: Sequence[str] = (),
    told: Told | None = None,
    company: Company = Company(),  # noqa: B008  (it holds nothing)
) -> dict[str, float]:
    """Return val_loss, val_accuracy, val_accuracy_<name> for each name, and val_<further figure>.

    Several processes judge batches in turn; what they found is put together in their order.

    Args:
        model: on its device; left in eval mode.
        loader: of the held-out videos.
        prepare: a batch's network input and targets.
        objective: how outputs are held against targets.
        config: for the number format.
        batch_size: videos per batch, for which `prepare` may draw by chance.
        at_once: views that go through the model at a time, which changes nothing.
        names: of the labels 0, 1, ..., where the accuracy of each is wanted.
        told: takes what was said of which target, and forgets what it knew.
        company: of processes that call this at the same time with the same network.
    """
    model.eval()
    seen_here: list[_Judged] = []
    own = slice(company.rank, None, company.size)
    with torch.inference_mode():
        for batch in loader.scoring(clips=1, batch_size=batch_size, which=own):
            clips, targets = prepare(batch)
            with autocast(config, clips.device):
                outputs = torch.cat([model(part).float() for part in clips.split(at_once)])
            judged = _Judged(
                batch.number,
                objective.loss(outputs, targets).double() * len(targets),
                {
                    name: values.sum().double()
                    for name, values in objective.measure(outputs, targets).items()
                },
                objective.predict(outputs),
                targets,
            )
            seen_here.append(judged)
    # The device is waited for here, and not at every batch.
    found = _in_order(company.gather([one.on_cpu() for one in seen_here]))
    wanted, said = (torch.cat([getattr(one, what) for one in found]) for what in ("wanted", "said"))
    if told is not None:
        told.forget()
        told.take(wanted, said)
    labels, right = wanted.tolist(), said.eq(wanted).tolist()
    seen = len(labels)
    correct: dict[int, int] = defaultdict(int)
    count = Counter(labels)
    for label, is_right in zip(labels, right, strict=True):
        correct[label] += is_right
    return {
        "val_loss": _total([one.loss for one in found]) / seen,
        "val_accuracy": sum(correct.values()) / seen,
        **{
            f"val_accuracy_{name}": correct[label] / count[label]
            for label, name in enumerate(names)
            if count[label]
        },
        **{
            f"val_{name}": _total([one.figures[name] for one in found]) / seen
            for name in found[0].figures
        },
    }


@dataclass(frozen=True)
class _Judged:
    """What was found of one batch: sums, and what was said of each view."""

    number: int
    loss: Tensor
    figures: dict[str, Tensor]
    said: Tensor
    wanted: Tensor

    def on_cpu(self) -> "_Judged":
        return _Judged(
            self.number,
            self.loss.cpu(),
            {name: value.cpu() for name, value in self.figures.items()},
            self.said.cpu(),
            self.wanted.cpu(),
        )


def _in_order(found: Iterable[Sequence[_Judged]]) -> list[_Judged]:
    return sorted(chain.from_iterable(found), key=lambda one: one.number)


def _total(sums: Sequence[Tensor]) -> float:
    """Return the sum, added up one after another."""
    return sum(torch.stack(list(sums)).tolist())
