"""Three ways to put an angle, and how far answers are off on the circle."""

import pytest
import torch

from rotnet.config import PretextConfig
from rotnet.pretexts.targets import Scalar, SineCosine, Softmax, circular_distance


def test_the_distance_goes_the_short_way_round() -> None:
    one, other = torch.tensor([359.0, 0.0, 90.0, 10.0]), torch.tensor([1.0, 180.0, 90.0, 350.0])
    assert circular_distance(one, other).tolist() == [2, 180, 0, 20]


def test_a_smoothed_target_is_a_bell_that_closes_at_0_degrees() -> None:
    target = Softmax(PretextConfig(rotations=360, smoothing=3.0))
    certain = torch.full((360, 360), -30.0) + 60 * torch.eye(360)
    # Being off by 2 degrees costs less than by 20, and as much across 0 as anywhere else.
    losses = [target.loss(certain[[k % 360]], torch.tensor([0])).item() for k in (0, 2, 20, -2)]
    assert losses[0] < losses[1] < losses[2]
    assert losses[1] == pytest.approx(losses[3], rel=1e-4)


def test_without_smoothing_the_loss_is_the_cross_entropy() -> None:
    outputs, targets = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 0])
    expected = torch.nn.functional.cross_entropy(outputs, targets)
    torch.testing.assert_close(Softmax(PretextConfig()).loss(outputs, targets), expected)


def test_cosine_and_sine_say_an_angle_without_a_seam() -> None:
    target = SineCosine(PretextConfig(rotations=360, target="sincos"))
    radians = torch.deg2rad(torch.tensor([0.4, 359.6, 120.0, 240.0]))
    outputs = 3 * torch.stack([torch.cos(radians), torch.sin(radians)], dim=1)
    assert target.predict(outputs).tolist() == [0, 0, 120, 240]
    error = target.measure(outputs, torch.tensor([0, 0, 120, 60]))["circular_error"]
    torch.testing.assert_close(error, torch.tensor([0.4, 0.4, 0.0, 180.0]), atol=1e-3, rtol=0)
    right = torch.stack([torch.cos(radians), torch.sin(radians)], dim=1)[2:]
    assert target.loss(right, torch.tensor([120, 240])) == pytest.approx(0, abs=1e-6)


def test_the_scalar_is_a_share_of_a_turn() -> None:
    target = Scalar(PretextConfig(rotations=4, target="scalar"))
    outputs = torch.logit(torch.tensor([[0.26], [0.74], [0.97]]))
    assert target.predict(outputs).tolist() == [1, 3, 0]
    error = target.measure(outputs, torch.tensor([1, 3, 0]))["circular_error"]
    torch.testing.assert_close(error, torch.tensor([3.6, 3.6, 10.8]), atol=1e-3, rtol=0)
    assert target.loss(outputs[:1], torch.tensor([1])) == pytest.approx(0.01**2, rel=1e-3)


def test_each_target_learns_its_angles_from_their_own_outputs() -> None:
    """Gradient descent on the outputs alone comes to the true angles."""
    for name, made in (("softmax", Softmax), ("sincos", SineCosine), ("scalar", Scalar)):
        target = made(PretextConfig.model_validate({"rotations": 8, "target": name}))
        truth = torch.arange(8)
        outputs = torch.zeros(8, target.num_outputs, requires_grad=True)
        descent = torch.optim.Adam([outputs], lr=0.1)
        for _ in range(300):
            descent.zero_grad()
            target.loss(outputs, truth).backward()
            descent.step()
        assert target.predict(outputs).tolist() == truth.tolist(), name
