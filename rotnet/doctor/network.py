"""A small convolutional network on single frames: the probe that sees pictures."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

EPOCHS, BATCH, LR = 3, 64, 5e-3
WIDTHS = (12, 24, 48)
GRID = 4  # what a place in the picture shows is told apart in so many rows and columns


class Convolutional:
    """A classifier of pictures: three convolutions, then a grid of averages. Adam, one cycle.

    Args:
        pictures: (N, C, F, H, H) float16, to learn from; the answer is the mean over frames.
        labels: (N,) int64 in [0, K).
        num_classes: K.
        seed: of weights and order.
        device: where it learns.
    """

    def __init__(
        self, pictures: Tensor, labels: Tensor, num_classes: int, *, seed: int, device: torch.device
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._net = _network(pictures.shape[1], num_classes).to(device)
        self._device = device
        generator = torch.Generator().manual_seed(seed)
        per_epoch = len(labels) // BATCH
        rule = torch.optim.AdamW(self._net.parameters(), lr=LR, weight_decay=1e-4)
        rates = torch.optim.lr_scheduler.OneCycleLR(rule, LR, total_steps=EPOCHS * per_epoch)
        self._net.train()
        for _ in range(EPOCHS):
            order = torch.randperm(len(labels), generator=generator)
            for rows in order[: per_epoch * BATCH].split(BATCH):
                loss = cross_entropy(self._answers(pictures[rows]), labels[rows].to(device))
                rule.zero_grad()
                loss.backward()
                rule.step()
                rates.step()

    def predict(self, pictures: Tensor) -> Tensor:
        """Return the most likely class (N,) of pictures (N, C, F, H, H)."""
        self._net.eval()
        with torch.no_grad():
            parts = [self._answers(part).argmax(dim=1).cpu() for part in pictures.split(8 * BATCH)]
        return torch.cat(parts)

    def _answers(self, pictures: Tensor) -> Tensor:
        frames = pictures.to(self._device).float().transpose(1, 2)
        return self._net(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]).mean(dim=1)


def _network(channels: int, num_classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index, width in enumerate(WIDTHS):
        # Zeros around the picture show the network where its border is.
        layers += [
            nn.Conv2d(channels, width, 3, stride=1 if index == 0 else 2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        channels = width
    layers += [nn.AdaptiveAvgPool2d(GRID), nn.Flatten(), nn.Linear(channels * GRID**2, num_classes)]
    return nn.Sequential(*layers)
