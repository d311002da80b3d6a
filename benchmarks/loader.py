"""How fast whole batches are made: our loader beside its own reader, and beside a DataLoader.

    python benchmarks/loader.py FOLDER_OF_VIDEOS [--seconds 2] [--rounds 5] [--clips 10000]

A clip is that of benchmarks/decode.py, in batches of 16, and every byte of a batch is touched by
whoever takes it. For each format, in turns: the reader alone, in one thread and into memory that is
there already; the loader with 0, 1 and as many threads as there are cores; torch's DataLoader with
as many processes, whose data set reads with the same reader. Then memory: how much the process
grows over many clips.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from rotnet.config import ClipConfig
from rotnet.data.catalog import FolderKind
from rotnet.data.frames import FrameReader
from rotnet.data.framestore.codec import Crop
from rotnet.data.framestore.formats import FORMATS
from rotnet.data.hands import processes
from rotnet.data.loader import ClipLoader
from rotnet.data.prepare import prepare
from rotnet.data.sampling import frame_indices, random_place, resized
from rotnet.data.store import Storage
from rotnet.data.video import VideoSet

CLIP = ClipConfig(frames=16, stride=2, resize=136, size=112)
BATCH = 16
SHAPE = (CLIP.frames, CLIP.size, CLIP.size, 3)
CORES = os.cpu_count() or 1


class Clips(IterableDataset[Tensor]):
    """Random clips without end, as the loader draws them."""

    def __init__(self, videos: VideoSet, seed: int) -> None:
        self._videos, self._seed = videos, seed

    def __iter__(self) -> Iterator[Tensor]:
        worker = get_worker_info()
        yield from clips(self._videos, self._seed + (worker.id if worker else 0), fresh=True)


def clips(videos: VideoSet, seed: int, *, fresh: bool) -> Iterator[Tensor]:
    """Yield random clips, each in memory of its own, or all in the same."""
    reader = FrameReader(videos.folder)
    chance = np.random.default_rng(seed)
    room = np.empty(SHAPE, np.uint8)
    while True:
        video = videos.videos[int(chance.integers(len(videos)))]
        height, width = resized(video.stored_height, video.stored_width, CLIP.resize)
        place = random_place(video.frames, height, width, CLIP, 0.0, chance)
        indices = frame_indices(place.start, video.frames, CLIP, "rgb")
        crop = Crop(place.top, place.left, CLIP.size, CLIP.size)
        out = np.empty(SHAPE, np.uint8) if fresh else room
        yield torch.from_numpy(reader.read(video, indices, crop=crop, out=out))


def loaded(videos: VideoSet, seed: int, workers: int) -> Iterator[Tensor]:
    """Yield the loader's batches."""
    loader = ClipLoader(videos, CLIP, "rgb", workers=workers)
    for batch in loader.training(batch_size=BATCH, seed=seed, flip=0.0, first=0):
        yield batch.clips


def rate(batches: Iterator[Tensor], seconds: float) -> float:
    """Return clips a second, from the first one on."""
    touch(next(batches))
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        batch = next(batches)
        touch(batch)
        count += len(batch) if batch.ndim == len(SHAPE) + 1 else 1
    return count / (time.perf_counter() - begin)


def touch(batch: Tensor) -> None:
    """Read every byte."""
    batch.view(-1).view(torch.int64).sum()


@dataclass(frozen=True)
class Way:
    """A way to get clips."""

    name: str
    batches: Callable[[VideoSet, int], Iterator[Tensor]]


def ways() -> list[Way]:
    """Return all of them, the reader first."""

    def worked(workers: int) -> Callable[[VideoSet, int], Iterator[Tensor]]:
        return lambda videos, seed: loaded(videos, seed, workers)

    threads = [
        Way(f"our loader, {n} thread{'s' * (n != 1)}", worked(n)) for n in sorted({0, 1, CORES})
    ]
    processes = Way(
        f"DataLoader, {CORES} processes",
        lambda videos, seed: iter(
            DataLoader(Clips(videos, seed), batch_size=BATCH, num_workers=CORES)
        ),
    )
    reader = Way("our reader alone", lambda videos, seed: clips(videos, seed, fresh=False))
    return [reader, *threads, processes]


def grown(videos: VideoSet, count: int) -> tuple[float, float]:
    """Return the private memory in MB after a tenth of so many clips, and after all of them."""
    batches = loaded(videos, 0, CORES)
    for batch in islice(batches, count // BATCH // 10):
        touch(batch)
    early = private_mb()
    for batch in islice(batches, count // BATCH * 9 // 10):
        touch(batch)
    return early, private_mb()


def private_mb() -> float:
    """Return the memory that is this process's own, without mapped files."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise SystemExit("error: this system does not say how much memory is a process's own")


def main() -> None:
    """Measure, and print a table for each format."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of videos")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clips", type=int, default=10_000, help="over which memory is watched")
    parser.add_argument("--work", type=Path, help="keep what is prepared here")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with contextlib.ExitStack() as stack:
        work = args.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in FORMATS[::-1]:
            storage = Storage(short_side=CLIP.resize, bars="keep", format=name)
            kind = FolderKind(unlabelled=True)
            manifest = prepare(
                args.source, work / name, kind, storage=storage, hands=processes(CORES)
            ).manifest
            table(name, manifest.select("pretrain"), args.rounds, args.seconds)
            early, late = grown(manifest.select("pretrain"), args.clips)
            print(f"  memory after {args.clips // 10} clips {early:.0f} MB, ", end="")
            print(f"after {args.clips} clips {late:.0f} MB\n")


def table(name: str, videos: VideoSet, rounds: int, seconds: float) -> None:
    """Print clips a second, and ratios to the reader of the same turn."""
    everyone = ways()
    rates: dict[str, list[float]] = {way.name: [] for way in everyone}
    for turn in range(rounds):
        for way in everyone:
            rates[way.name].append(rate(way.batches(videos, turn), seconds))
    print(f"{name}: {len(videos)} videos; median (min to max) of {rounds} turns, {CORES} cores")
    print(f"  {'':28}{'clips/s':>22}   ratio to the reader, one thread")
    reader = rates[everyone[0].name]
    for label, found in rates.items():
        ratios = [one / other for one, other in zip(found, reader, strict=True)]
        span = f"({min(found):.0f} to {max(found):.0f})"
        print(f"  {label:28}{statistics.median(found):8.0f} {span:>13}", end="")
        print(f"   {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
