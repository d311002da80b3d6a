"""The picture of a few videos is the network's attention to them; no chance chooses them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rotnet.config import ClipConfig, Modality, ModelConfig, PretrainConfig, RuntimeConfig
from rotnet.data.manifest import Manifest
from rotnet.evaluation.attention import attention
from rotnet.evaluation.opened import Opened, open_network
from rotnet.learning.checkpoint import Network, save_network
from rotnet.models.net import build
from rotnet.pictures.colours import overlaid
from rotnet.pictures.few import few_of, strip_of
from rotnet.pictures.strip import LARGEST, place_of

MODEL = ModelConfig(width=2, hidden=4)


def opened(
    folder: Path, modality: Modality = "rgb", size: int = 20, model: ModelConfig = MODEL
) -> Opened:
    clip = ClipConfig(frames=8, stride=2, resize=size + 4, size=size)
    config = PretrainConfig(modality=modality, clip=clip, model=model)
    weights = build(model, 4, seed=1).state_dict()
    folder.mkdir()
    plain = config.model_dump(mode="json")
    save_network(Network("pretrain", plain, ("0", "90", "180", "270"), "", None, weights), folder)
    return open_network(folder)


def test_videos_are_evenly_spread_by_path_in_whatever_order_they_come(actions: Manifest) -> None:
    test = actions.select("test", 1)
    chosen = few_of(test, 3)
    assert few_of(replace(test, videos=test.videos[::-1]), 3) == chosen
    paths = sorted(video.path for video in test.videos)
    n = len(paths)
    assert [video.path for video in chosen.videos] == [
        paths[n // 6],
        paths[n // 2],
        paths[5 * n // 6],
    ]
    assert len({video.label for video in chosen.videos}) == 3
    assert (chosen.role, chosen.split, chosen.fingerprint) == ("test", 1, test.fingerprint)
    assert len(few_of(test, 1000)) == n


@pytest.mark.parametrize("modality", ["rgb", "dif"])
def test_the_picture_is_the_attention_of_this_network_to_these_clips(
    tmp_path: Path, actions: Manifest, modality: Modality
) -> None:
    network, videos = opened(tmp_path / "net", modality), few_of(actions.select("test", 1), 3)
    strip = strip_of(network, videos, batch_size=2)
    loader = network.loader(videos, RuntimeConfig(workers=0))
    batch = next(loader.scoring(clips=1, batch_size=3))
    with torch.inference_mode():
        heat = attention(network.model.maps(network.see(batch))["layer2"], (8, 20)).numpy()[:, 4]
    shown = batch.clips[:, 4].numpy()
    np.testing.assert_array_equal(strip.pictures["clip"], shown)
    expected = overlaid(shown, heat).astype(int)
    assert np.abs(strip.pictures["network"] - expected).max() <= 2  # batches of another size
    assert strip.places["network"] == tuple(map(place_of, heat))
    assert (strip.stage, strip.frame, strip.frames, strip.modality) == ("layer2", 5, 8, modality)
    assert strip.videos == tuple(video.path for video in videos.videos)


def test_beside_it_stands_one_random_network_whatever_the_network_has_learnt(
    tmp_path: Path, actions: Manifest
) -> None:
    network, videos = opened(tmp_path / "net"), few_of(actions.select("test", 1), 2)
    first = strip_of(network, videos, batch_size=8)
    with torch.no_grad():
        for weight in network.model.parameters():
            weight.mul_(-1.5)
    state = torch.random.get_rng_state()
    second = strip_of(network, videos, batch_size=8)
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(first.pictures["random"], second.pictures["random"])
    assert (first.pictures["network"] != second.pictures["network"]).any()
    assert "random" not in strip_of(network, videos, batch_size=8, beside=False).pictures


def test_large_clips_are_reduced(tmp_path: Path, actions: Manifest) -> None:
    network = opened(tmp_path / "net", size=LARGEST + 32)
    strip = strip_of(network, few_of(actions.select("test", 1), 1), batch_size=8)
    assert strip.pictures["network"].shape == (1, LARGEST, LARGEST, 3)


def test_one_clip_is_enough_and_a_net_without_layer2_is_seen_at_its_second_stage(
    tmp_path: Path, actions: Manifest
) -> None:
    network = opened(tmp_path / "net", size=32, model=ModelConfig(backbone="c3d", hidden=4))
    strip = strip_of(network, few_of(actions.select("test", 1), 1), batch_size=1)
    assert strip.stage == network.model.stages[1]
    assert set(strip.pictures) == {"clip", "network", "random"}
