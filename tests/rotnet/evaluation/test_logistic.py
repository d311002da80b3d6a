"""Logistic regression: it finds the least loss, and nothing but the data decides."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from rotnet.evaluation.logistic import GRADIENT, Logistic, Scaling, fit_logistic


def accuracy(probe: Logistic, features: torch.Tensor, labels: torch.Tensor) -> float:
    return float((probe.logits(features).argmax(1) == labels).double().mean())


def test_classes_that_a_plane_parts_are_all_right_and_noise_is_at_chance() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 4
    centres = 3 * torch.eye(4, 10)
    noise = torch.randn(400, 10, generator=generator)
    apart = centres[labels] + 0.1 * noise
    fit = fit_logistic(apart[:200], labels[:200], 4, 1e-3)
    assert accuracy(fit, apart[200:], labels[200:]) == 1.0
    fit = fit_logistic(noise[:200], labels[:200], 4, 1e-3)
    assert accuracy(fit, noise[200:], labels[200:]) == pytest.approx(0.25, abs=0.1)


def test_the_fit_is_the_least_loss_wherever_it_starts() -> None:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(60, 5, generator=generator) * 7 + 3
    labels = torch.randint(0, 3, (60,), generator=generator)

    def loss(fit: Logistic) -> float:
        decay = 0.5 * 0.01 * fit.weight.square().sum()
        return float(cross_entropy(fit.logits(features), labels) + decay)

    fit = fit_logistic(features, labels, 3, 0.01)
    assert fit.gradient <= GRADIENT
    assert float(fit.bias.sum()) == pytest.approx(0, abs=1e-9)
    far = Logistic(fit.scaling, fit.weight + 1, fit.bias - 2, 1.0)
    again = fit_logistic(features, labels, 3, 0.01, far)
    torch.testing.assert_close(again.weight, fit.weight, atol=1e-3, rtol=0)
    for _ in range(20):
        moved = torch.randn(fit.weight.shape, generator=generator, dtype=torch.float64)
        other = Logistic(fit.scaling, fit.weight + 1e-2 * moved, fit.bias, 0.0)
        assert loss(other) > loss(fit)


def test_a_stronger_decay_leaves_smaller_weights_and_in_the_end_the_shares_of_the_classes() -> None:
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(40, 6, generator=generator)
    labels = torch.tensor([0] * 30 + [1] * 10)
    fits = [fit_logistic(features, labels, 2, l2) for l2 in (1e-3, 1e-1, 1e6)]
    sizes = [float(fit.weight.norm()) for fit in fits]
    assert sizes == sorted(sizes, reverse=True)
    shares = fits[-1].logits(features).softmax(1)
    torch.testing.assert_close(shares[:, 0], torch.full((40,), 0.75).double(), atol=1e-3, rtol=0)


def test_units_of_the_features_do_not_matter_and_constant_ones_say_nothing() -> None:
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(40, 6, generator=generator).double()
    labels = torch.randint(0, 3, (40,), generator=generator)
    fit = fit_logistic(features, labels, 3, 0.1)
    units = torch.tensor([1e-3, 1, 1e3, 5, 7, 0.1]).double()
    constant = torch.full((40, 1), 0.3).double()
    other = torch.cat([features * units - 4, constant], dim=1)
    torch.testing.assert_close(
        fit_logistic(other, labels, 3, 0.1).logits(other), fit.logits(features), atol=1e-4, rtol=0
    )
    scaled = Scaling.of(other)(other)
    torch.testing.assert_close(scaled[:, -1], torch.zeros(40).double())
    torch.testing.assert_close(scaled[:, :-1].square().mean(0), torch.ones(6).double())
