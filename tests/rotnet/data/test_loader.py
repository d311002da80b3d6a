"""Clips in batches."""

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from rotnet.config import ClipConfig
from rotnet.data.catalog import FolderKind
from rotnet.data.frames import FrameReader
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import write_videos
from rotnet.errors import DataError

CLIP = ClipConfig(frames=4, stride=4, resize=24, size=20)


def take(loader: ClipLoader, count: int, *, first: int = 0, seed: int = 0) -> list[Batch]:
    batches = loader.training(batch_size=5, seed=seed, flip=0.5, first=first)
    return [next(batches) for _ in range(count)]


def test_a_batch_depends_on_its_number_only(actions: Manifest) -> None:
    videos = actions.select("train", 1)
    reference = take(ClipLoader(videos, CLIP, "rgb", workers=0), 6)
    for workers in (1, 3):
        again = take(ClipLoader(videos, CLIP, "rgb", workers=workers), 4, first=2)
        for one, other in zip(reference[2:], again, strict=True):
            assert torch.equal(one.clips, other.clips)
            assert torch.equal(one.labels, other.labels)


def test_every_video_comes_once_in_a_pass_and_passes_differ(actions: Manifest) -> None:
    loader = ClipLoader(actions.select("train", 1), CLIP, "rgb")
    count = len(loader.videos)
    stream = torch.cat([batch.videos for batch in take(loader, count)]).tolist()
    passes = [stream[i * count : (i + 1) * count] for i in range(5)]
    assert all(sorted(one) == list(range(count)) for one in passes)
    assert passes[0] != passes[1]
    assert torch.cat([b.videos for b in take(loader, count, seed=1)]).tolist() != stream


def test_both_modalities_draw_the_same_windows_and_crops(actions: Manifest) -> None:
    videos = actions.select("train", 1)
    rgb, dif = (take(ClipLoader(videos, CLIP, m), 3) for m in ("rgb", "dif"))
    for one, other in zip(rgb, dif, strict=True):
        assert one.clips.shape == (5, 4, 20, 20, 3)
        assert torch.equal(one.clips, other.clips[:, :4])


def test_scoring_clips_are_cut_from_the_centre_of_the_stored_frames(actions: Manifest) -> None:
    videos = actions.select("test", 1)
    loader = ClipLoader(videos, CLIP, "rgb")
    batch = next(loader.scoring(clips=1, batch_size=1))
    video = videos.videos[0]
    start = (video.frames - CLIP.window) // 2
    frames = FrameReader(videos.folder).read(video, slice(start, start + 16, 4))
    left = (video.stored_width - 20) // 2
    np.testing.assert_array_equal(batch.clips[0].numpy(), frames[:, 2:22, left : left + 20])


def test_scoring_covers_every_video_with_its_label(actions: Manifest) -> None:
    videos = actions.select("test", 1)
    batches = list(ClipLoader(videos, CLIP, "rgb").scoring(clips=3, batch_size=4))
    indices = torch.cat([batch.videos for batch in batches]).tolist()
    assert indices == [index for index in range(len(videos)) for _ in range(3)]
    labels = torch.cat([batch.labels for batch in batches]).tolist()
    assert [videos.classes[label] for label in labels] == [videos.videos[i].label for i in indices]


def test_pictures_of_another_size_are_scaled_and_counted(actions: Manifest) -> None:
    larger = ClipConfig(frames=4, stride=4, resize=48, size=40)
    loader = ClipLoader(actions.select("train", 1), larger, "rgb")
    assert loader.fit.upscaled == loader.fit.used == len(loader.videos)
    assert loader.fit.factor == 2.0
    (batch,) = take(loader, 1)
    assert batch.clips.shape == (5, 4, 40, 40, 3)
    smaller = ClipConfig(frames=4, stride=4, resize=12, size=12)
    loader = ClipLoader(actions.select("train", 1), smaller, "rgb")
    assert (loader.fit.upscaled, loader.fit.factor) == (0, 1.0)
    assert take(loader, 1)[0].clips.shape == (5, 4, 12, 12, 3)


def test_short_videos_are_counted_and_dropped_only_on_request(actions: Manifest) -> None:
    videos = actions.select("train", 1)
    short = replace(videos.videos[0], frames=10)
    some = replace(videos, videos=(short, *videos.videos[1:]))
    assert ClipLoader(some, CLIP, "rgb").fit.short == 1
    dropping = ClipLoader(some, CLIP.model_copy(update={"short_video": "drop"}), "rgb")
    assert dropping.fit.dropped == 1
    assert short not in dropping.videos
    with pytest.raises(DataError, match="none of 1 videos is as long as a window of 17 frames"):
        ClipLoader(
            replace(videos, videos=(short,)), CLIP.model_copy(update={"short_video": "drop"}), "rgb"
        )


def test_a_part_without_videos_is_named(actions: Manifest) -> None:
    none = replace(actions.select("test", 2), videos=())
    with pytest.raises(DataError, match="there is no 'test' video of split 2"):
        ClipLoader(none, CLIP, "rgb")


def test_an_unlabelled_set_has_no_labels(pool: Manifest) -> None:
    (batch,) = take(ClipLoader(pool.select("pretrain"), CLIP, "rgb"), 1)
    assert batch.labels.tolist() == [-1] * 5


@pytest.mark.parametrize("storage", ["jpeg", "h264", "source"])
def test_every_format_gives_the_same_clips_as_raw(
    storage: Literal["jpeg", "h264", "source"], tmp_path: Path
) -> None:
    write_videos(tmp_path / "videos", num_videos=6, seed=0)
    sets = {
        name: prepare(
            tmp_path / "videos",
            tmp_path / name,
            FolderKind(unlabelled=True),
            storage=Storage(short_side=24, format=name),
        ).manifest.select("pretrain")
        for name in ("raw", storage)
    }
    raw, other = (take(ClipLoader(videos, CLIP, "dif", workers=2), 3) for videos in sets.values())
    for one, two in zip(raw, other, strict=True):
        assert torch.equal(one.videos, two.videos)
        difference = (one.clips.float() - two.clips.float()).square().mean().sqrt()
        assert difference == 0 if storage == "source" else 0 < difference < 6


def test_a_flipped_clip_is_the_mirror_of_the_same_clip(actions: Manifest) -> None:
    loader = ClipLoader(actions.select("train", 1), CLIP, "rgb", workers=0)
    plain, flipped = (
        next(loader.training(batch_size=5, seed=0, flip=flip, first=2)) for flip in (0.0, 1.0)
    )
    assert torch.equal(plain.clips.flip(3), flipped.clips)


def test_memory_does_not_grow_with_the_clips_that_were_read(actions: Manifest) -> None:
    videos = actions.select("train", 1)
    batches = ClipLoader(videos, CLIP, "rgb", workers=2).training(
        batch_size=8, seed=0, flip=0.5, first=0
    )
    for _ in range(100):
        next(batches)
    tracemalloc.start()
    try:
        for _ in range(20):
            next(batches)
        early = tracemalloc.get_traced_memory()[0]
        for _ in range(400):
            next(batches)
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        batches.close()  # type: ignore[attr-defined]  # an iterator that is a generator
    assert late - early < 100_000  # a batch of 8 clips has 38,400 bytes and 400 of them 15 million
