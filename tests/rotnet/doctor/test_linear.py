import torch

from rotnet.doctor.linear import Logistic


def sample(seed: int, tell: float) -> tuple[torch.Tensor, torch.Tensor]:
    """One of 20 features moves with the class by `tell` standard deviations; one never varies."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (2000,), generator=generator)
    features = torch.randn(2000, 20, generator=generator)
    features[:, 3] += tell * labels
    features[:, 7] = 5.0
    return features * 100, labels


def accuracy(tell: float) -> float:
    train, labels = sample(0, tell)
    test, answers = sample(1, tell)
    return float((Logistic(train, labels, 4).predict(test) == answers).float().mean())


def test_it_finds_what_a_feature_tells() -> None:
    assert accuracy(10.0) > 0.97


def test_it_tells_nothing_of_features_that_tell_nothing() -> None:
    assert abs(accuracy(0.0) - 0.25) < 0.04


def test_equal_samples_give_equal_answers() -> None:
    train, labels = sample(0, 1.0)
    one, other = (Logistic(train, labels, 4).predict(train) for _ in range(2))
    assert torch.equal(one, other)
