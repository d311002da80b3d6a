"""Steps: the parts of a batch add up to it, and nothing waits for the device."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from rotnet.config import ModelConfig, PretrainConfig, TrainConfig
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.manifest import Manifest
from rotnet.learning.descent import Descent, Task
from rotnet.learning.lessons import pretext_lesson
from rotnet.learning.meter import Unmetered
from rotnet.models.net import build
from rotnet.pretexts.objective import CrossEntropy
from rotnet.pretexts.pretext import make_pretext

TRAIN = TrainConfig(epochs=1, batch_size=8, lr=0.1, schedule="constant")


class Heard(Unmetered):
    """A meter that writes down what it hears."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def enter(self, part: str) -> None:
        self.parts.append(part)


def flat(config: TrainConfig, *, normalised: bool) -> tuple[Descent, nn.Module, Heard]:
    """A network without rotations to turn: batches are their own input."""
    torch.manual_seed(0)
    layers = [nn.Conv3d(3, 4, 3), *([nn.BatchNorm3d(4)] if normalised else [])]
    net = nn.Sequential(*layers, nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 4))
    heard = Heard()

    def none(_first: int) -> Iterator[Batch]:
        return iter(())

    task = Task(net, none, lambda batch: (batch.clips, batch.labels), None, CrossEntropy())
    return Descent(task, config, 1, heard), net, heard


def some_batch() -> Batch:
    chance = torch.Generator().manual_seed(0)
    clips = torch.randn(8, 3, 4, 6, 6, generator=chance)
    return Batch(clips, torch.arange(8), torch.arange(8) % 4, torch.zeros(8, 4).bool(), 0)


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_without_batch_statistics_the_parts_of_a_batch_add_up_to_its_step(parts: int) -> None:
    whole, net, _ = flat(TRAIN, normalised=False)
    divided, other, _ = flat(TRAIN.model_copy(update={"accumulate": parts}), normalised=False)
    first, second = whole.step(0, some_batch()), divided.step(0, some_batch())
    torch.testing.assert_close(second.loss, first.loss)
    torch.testing.assert_close(second.norm, first.norm)
    assert torch.equal(second.predicted, first.predicted)
    for one, another in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(another, one)


def test_batch_statistics_are_those_of_a_part_so_that_the_step_is_another() -> None:
    whole, _, _ = flat(TRAIN, normalised=True)
    divided, net, _ = flat(TRAIN.model_copy(update={"accumulate": 2}), normalised=True)
    assert whole.step(0, some_batch()).loss != divided.step(0, some_batch()).loss
    counted = dict(net.named_buffers())["1.num_batches_tracked"]
    assert counted == 2


def test_a_part_holds_whole_clips_in_all_of_their_rotations(
    pool: Manifest, small_pretrain: PretrainConfig
) -> None:
    config = small_pretrain
    training = config.pretrain.model_copy(update={"accumulate": 2})
    net = build(ModelConfig(width=2, hidden=8), 4, seed=0)
    shown: list[int] = []
    net.register_forward_pre_hook(lambda _net, given: shown.append(len(given[0])))
    wanted: list[list[int]] = []

    class Listening(CrossEntropy):
        def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
            wanted.append(targets.tolist())
            return super().loss(outputs, targets)

    pretext = make_pretext(config)
    loader = ClipLoader(pool.select("pretrain"), pretext.read, "rgb")
    task = Task(
        net,
        lambda first: loader.training(batch_size=4, seed=0, flip=0.0, first=first),
        lambda batch: pretext_lesson(config, pretext, batch),
        None,
        Listening(),
    )
    Descent(task, training, 10, Unmetered()).step(0, next(task.batches(0)))
    assert shown == [8, 8]
    assert wanted == [[0, 1, 2, 3] * 2] * 2


def test_a_step_tells_of_its_parts_in_order() -> None:
    descent, _, heard = flat(TRAIN.model_copy(update={"accumulate": 2}), normalised=False)
    descent.step(0, some_batch())
    assert heard.parts == ["views", "forward", "backward", "forward", "backward", "optimiser"]


class NoWait(TorchDispatchMode):
    """Refuses what makes a program wait for a device: to read a value, or to count what is true."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        assert name not in ("_local_scalar_dense", "nonzero", "is_nonzero"), f"waits by {name}"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("modality", ["rgb", "dif"])
@pytest.mark.parametrize("clip_gradient", [None, 1.0])
def test_no_step_reads_a_value_from_the_device(
    pool: Manifest, small_pretrain: PretrainConfig, modality: str, clip_gradient: float | None
) -> None:
    config = small_pretrain.model_copy(update={"modality": modality})
    training = config.pretrain.model_copy(update={"clip_gradient": clip_gradient})
    pretext = make_pretext(config)
    net = build(config.model, 4, seed=0)
    loader = ClipLoader(pool.select("pretrain"), pretext.read, config.modality)
    batch = next(loader.training(batch_size=4, seed=0, flip=0.5, first=0))
    views, targets = pretext_lesson(config, pretext, batch)
    task = Task(net, lambda _: iter(()), lambda _: (views, targets), None, pretext)
    descent = Descent(task, training, 10, Unmetered())
    with NoWait():  # type: ignore[no-untyped-call]
        taken = descent.step(0, batch)
        assert taken.loss.ndim == 0


def test_the_guard_against_waiting_sees_a_wait() -> None:
    guard = NoWait()  # type: ignore[no-untyped-call]
    with guard, pytest.raises(AssertionError, match="_local_scalar_dense"):
        torch.ones(()).item()


def test_saved_states_do_not_say_how_an_optimiser_computes() -> None:
    descent, _, _ = flat(TRAIN, normalised=False)
    descent.step(0, some_batch())
    state = descent.optimizer.state_dict()
    for group in state["param_groups"]:
        group["fused"] = not descent.optimizer.param_groups[0]["fused"]
    other, _, _ = flat(replace_lr(TRAIN), normalised=False)
    before = [group["fused"] for group in other.optimizer.param_groups]
    other.restore(state, descent.scaler.state_dict())
    assert [group["fused"] for group in other.optimizer.param_groups] == before
    assert len(other.optimizer.state) == len(descent.optimizer.state)


def replace_lr(config: TrainConfig) -> TrainConfig:
    return config.model_copy(update={"lr": 0.01})
