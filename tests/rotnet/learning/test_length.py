"""Which trainings are the beginning of longer ones, and that going on from them changes nothing."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rotnet.config import FinetuneConfig, PretrainConfig, TrainConfig, TuneConfig, identity
from rotnet.data.manifest import Manifest
from rotnet.errors import CheckpointError
from rotnet.learning.checkpoint import CHECKPOINT, read
from rotnet.learning.finetune import finetune
from rotnet.learning.length import beginning, is_beginning, undivided
from rotnet.learning.pretrain import pretrain
from rotnet.learning.schedule import in_force, learning_rate
from tests.rotnet.learning.conftest import Recorder


def work(**training: object) -> dict[str, Any]:
    return identity(PretrainConfig(pretrain=TrainConfig.model_validate(training)))


@st.composite
def trainings(draw: st.DrawFn) -> TrainConfig:
    schedule = draw(st.sampled_from(["constant", "step", "cosine"]))
    milestones = draw(st.sets(st.integers(1, 6), max_size=2)) if schedule == "step" else ()
    return TrainConfig.model_validate(
        {
            "epochs": draw(st.integers(2, 6)),
            "schedule": schedule,
            "milestones": sorted(milestones),
            "gamma": draw(st.sampled_from([0.1, 0.5])),
            "warmup_epochs": draw(st.sampled_from([0.0, 1.5])),
            "changes": draw(changes()),
        }
    )


@st.composite
def changes(draw: st.DrawFn) -> list[dict[str, float]]:
    """At most two; what they are by chance already is among their values."""
    values = st.fixed_dictionaries(
        {}, optional={"lr": st.sampled_from([0.1, 0.03]), "momentum": st.sampled_from([0.9, 0.5])}
    ).filter(bool)
    after = sorted(draw(st.sets(st.integers(1, 6), max_size=2)))
    return [{"after": one, **draw(values)} for one in after]


def identity_of(training: TrainConfig) -> dict[str, Any]:
    return identity(PretrainConfig(pretrain=training))


def rates(training: TrainConfig, epochs: int) -> list[tuple[float, float]]:
    """Learning rate and momentum of every step."""
    return [
        (learning_rate(step, 4, training), in_force("momentum", step // 4, training))
        for step in range(4 * epochs)
    ]


@given(trainings(), trainings())
def test_the_beginning_of_a_training_has_its_rates(one: TrainConfig, other: TrainConfig) -> None:
    """And nothing else is: where rates are equal up to the end, and not by a cosine, it is one."""
    begins = is_beginning(identity_of(one), identity_of(other))
    is_whole = "cosine" in (one.schedule, other.schedule)
    if begins:
        assert one.epochs <= other.epochs
        assert rates(one, one.epochs) == rates(other, one.epochs)
    elif one.epochs <= other.epochs and not is_whole:
        assert rates(one, one.epochs) != rates(other, one.epochs)


@given(trainings(), trainings(), trainings())
def test_the_beginning_of_a_beginning_is_one(
    one: TrainConfig, two: TrainConfig, three: TrainConfig
) -> None:
    a, b, c = (identity_of(each) for each in (one, two, three))
    assert is_beginning(a, a)
    if is_beginning(a, b) and is_beginning(b, c):
        assert is_beginning(a, c)
    if is_beginning(a, b) and is_beginning(b, a):
        assert one.epochs == two.epochs
    if is_beginning(a, b):
        first, second = (beginning(PretrainConfig(pretrain=each), 1) for each in (one, two))
        assert first == second


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ({"schedule": "constant"}, {"schedule": "constant"}),
        ({"schedule": "constant"}, {"milestones": (60,)}),
        ({"milestones": (20,)}, {"milestones": (20,)}),
        ({"milestones": (20,)}, {"milestones": (20, 50, 90)}),
        ({"milestones": (60,)}, {"milestones": (70,), "gamma": 0.5}),
        ({"warmup_epochs": 5.0}, {"warmup_epochs": 5.0}),
        ({}, {"changes": [{"after": 50, "lr": 0.02}]}),
        ({"changes": [{"after": 9, "lr": 0.2}]}, {"changes": [{"after": 9, "lr": 0.2}]}),
        ({"changes": [{"after": 60, "lr": 0.2}]}, {"changes": [{"after": 70, "lr": 0.3}]}),
        ({}, {"changes": [{"after": 9, "lr": 0.1, "momentum": 0.9}]}),
    ],
)
def test_50_epochs_begin_100_where_rates_agree_up_to_the_exit(
    shorter: dict[str, object], longer: dict[str, object]
) -> None:
    assert is_beginning(work(epochs=50, **shorter), work(epochs=100, **longer))
    assert not is_beginning(work(epochs=100, **longer), work(epochs=50, **shorter))


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ({"schedule": "cosine"}, {"schedule": "cosine"}),
        ({"schedule": "constant"}, {"schedule": "cosine"}),
        ({"schedule": "constant"}, {"milestones": (49,)}),
        ({"milestones": (20,)}, {"milestones": (20, 40)}),
        ({"milestones": (20,)}, {"milestones": (20,), "gamma": 0.5}),
        ({"warmup_epochs": 5.0}, {"warmup_epochs": 10.0}),
        ({"lr": 0.1}, {"lr": 0.2}),
        ({"momentum": 0.9}, {"momentum": 0.8}),
        ({}, {"changes": [{"after": 49, "lr": 0.02}]}),
        ({}, {"changes": [{"after": 9, "weight_decay": 0.02}]}),
        ({"changes": [{"after": 9, "lr": 0.2}]}, {"changes": [{"after": 8, "lr": 0.2}]}),
        ({}, {"nesterov": True}),
        ({}, {"clip_gradient": 1.0}),
        ({}, {"batch_size": 16}),
        ({}, {"steps_per_epoch": 7}),
        ({}, {"val_fraction": 0.1}),
        ({}, {"precision": "bf16"}),
    ],
)
def test_50_epochs_do_not_begin_100_that_differ_before_the_exit(
    shorter: dict[str, object], longer: dict[str, object]
) -> None:
    assert not is_beginning(work(epochs=50, **shorter), work(epochs=100, **longer))


def test_other_work_is_no_beginning() -> None:
    training = TrainConfig(epochs=50, schedule="constant")
    longer = training.model_copy(update={"epochs": 100})
    one = identity(PretrainConfig(pretrain=training))
    assert not is_beginning(one, identity(PretrainConfig(pretrain=longer, seed=1)))
    tuning = TuneConfig.model_validate(longer.model_dump())
    assert not is_beginning(one, identity(FinetuneConfig(finetune=tuning)))
    assert not is_beginning({}, one)


def test_only_a_cosine_is_undivided_and_says_what_is_not() -> None:
    for schedule in ("constant", "step"):
        training = TrainConfig.model_validate({"schedule": schedule})
        assert undivided(PretrainConfig(pretrain=training)) is None
    assert undivided(FinetuneConfig(finetune=TuneConfig(schedule="cosine"))) == (
        "finetune.schedule is cosine over the whole length",
        "step or constant",
    )


STEP = {
    "schedule": "step",
    "milestones": (1, 3),
    "gamma": 0.5,
    "warmup_epochs": 0.5,
    "momentum": 0.9,
    "changes": [{"after": 2, "lr": 0.03, "weight_decay": 0.01}, {"after": 3, "momentum": 0.5}],
}


def lengthened(training: TrainConfig, epochs: int, **changes: object) -> TrainConfig:
    values = {**training.model_dump(), **STEP, "epochs": epochs, **changes}
    return type(training).model_validate(values)


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(same(value, other[name]) for name, value in one.items())
        )
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(same(*pair) for pair in zip(one, other, strict=True))
        )
    return one == other


def expect_equal_ends(straight: Path, exits: Path) -> None:
    """Weights, optimiser, generators, history and tally, and what is left for others."""
    assert same(read(straight / CHECKPOINT), read(exits / CHECKPOINT))
    assert (straight / "history.json").read_text() == (exits / "history.json").read_text()
    weights = [read(out / "network.pt")["weights"] for out in (straight, exits)]
    assert same(*weights)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_pretraining_of_4_epochs_through_2_is_bit_equal_to_4(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, dropout: float
) -> None:
    model = small_pretrain.model.model_copy(update={"dropout": dropout})
    configs = {
        epochs: small_pretrain.model_copy(
            update={"pretrain": lengthened(small_pretrain.pretrain, epochs), "model": model}
        )
        for epochs in (2, 4)
    }
    straight, exits = tmp_path / "straight", tmp_path / "exits"
    for out in (straight, exits):
        out.mkdir()
    videos, heard = pool.select("pretrain"), Recorder()
    expected = pretrain(configs[4], videos, straight, Recorder())
    half = pretrain(configs[2], videos, exits, Recorder())
    assert half["steps"] < expected["steps"]
    assert pretrain(configs[4], videos, exits, heard) == expected
    assert heard.reports[0][0] > half["steps"]
    expect_equal_ends(straight, exits)


@pytest.mark.parametrize("freeze", [0, 2])
def test_a_fine_tuning_of_4_epochs_through_2_is_bit_equal_to_4(
    tmp_path: Path,
    pool: Manifest,
    actions: Manifest,
    small_pretrain: PretrainConfig,
    small_finetune: FinetuneConfig,
    freeze: int,
) -> None:
    folders = {name: tmp_path / name for name in ("pre", "straight", "exits")}
    for out in folders.values():
        out.mkdir()
    pretrain(small_pretrain, pool.select("pretrain"), folders["pre"], Recorder())
    short, whole = (
        small_finetune.model_copy(
            update={"finetune": lengthened(small_finetune.finetune, epochs, freeze=freeze)}
        )
        for epochs in (2, 4)
    )
    videos, init = actions.select("train", 1), folders["pre"]
    expected = finetune(whole, videos, init, folders["straight"], Recorder())
    finetune(short, videos, init, folders["exits"], Recorder())
    assert finetune(whole, videos, init, folders["exits"], Recorder()) == expected
    expect_equal_ends(folders["straight"], folders["exits"])


def test_a_longer_cosine_does_not_go_on_from_a_shorter_one_nor_a_shorter_from_a_longer(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig
) -> None:
    def run(epochs: int, **changes: object) -> None:
        training = lengthened(small_pretrain.pretrain, epochs, **changes)
        config = small_pretrain.model_copy(update={"pretrain": training})
        pretrain(config, pool.select("pretrain"), tmp_path, Recorder())

    cosine = {"schedule": "cosine", "milestones": (), "changes": ()}
    run(1, **cosine)
    with pytest.raises(CheckpointError, match="belongs to other work; it differs in pretrain"):
        run(2, **cosine)
    (tmp_path / CHECKPOINT).unlink()
    run(2)
    with pytest.raises(CheckpointError, match="belongs to other work"):
        run(1)


def test_a_warm_up_as_long_as_the_shorter_one_cannot_be_asked_for() -> None:
    """So a shorter one always ends on the schedule that it shares."""
    with pytest.raises(ValidationError, match="warmup_epochs must be below epochs"):
        TrainConfig(epochs=5, warmup_epochs=5.0)
