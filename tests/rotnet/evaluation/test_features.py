"""Features of videos: what is averaged, and over what."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from rotnet.config import ClipConfig, ModelConfig, RuntimeConfig, ViewConfig
from rotnet.data.manifest import Manifest
from rotnet.errors import CheckpointError
from rotnet.evaluation.features import last_vector, stage_vectors, video_features
from rotnet.evaluation.inputs import network_input, scoring_loader
from rotnet.learning.watch import Stopped, StopWish, Unwatched
from rotnet.models.net import build

CLIP = ClipConfig(frames=4, stride=4, resize=24, size=20)
SEE = network_input("rgb", ViewConfig(), torch.device("cpu"))


class Impatient(Unwatched):
    def should_stop(self) -> StopWish:
        return "now"


def test_a_video_has_the_mean_of_its_clips_however_they_are_batched(actions: Manifest) -> None:
    videos = actions.select("test", 1)
    loader = scoring_loader(videos, CLIP, "rgb", RuntimeConfig())

    def brightness(clips: Tensor) -> Mapping[str, Tensor]:
        return {"mean": clips.mean(dim=(2, 3, 4))}

    found = [
        video_features(brightness, loader, SEE, clips=3, batch_size=size, watch=Unwatched())["mean"]
        for size in (1, 7)
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    assert found[0].shape == (len(videos), 3)
    assert found[0].dtype == np.float32
    clips = torch.cat([SEE(batch) for batch in loader.scoring(clips=3, batch_size=3)])
    by_video = clips.mean(dim=(2, 3, 4)).reshape(len(videos), 3, 3).mean(1)
    np.testing.assert_allclose(found[0], by_video, atol=1e-5)


def test_every_stage_is_pooled_to_the_grids_that_its_maps_can_fill() -> None:
    model = build(ModelConfig(width=2), 4, seed=0)
    clips = torch.randn(2, 3, 4, 20, 20)
    with torch.no_grad():
        found = stage_vectors(model, (1, 2))(clips)
        maps = model.maps(clips)
        last = last_vector(model)(clips)["features"]
    sides = {stage: maps[stage].shape[-1] for stage in model.stages}
    assert sides["layer4"] == 1
    assert set(found) == {*model.stages, *(f"{s}_pool2" for s, side in sides.items() if side > 1)}
    torch.testing.assert_close(found["layer4"], last)
    stem = maps["stem"].mean(2)
    assert sides["stem"] == 5  # cells of an odd side share the row and column in the middle
    torch.testing.assert_close(
        found["stem_pool2"].reshape(2, 2, 2, 2)[:, :, 0, 1], stem[:, :, :3, 2:].mean(dim=(2, 3))
    )


def test_what_is_not_finite_or_not_wanted_any_more_ends_it(actions: Manifest) -> None:
    loader = scoring_loader(actions.select("test", 1), CLIP, "rgb", RuntimeConfig())

    def broken(clips: Tensor) -> Mapping[str, Tensor]:
        return {"layer1": torch.full((len(clips), 2), torch.inf)}

    with pytest.raises(CheckpointError, match=r"features \(layer1\) that are not finite"):
        video_features(broken, loader, SEE, clips=1, batch_size=4, watch=Unwatched())
    with pytest.raises(Stopped, match="after batch 1"):
        video_features(broken, loader, SEE, clips=1, batch_size=4, watch=Impatient())
