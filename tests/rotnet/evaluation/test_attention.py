"""What attention maps show, where the truth is known by construction."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d

from rotnet.cli import main
from rotnet.config import ClipConfig, ModelConfig, PretextConfig, PretrainConfig
from rotnet.data.manifest import Manifest
from rotnet.errors import UserError
from rotnet.evaluation.attention import attention, attention_to, slice_of
from rotnet.evaluation.opened import open_network, random_like
from rotnet.evaluation.turning import turning_of
from rotnet.learning.checkpoint import Network, save_network
from rotnet.models.net import VideoNet, build
from rotnet.pictures.attention import attended

CLIP = ClipConfig(frames=8, stride=2, resize=24, size=20)
MODEL = ModelConfig(width=2, hidden=4)


class Pooling(VideoNet):
    """Turns with its input: squares of pixels are averaged, in time as well."""

    stages = ("pooled",)

    def maps(self, clips: Tensor) -> dict[str, Tensor]:
        return {"pooled": avg_pool3d(clips, (2, 4, 4))}


def saved(
    folder: Path, modality: str = "rgb", clip: ClipConfig = CLIP, rotations: object = 4
) -> Path:
    """Save a network with random weights, as a pretraining leaves it."""
    pretext = PretextConfig.model_validate({"rotations": rotations})
    config = PretrainConfig.model_validate(
        {"modality": modality, "clip": clip, "model": MODEL, "pretext": pretext}
    )
    folder.mkdir()
    weights = build(MODEL, len(pretext.angles), seed=1).state_dict()
    plain = config.model_dump(mode="json")
    names = tuple(map(str, pretext.angles))
    save_network(Network("pretrain", plain, names, "", None, weights), folder)
    return folder


def test_a_network_that_turns_with_its_input_has_maps_that_turn() -> None:
    clip = torch.rand(3, 6, 16, 16, generator=torch.Generator().manual_seed(0))
    many = torch.stack([torch.rot90(clip, turns, (2, 3)) for turns in range(12)])
    heat = attention_to(Pooling(), many, "pooled")
    assert heat.shape == (12, 6, 16, 16)
    for turns in range(12):
        torch.testing.assert_close(heat[turns], torch.rot90(heat[0], turns, (1, 2)))


def test_the_only_active_place_is_the_only_bright_one() -> None:
    maps = torch.zeros(1, 5, 2, 4, 4)
    maps[0, 3, 1, 0, 3] = 7.0
    heat = attention(maps, (6, 16))[0]
    assert heat.shape == (6, 16, 16)
    assert (heat[:3] == 0).all()  # the first half of time is the other slice's
    brightest = int(heat[4].argmax())
    assert (brightest // 16 < 4, brightest % 16 >= 12) == (True, True)
    assert heat[4].max() == 1.0
    assert (heat[4, 8:, :8] == 0).all()


def test_every_map_spans_0_to_1_and_one_that_is_constant_is_0() -> None:
    maps = torch.randn(3, 4, 2, 3, 3, generator=torch.Generator().manual_seed(0)) * 1e-3 + 50
    maps[1] = 4.25
    heat = attention(maps, (4, 3))
    assert torch.isfinite(heat).all()
    assert (heat[1] == 0).all()
    torch.testing.assert_close(heat.amin((1, 2, 3)), torch.zeros(3))
    torch.testing.assert_close(heat.amax((1, 2, 3)), torch.tensor([1.0, 0.0, 1.0]))


@pytest.mark.parametrize(("frames", "slices"), [(16, 4), (16, 1), (8, 3), (3, 8), (7, 7)])
def test_slices_follow_one_another_and_the_middle_frame_is_in_the_middle_one(
    frames: int, slices: int
) -> None:
    found = [slice_of(frame, frames, slices) for frame in range(frames)]
    assert found == sorted(found)
    assert (found[0], found[-1] < slices) == (0, True)
    assert len(set(found)) == min(frames, slices)
    if frames % slices == 0:
        assert found[frames // 2] == slices // 2


def test_a_stage_that_is_none_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"no stage 'poled'; did you mean 'pooled'\? \(pooled\)"):
        attention_to(Pooling(), torch.zeros(1, 3, 4, 8, 8), "poled")


def test_a_random_network_has_the_statistics_of_what_it_is_shown(tmp_path: Path) -> None:
    opened = open_network(saved(tmp_path / "net"))
    shown = [torch.rand(1, 3, 8, 20, 20) * scale for scale in (1.0, 9.0)]
    random = random_like(opened, shown, seed=5)
    assert random.name == "random"
    moved = random.model.get_buffer("layer4.0.bn1.running_var")
    assert not torch.equal(moved, opened.model.get_buffer("layer4.0.bn1.running_var"))
    assert not random.model.training
    again = random_like(opened, shown, seed=5)
    assert torch.equal(moved, again.model.get_buffer("layer4.0.bn1.running_var"))


def test_pictures_and_films_of_networks_side_by_side(tmp_path: Path, actions: Manifest) -> None:
    rgb, dif = saved(tmp_path / "rgb"), saved(tmp_path / "dif", "dif")
    words = ["attention", str(rgb), str(dif), "--random", "--stage", "layer3", "--count", "2"]
    out = tmp_path / "out"
    assert main([*words, "--data", str(actions.folder), "--out", str(out)]) == 0
    names = sorted(path.name for path in out.iterdir())
    assert [name.rsplit(".", 1)[1] for name in names] == ["mp4", "png"] * 2
    with av.open(str(out / names[0])) as film:
        assert sum(1 for _ in film.decode(video=0)) == CLIP.frames


@pytest.mark.parametrize("rotations", [2, 4, 8, {"angles": [0, 30, 200]}, {"angles": [90, 0]}])
def test_a_clip_is_shown_in_each_rotation_of_the_networks_set(
    tmp_path: Path, actions: Manifest, rotations: object
) -> None:
    net = open_network(saved(tmp_path / "net", rotations=rotations))
    angles = PretextConfig.model_validate({"rotations": rotations}).angles
    videos = replace(actions.select("pretrain"), videos=actions.select("pretrain").videos[:1])
    found = attended([net], videos, "layer3", turning_of([net]))
    shape = (len(angles), CLIP.frames, CLIP.size, CLIP.size)
    assert found.frames.shape == (*shape, 3)
    assert found.heat["net"].shape == shape
    (alone,) = attended([net], videos, "layer3", turning_of([net], angles[1:2])).heat.values()
    if turning_of([net]).path == "exact":  # else the dither is another
        np.testing.assert_allclose(alone[0], found.heat["net"][1], atol=1e-5)


def test_files_are_shown_like_prepared_videos(tmp_path: Path, actions: Manifest) -> None:
    net, out = saved(tmp_path / "net"), tmp_path / "out"
    file = actions.folder.parent / "videos" / actions.videos[3].path
    assert main(["attention", str(net), "--videos", str(file), "--out", str(out)]) == 0
    assert {path.suffix for path in out.iterdir()} == {".png", ".mp4"}


def test_networks_that_see_other_clips_or_lack_the_stage_are_refused(
    tmp_path: Path, actions: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    one = saved(tmp_path / "one")
    other = saved(tmp_path / "other", clip=ClipConfig(frames=4, stride=2, resize=24, size=20))
    there = ["--data", str(actions.folder), "--out", str(tmp_path / "out")]
    for words, message in (
        ([str(one), str(other)], "one and other see other clips"),
        ([str(one), "--stage", "layer9"], "one has no stage 'layer9'; did you mean"),
        ([str(one), str(one)], "every network must be given once"),
        ([str(one), "--count", "0"], "--count must be at least 1, got 0"),
        ([str(one), "--split", "7"], "no split 7; its splits are 1, 2, 3"),
        ([str(one), "--angles", "0", "45"], "--angles 45: one has learnt on path exact"),
    ):
        assert main(["attention", *words, *there]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
