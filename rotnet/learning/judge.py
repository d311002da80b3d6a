"""How a network does on held-out videos while it learns: eval mode, a centre clip of each."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rotnet.config import TrainConfig
from rotnet.data.loader import Batch, ClipLoader
from rotnet.learning.device import autocast


def judge(
    model: nn.Module,
    loader: ClipLoader,
    prepare: Callable[[Batch], tuple[Tensor, Tensor]],
    *,
    config: TrainConfig,
    batch_size: int,
    names: Sequence[str] = (),
) -> dict[str, float]:
    """Return val_loss, val_accuracy, and val_accuracy_<name> for each named label.

    Args:
        model: on its device; left in eval mode.
        loader: of the held-out videos.
        prepare: a batch's network input and targets.
        config: for the number format.
        batch_size: videos per batch.
        names: of the labels 0, 1, ..., where the accuracy of each is wanted.
    """
    model.eval()
    loss, seen = 0.0, 0
    correct: dict[int, int] = defaultdict(int)
    count: dict[int, int] = defaultdict(int)
    with torch.inference_mode():
        for batch in loader.scoring(clips=1, batch_size=batch_size):
            clips, targets = prepare(batch)
            with autocast(config, clips.device):
                logits = model(clips).float()
            loss += cross_entropy(logits, targets, reduction="sum").item()
            seen += len(targets)
            right = logits.argmax(1) == targets
            for label, is_right in zip(targets.tolist(), right.tolist(), strict=True):
                count[label] += 1
                correct[label] += is_right
    return {
        "val_loss": loss / seen,
        "val_accuracy": sum(correct.values()) / seen,
        **{
            f"val_accuracy_{name}": correct[label] / count[label]
            for label, name in enumerate(names)
            if count[label]
        },
    }
