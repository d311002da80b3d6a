"""Checkpoints are written beside the training, and told of when they lie whole in their place."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rotnet.config import PretrainConfig
from rotnet.data.manifest import Manifest
from rotnet.learning import saver as module
from rotnet.learning.checkpoint import read, write
from rotnet.learning.pretrain import pretrain
from rotnet.learning.saver import copied
from rotnet.learning.watch import Stopped, Unwatched

SLOW_S = 0.05


class Reading(Unwatched):
    """A watch that reads every checkpoint it hears of, and remembers whether a write was on."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []

    def saved(self, step: int, path: Path) -> None:
        self.heard.append((step, read(path)["step"]))


def slow(path: Path, content: dict[str, Any]) -> None:
    threading.Event().wait(SLOW_S)
    write(path, content)


def test_what_is_told_of_lies_there_whole_even_where_writing_is_slow(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "write", slow)
    watch = Reading()
    pretrain(small_pretrain, pool.select("pretrain"), tmp_path, watch)
    steps = [step for step, _ in watch.heard]
    assert all(told == found for told, found in watch.heard)
    assert steps == sorted(set(steps))
    assert steps[-1] == 12


def test_a_training_goes_on_while_its_checkpoint_is_written(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write of step 1 ends only once a later step was taken."""
    stepped = threading.Event()

    def until_stepped(path: Path, content: dict[str, Any]) -> None:
        assert stepped.wait(60)
        write(path, content)

    class Stepping(Reading):
        steps = 0

        def should_stop(self) -> Any:
            self.steps += 1
            if self.steps == 2:
                assert self.heard == []
                stepped.set()
            return "no"

    monkeypatch.setattr(module, "write", until_stepped)
    watch = Stepping()
    runtime = small_pretrain.runtime.model_copy(update={"checkpoint_s": 0.0})
    config = small_pretrain.model_copy(update={"runtime": runtime})
    with pytest.MonkeyPatch.context() as patch:
        # The second checkpoint waits for the first, so let there be no second before it.
        patch.setattr(module.Saver, "save", once(module.Saver.save))
        pretrain(config, pool.select("pretrain"), tmp_path, watch)
    assert watch.heard[0] == (1, 1)


def once(save: Callable[..., None]) -> Callable[..., None]:
    """A save that does so at the first step and at the last."""

    def some(self: Any, state: Any) -> None:
        if state.step in (1, 12):
            save(self, state)

    return some


def test_what_is_written_is_the_state_of_its_step_and_not_of_a_later_one(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that was written late continues bit-equal too."""
    monkeypatch.setattr(module, "write", slow)
    videos = pool.select("pretrain")
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    expected = pretrain(small_pretrain, videos, tmp_path / "whole", Unwatched())

    class Stopping(Unwatched):
        asked = 0

        def should_stop(self) -> Any:
            self.asked += 1
            return "now" if self.asked == 5 else "no"

    with pytest.raises(Stopped):
        pretrain(small_pretrain, videos, tmp_path / "broken", Stopping())
    assert 1 <= read(tmp_path / "broken" / "checkpoint.pt")["step"] <= 5
    assert pretrain(small_pretrain, videos, tmp_path / "broken", Unwatched()) == expected


def test_a_disk_that_refuses_ends_the_training_with_the_systems_own_words(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: dict[str, Any]) -> None:  # noqa: ARG001
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(module, "write", full)
    watch = Reading()
    with pytest.raises(OSError, match="No space left"):
        pretrain(small_pretrain, pool.select("pretrain"), tmp_path, watch)
    assert watch.heard == []


def test_a_copy_shares_nothing_and_keeps_how_tensors_lie_in_memory() -> None:
    maps = torch.rand(2, 3, 4, 5, 6).contiguous(memory_format=torch.channels_last_3d)
    given: dict[str, Any] = {
        "maps": maps,
        "rows": [{"step": 1.0}],
        "pair": (maps, "text"),
        "none": None,
    }
    found = copied(given)
    before = maps.clone()
    maps.zero_()
    given["rows"].append({"step": 2.0})
    assert torch.equal(found["maps"], before)
    assert found["maps"].stride() == before.stride()
    assert torch.equal(found["pair"][0], before)
    assert found["rows"] == [{"step": 1.0}]
    assert found["none"] is None
