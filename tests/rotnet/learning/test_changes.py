"""Settings of SGD that change on a training's way: which steps they hold for, and what they do."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from rotnet.config import PretrainConfig, TrainConfig, identity
from rotnet.data.manifest import Manifest
from rotnet.learning.checkpoint import CHECKPOINT, read
from rotnet.learning.pretrain import pretrain
from rotnet.learning.schedule import in_force, learning_rate
from tests.rotnet.learning.conftest import Recorder


def training(**settings: object) -> TrainConfig:
    return TrainConfig.model_validate({"epochs": 6, "schedule": "constant", **settings})


def key(config: TrainConfig) -> dict[str, object]:
    return identity(PretrainConfig(pretrain=config))


def test_a_change_holds_from_the_epoch_that_it_comes_after_until_the_next_one() -> None:
    config = training(changes=[{"after": 2, "lr": 0.03}, {"after": 4, "momentum": 0.5}])
    assert [in_force("lr", epoch, config) for epoch in range(6)] == [0.1] * 2 + [0.03] * 4
    assert [in_force("momentum", epoch, config) for epoch in range(6)] == [0.9] * 4 + [0.5] * 2
    assert {in_force("weight_decay", epoch, config) for epoch in range(6)} == {1e-3}


def test_a_schedule_goes_on_with_the_new_rate_as_its_base() -> None:
    plain, changed = (
        training(schedule="step", milestones=(1, 3), gamma=0.5, warmup_epochs=0.5, changes=changes)
        for changes in ((), [{"after": 2, "lr": 0.3}])
    )
    for step in range(24):
        factor = 3 if step >= 8 else 1
        expected = factor * learning_rate(step, 4, plain)
        assert learning_rate(step, 4, changed) == pytest.approx(expected)


@pytest.mark.parametrize(
    "changes",
    [
        [{"after": 2, "lr": 0.1}],
        [{"after": 6, "lr": 0.5}],
        [{"after": 2, "momentum": 0.9, "weight_decay": 1e-3}],
    ],
)
def test_a_change_that_changes_nothing_is_in_no_identity(changes: list[dict[str, float]]) -> None:
    assert key(training(changes=changes)) == key(training())


def test_a_change_that_changes_something_is_in_the_identity_and_in_nothing_else() -> None:
    config = training(changes=[{"after": 2, "lr": 0.1, "momentum": 0.5}, {"after": 3, "lr": 0.1}])
    expected = key(training())
    assert isinstance(expected["pretrain"], dict)
    expected["pretrain"]["changes"] = [{"after": 2, "momentum": 0.5}]
    assert key(config) == expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([{"after": 2}], "a change gives one of lr, momentum, weight_decay"),
        ([{"after": 0, "lr": 0.1}], "greater than 0"),
        ([{"after": 3, "lr": 0.2}, {"after": 3, "lr": 0.3}], r"rising epochs, got \[3, 3\]"),
        ([{"after": 3, "batch_size": 8}], "batch_size"),
    ],
)
def test_changes_that_cannot_be_are_refused(changes: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        training(changes=changes)


def test_nesterov_needs_momentum_all_the_way() -> None:
    with pytest.raises(ValidationError, match="nesterov needs momentum above 0"):
        training(nesterov=True, changes=[{"after": 2, "momentum": 0.0}])


@pytest.mark.parametrize(
    "change",
    [{"lr": 0.2}, {"momentum": 0.1}, {"weight_decay": 0.3}],
    ids=lambda one: next(iter(one)),
)
def test_from_a_change_on_steps_are_those_of_the_new_settings(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, change: dict[str, float]
) -> None:
    """A checkpoint of the old settings, passed off as one of the new, goes on to the same end."""
    videos = pool.select("pretrain")
    old = {**small_pretrain.pretrain.model_dump(), "schedule": "constant", "warmup_epochs": 0.0}
    new = small_pretrain.model_copy(
        update={"pretrain": TrainConfig(**{**old, "epochs": 2, **change})}
    )
    both = small_pretrain.model_copy(
        update={
            "pretrain": TrainConfig(**{**old, "epochs": 2, "changes": [{"after": 1, **change}]})
        }
    )
    half = small_pretrain.model_copy(update={"pretrain": TrainConfig(**{**old, "epochs": 1})})
    folders = [tmp_path / name for name in ("whole", "by-hand", "new")]
    for folder in folders:
        folder.mkdir()
    whole, by_hand, fresh = folders
    pretrain(both, videos, whole, Recorder())
    pretrain(half, videos, by_hand, Recorder())
    state = read(by_hand / CHECKPOINT)
    state["identity"]["pretrain"] = {**state["identity"]["pretrain"], **change}
    torch.save(state, by_hand / CHECKPOINT)
    pretrain(new, videos, by_hand, Recorder())
    pretrain(new, videos, fresh, Recorder())
    weights = [read(folder / "network.pt")["weights"] for folder in folders]
    assert all(torch.equal(weights[1][name], one) for name, one in weights[0].items())
    assert any(not torch.equal(weights[2][name], one) for name, one in weights[0].items())
