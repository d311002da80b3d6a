"""Shares of a batch: all of it, once, in whole parts or even pieces of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotnet.config import TrainConfig
from rotnet.learning.division import Division, refusal, sizes


@st.composite
def trainings(draw: st.DrawFn) -> TrainConfig:
    parts, clips = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    return TrainConfig(epochs=1, batch_size=parts * clips, accumulate=parts)


@given(trainings())
def test_processes_take_every_clip_once_and_every_part_once(training: TrainConfig) -> None:
    batch, parts = training.batch_size, training.accumulate
    for count in sizes(training):
        shares = [Division(batch, parts, count, rank) for rank in range(count)]
        assert [row for one in shares for row in one.rows] == list(range(batch))
        of_part = batch // parts
        for one in shares:
            assert one.before == one.rows.start // of_part
            assert one.before + one.own_parts + one.after == parts
            assert one.sharers * len(one.rows) == one.own_parts * of_part


@given(trainings(), st.integers(2, 40), st.booleans())
def test_who_is_refused_is_told_what_would_do(
    training: TrainConfig, count: int, gpus: bool
) -> None:
    why = refusal("pretrain", training, count, gpus=gpus)
    shares_a_part = count in sizes(training) and training.accumulate % count != 0
    assert (why is None) == (count in sizes(training) and (gpus or not shares_a_part))
    if why is not None:
        assert f"{count} processes" in why
        assert "take" in why or "set" in why


def test_one_process_takes_any_training() -> None:
    assert refusal("pretrain", TrainConfig(batch_size=7), 1, gpus=False) is None


@pytest.mark.parametrize(
    ("batch", "parts", "found"),
    [(16, 4, (1, 2, 4, 8, 16)), (16, 1, (1, 2, 4, 8, 16)), (6, 3, (1, 3, 6))],
)
def test_parts_are_divided_whole_or_shared_evenly(
    batch: int, parts: int, found: tuple[int, ...]
) -> None:
    assert sizes(TrainConfig(epochs=1, batch_size=batch, accumulate=parts)) == found
