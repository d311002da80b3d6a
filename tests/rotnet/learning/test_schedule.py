"""The learning rate of every step."""

import pytest
import torch

from rotnet.config import TrainConfig
from rotnet.learning.schedule import learning_rate, steps_in_epoch


def rates(config: TrainConfig, steps_per_epoch: int) -> list[float]:
    total = config.epochs * steps_per_epoch
    return [learning_rate(step, steps_per_epoch, config) for step in range(total)]


def test_a_step_schedule_equals_torchs() -> None:
    config = TrainConfig(epochs=9, milestones=(3, 7), lr=0.1, gamma=0.1)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    reference = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 7], 0.1)
    expected = []
    for _ in range(9):
        expected += [optimizer.param_groups[0]["lr"]] * 5
        optimizer.step()
        reference.step()
    assert rates(config, 5) == pytest.approx(expected)


def test_a_cosine_schedule_equals_torchs() -> None:
    config = TrainConfig(epochs=4, schedule="cosine", lr=0.3)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    expected = []
    for _ in range(20):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        reference.step()
    assert rates(config, 5) == pytest.approx(expected)


def test_warm_up_rises_in_equal_steps_and_never_from_nothing() -> None:
    config = TrainConfig(epochs=4, schedule="constant", lr=0.4, warmup_epochs=2.0)
    assert rates(config, 2) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4, 0.4])


def test_an_epoch_shows_every_video_or_has_a_stated_length() -> None:
    assert steps_in_epoch(TrainConfig(batch_size=32), 100) == 4
    assert steps_in_epoch(TrainConfig(batch_size=32), 3) == 1
    assert steps_in_epoch(TrainConfig(batch_size=32, steps_per_epoch=7), 100) == 7
