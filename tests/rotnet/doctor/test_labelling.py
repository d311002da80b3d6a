import pytest
import torch

from rotnet.config import PretextConfig
from rotnet.doctor.labelling import draws_of


@pytest.mark.parametrize("rotations", [2, 4, 8])
def test_a_small_set_is_asked_for_the_rotation_itself(rotations: int) -> None:
    (draw,) = draws_of(PretextConfig.model_validate({"rotations": rotations}))
    (question,) = draw.questions
    degrees = torch.tensor(draw.pretext.angles)
    assert torch.equal(question.of(degrees), torch.arange(rotations))
    assert question.chance == 1 / rotations


def test_bins_of_360_degrees_hold_equally_many() -> None:
    degrees = torch.arange(360)
    every, _ = draws_of(PretextConfig(rotations=360))
    for question in every.questions:
        counts = torch.bincount(question.of(degrees), minlength=question.num_classes)
        assert counts.tolist() == [360 // question.num_classes] * question.num_classes


def test_bins_of_360_degrees_are_centred_on_the_quarter_turns() -> None:
    quarter, lattice = draws_of(PretextConfig(rotations=360))[0].questions
    assert quarter.of(torch.tensor([315, 359, 0, 44, 45, 90, 180, 270])).tolist() == [
        0, 0, 0, 0, 1, 1, 2, 3,
    ]  # fmt: skip
    assert lattice.of(torch.tensor([353, 0, 7, 8, 22, 23, 83, 90, 187])).tolist() == [
        0, 0, 0, 1, 1, 2, 0, 0, 0,
    ]  # fmt: skip


def test_single_degrees_are_drawn_by_the_path_and_jitter_of_all_360() -> None:
    every, chosen = draws_of(PretextConfig(rotations=360))
    assert chosen.pretext.resampled
    assert chosen.pretext.max_jitter == every.pretext.max_jitter == 0.4
    assert len(chosen.pretext.angles) == chosen.questions[0].num_classes == 8


def test_a_clip_is_seen_once() -> None:
    for rotations in (2, 4, 8, 360):
        pretext = PretextConfig.model_validate({"rotations": rotations})
        assert all(draw.pretext.copies == 1 for draw in draws_of(pretext))
