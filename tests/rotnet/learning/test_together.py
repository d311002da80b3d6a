"""Several processes compute what one does: the same parts, the same chance, the same statistics."""

import json
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
import torch

from rotnet.config import PretrainConfig, identity
from rotnet.data.manifest import Manifest
from rotnet.errors import CheckpointError, UserError
from rotnet.learning.checkpoint import CHECKPOINT, load_network
from tests.rotnet.learning.several import Several, die, draw_more, several, train


@pytest.fixture(scope="module")
def pair() -> Iterator[Several]:
    with several(2) as found:
        yield found


@pytest.fixture(scope="module")
def single() -> Iterator[Several]:
    with several(1) as found:
        yield found


@pytest.fixture
def divided(small_pretrain: PretrainConfig) -> PretrainConfig:
    """Two parts of four clips; few steps, for rounding grows from one to the next."""
    return change(
        small_pretrain,
        "pretrain",
        batch_size=8,
        accumulate=2,
        epochs=2,
        steps_per_epoch=3,
        lr=0.01,
    )


def change(config: PretrainConfig, section: str, **values: Any) -> PretrainConfig:
    changed = {**getattr(config, section).model_dump(), **values}
    return PretrainConfig.model_validate({**config.model_dump(), section: changed})


def history(folder: Path) -> list[dict[str, float]]:
    return json.loads((folder / "history.json").read_text())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_network(folder).weights)


def assert_equal_to_rounding(folder: Path, other: Path) -> None:
    """Weights and batch statistics, and all that was reported on the way."""
    found, expected = weights(folder), weights(other)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=name)
    for row, wanted in zip(history(folder), history(other), strict=True):
        assert row == pytest.approx(wanted, rel=1e-4, abs=1e-5)


VARIANTS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "as it is": (),
    "more parts than processes": (("pretrain", {"accumulate": 4}),),
    "two of the rotations, drawn": (("pretext", {"views": 2}),),
    "resampled, with noise": (("pretext", {"path": "resampled", "jitter": 5.0}),),
    "pace": (("pretext", {"task": "pace", "paces": (1, 2)}), ("pretrain", {"val_fraction": 0.4})),
    "colours drawn": (("views", {"grey": 0.5, "chroma_shift": 1.0}),),
    "dropout": (("model", {"dropout": 0.5}), ("pretrain", {"accumulate": 4})),
    "a cut gradient": (("pretrain", {"clip_gradient": 0.1, "nesterov": True}),),
    "computed again": (("runtime", {"recompute": True}),),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_compute_what_one_does_in_parts(
    variant: str,
    single: Several,
    pair: Several,
    pool: Manifest,
    divided: PretrainConfig,
    tmp_path: Path,
) -> None:
    config = divided
    for section, values in VARIANTS[variant]:
        config = change(config, section, **values)
    videos = pool.select("pretrain")
    (alone,) = single.call(train, config, videos, tmp_path / "one")
    first, second = pair.call(train, config, videos, tmp_path / "two")
    assert first == second == pytest.approx(alone, rel=1e-4, abs=1e-5)
    assert_equal_to_rounding(tmp_path / "two", tmp_path / "one")


def test_it_is_no_setting_of_the_work_by_how_many_it_is_done(divided: PretrainConfig) -> None:
    assert "processes" not in json.dumps(identity(divided))


@pytest.mark.parametrize("by", ["one", "two"])
def test_what_two_processes_began_one_or_two_go_on_with(
    by: str,
    single: Several,
    pair: Several,
    pool: Manifest,
    divided: PretrainConfig,
    tmp_path: Path,
) -> None:
    config = change(divided, "model", dropout=0.5)
    videos = pool.select("pretrain")
    pair.call(train, config, videos, tmp_path / "whole")
    pair.call(train, config, videos, tmp_path / "stopped", 3)
    assert not (tmp_path / "stopped" / "network.pt").exists()
    if by == "one":
        single.call(train, config, videos, tmp_path / "stopped")
        assert_equal_to_rounding(tmp_path / "stopped", tmp_path / "whole")
        return
    pair.call(train, config, videos, tmp_path / "stopped")
    found, expected = weights(tmp_path / "stopped"), weights(tmp_path / "whole")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert history(tmp_path / "stopped") == history(tmp_path / "whole")


def test_after_the_death_of_one_the_training_goes_on_from_its_checkpoint(
    pair: Several, pool: Manifest, divided: PretrainConfig, tmp_path: Path
) -> None:
    config = change(divided, "runtime", checkpoint_s=0.0)
    videos = pool.select("pretrain")
    pair.call(train, config, videos, tmp_path / "whole")
    with several(2) as doomed:
        for one in doomed.begin(die, config, videos, tmp_path / "lost", 5):
            assert isinstance(_error(one), BrokenProcessPool | RuntimeError)
    assert (tmp_path / "lost" / CHECKPOINT).exists()
    pair.call(train, config, videos, tmp_path / "lost")
    found, expected = weights(tmp_path / "lost"), weights(tmp_path / "whole")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def _error(future: Future[Any]) -> BaseException | None:
    return future.exception()


def refused(pair: Several, config: PretrainConfig, pool: Manifest, folder: Path) -> str:
    """Return what both say who refuse a training."""
    said = [str(_error(one)) for one in pair.begin(train, config, pool.select("pretrain"), folder)]
    assert said[0] == said[1]
    return said[0]


def test_whole_batch_statistics_need_a_gpu(
    pair: Several, pool: Manifest, small_pretrain: PretrainConfig, tmp_path: Path
) -> None:
    assert refused(pair, small_pretrain, pool, tmp_path) == (
        "2 processes would have to share batch statistics (pretrain.accumulate 1), which torch "
        "does on GPUs only; set pretrain.accumulate to 2 (batch statistics are then those of a "
        "part: another result)"
    )


def test_what_is_compiled_drops_otherwise(
    pair: Several, pool: Manifest, divided: PretrainConfig, tmp_path: Path
) -> None:
    config = change(change(divided, "pretrain", compile=True), "model", dropout=0.5)
    assert "set compile to false, or model.dropout to 0" in refused(pair, config, pool, tmp_path)


def test_a_checkpoint_of_other_work_is_refused_by_all(
    pair: Several, pool: Manifest, divided: PretrainConfig, tmp_path: Path
) -> None:
    pair.call(train, divided, pool.select("pretrain"), tmp_path, 2)
    other = change(divided, "pretrain", lr=0.1)
    with pytest.raises(CheckpointError, match="belongs to other work"):
        pair.call(train, other, pool.select("pretrain"), tmp_path)


def test_a_network_that_draws_more_than_dropout_is_refused(
    pool: Manifest, divided: PretrainConfig, tmp_path: Path
) -> None:
    with several(2) as two, pytest.raises(UserError, match="draws by chance while it learns"):
        two.call(draw_more, divided, pool.select("pretrain"), tmp_path)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("parts", [1, 2], ids=["statistics shared", "statistics of each device"])
def test_two_gpus_compute_what_one_does(
    parts: int, pool: Manifest, divided: PretrainConfig, tmp_path: Path
) -> None:
    config = change(divided, "pretrain", accumulate=parts, deterministic=True)
    videos = pool.select("pretrain")
    with several(1, gpus=True) as single:
        single.call(train, config, videos, tmp_path / "one")
    with several(2, gpus=True) as pair:
        pair.call(train, config, videos, tmp_path / "two")
    assert_equal_to_rounding(tmp_path / "two", tmp_path / "one")
