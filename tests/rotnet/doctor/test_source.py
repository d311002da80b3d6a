"""Sources: as many clips as asked for, learnt and judged ones apart, turned where asked."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rotnet.config import ClipConfig, PretrainConfig
from rotnet.data.catalog import FolderKind
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import encode
from rotnet.doctor.files import noise_set
from rotnet.doctor.path import training_path
from rotnet.doctor.sample import everything, gather, luma
from rotnet.doctor.source import Filmed, noise

CONFIG = PretrainConfig(clip=ClipConfig(frames=2, stride=2, resize=24, size=24))


def test_noise_to_learn_from_and_to_judge_on_differs_and_each_clip_is_a_video() -> None:
    source = noise(CONFIG, 24)
    learnt, judged = (list(source.batches(part, 70)) for part in ("train", "test"))
    assert sum(len(batch.clips) for batch in learnt) == 70
    assert torch.cat([batch.videos for batch in learnt]).tolist() == list(range(70))
    assert not torch.equal(learnt[0].clips, judged[0].clips)
    assert torch.equal(learnt[0].clips, next(iter(source.batches("train", 70))).clips)


def test_dif_is_given_one_frame_more() -> None:
    source = noise(CONFIG.model_copy(update={"modality": "dif"}), 24)
    assert next(iter(source.batches("train", 1))).clips.shape == (1, 3, 24, 24, 3)


def lit_from_above(folder: Path) -> Manifest:
    (folder / "videos").mkdir()
    for number in range(4):
        frames = np.full((8, 24, 24, 3), 40, dtype=np.uint8)
        frames[:, :12] = 200 + number
        encode(frames, folder / "videos" / f"{number}.mp4")
    storage = Storage(short_side=24, bars="keep")
    kind = FolderKind(unlabelled=True)
    return prepare(folder / "videos", folder / "set", kind, storage=storage).manifest


def test_a_secret_turn_leaves_no_up(tmp_path: Path) -> None:
    videos = lit_from_above(tmp_path).select("pretrain")
    halves = replace(videos, videos=videos.videos[:2]), replace(videos, videos=videos.videos[2:])
    lit: dict[bool, Counter[int]] = {}
    for turned in (False, True):
        source = Filmed(*halves, CONFIG, CONFIG.clip, secretly_turned=turned)
        clips = torch.cat([batch.clips for batch in source.batches("test", 200)]).float()
        sides = [clips.rot90(turn, (2, 3))[:, :, :4].mean(dim=(1, 2, 3, 4)) for turn in range(4)]
        lit[turned] = Counter(torch.stack(sides).argmax(dim=0).tolist())
    assert lit[False] == {0: 200}
    assert set(lit[True]) == {0, 1, 2, 3}
    assert max(lit[True].values()) < 75  # 50 are expected


def test_noise_through_files_keeps_its_contrast_and_is_as_large_as_is_read(
    tmp_path: Path,
) -> None:
    for reduced, storage in ((False, "raw"), (True, "raw"), (False, "jpeg"), (True, "h264")):
        manifest = noise_set(
            tmp_path / f"{reduced}{storage}",
            CONFIG.clip,
            videos=2,
            reduced=reduced,
            storage=storage,  # type: ignore[arg-type]  # mypy takes the names for any strings
            seed=0,
        )
        videos = manifest.select("pretrain")
        assert [video.frames for video in videos.videos] == [13, 13]
        assert {video.stored_height for video in videos.videos} == {36 if reduced else 24}
        source = Filmed(videos, videos, CONFIG, CONFIG.clip, secretly_turned=False)
        batch = next(iter(source.batches("train", 4)))
        assert batch.clips.shape == (4, 2, 24, 24, 3)
        assert float(batch.clips.float().std(dim=(1, 2, 3)).min()) > 1


def test_a_sample_names_how_each_view_is_turned_and_whose_it_is() -> None:
    looks = {"all": everything, "luma": luma("rgb", CONFIG.views)}
    path = training_path(CONFIG, torch.device("cpu"))
    samples = gather(path, noise(CONFIG, 24), "test", 3, looks, torch.Generator().manual_seed(0))
    assert samples["all"].pictures.shape == (12, 3, 2, 24, 24)
    assert samples["luma"].pictures.shape == (12, 1, 2, 24, 24)
    for sample in samples.values():
        assert sample.degrees.tolist() == [0, 90, 180, 270] * 3
        assert sample.videos.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_luma_does_not_see_colour_that_is_as_bright() -> None:
    pixels = torch.tensor([[0.5, 0.5, 0.5], [0.5 + 0.587 / 4, 0.5 - 0.299 / 4, 0.5]])
    views = CONFIG.views
    inputs = (pixels - torch.tensor(views.mean)) / torch.tensor(views.std)
    seen = luma("rgb", views)(inputs[:, :, None, None, None])
    assert torch.allclose(seen[0], seen[1], atol=1e-6)
