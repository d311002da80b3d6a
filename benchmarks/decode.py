"""How fast clips are read: our readers beside TorchCodec, decord and plain PyAV, in one run.

    python benchmarks/decode.py FOLDER_OF_VIDEOS [--seconds 1] [--rounds 7] [--cpu] [--cold]

A clip is 16 frames with stride 2, reduced to a short side of 136, a crop of 112: it counts when a
contiguous uint8 RGB tensor of it exists and every byte of that was touched. All contestants read
the same random videos and starts, on one thread, in turns; a ratio is of the same turn. Peers that
are not installed are named and left out (pip install --no-deps torchcodec decord; TorchCodec needs
FFmpeg's libraries, whose version counts for more than who calls them).
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import torch
from numpy.typing import NDArray

from rotnet.data.catalog import FolderKind
from rotnet.data.frames import FrameReader
from rotnet.data.framestore.codec import Crop
from rotnet.data.framestore.formats import FORMATS, Format
from rotnet.data.framestore.index import read_index
from rotnet.data.framestore.layout import INDEX_FILE, Record
from rotnet.data.hands import processes
from rotnet.data.manifest import Manifest
from rotnet.data.picture import cut_and_shrink
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.video import Video

try:
    import decord
except ImportError:
    decord = None
try:
    from torchcodec import ffmpeg_major_version
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize
except (ImportError, RuntimeError):
    VideoDecoder, ffmpeg_major_version = None, None

FRAMES, STRIDE, SIDE, SIZE = 16, 2, 136, 112
REFERENCE = "TorchCodec, originals, fresh handle"

Pixels = NDArray[np.uint8]
Contestant = Callable[[Video, int], Pixels]


@dataclass(frozen=True)
class Sets:
    """The videos, and what was prepared from them."""

    source: Path
    manifests: dict[str, Manifest]
    remuxed: Path

    @property
    def videos(self) -> list[Video]:
        """Videos that are long enough, none of them turned or cut, so that all see one picture."""
        rows = self.manifests["source"].videos
        return [
            video for video in rows if video.frames > FRAMES * STRIDE + 1 and video.rotation == 0
        ]

    def of(self, storage: str, video: Video) -> Video:
        """Return the same video's row in another store."""
        return next(row for row in self.manifests[storage].videos if row.path == video.path)


def wanted(start: int) -> range:
    """Return the frames of a clip."""
    return range(start, start + FRAMES * STRIDE, STRIDE)


def crop_of(video: Video) -> Crop:
    """Return the crop of a video's stored pictures: the middle."""
    top, left = (video.stored_height - SIZE) // 2, (video.stored_width - SIZE) // 2
    return Crop(top, left, SIZE, SIZE)


def ours(sets: Sets, storage: str) -> Contestant:
    """Read by our reader."""
    reader = FrameReader(sets.manifests[storage].folder)
    rows = {video.path: sets.of(storage, video) for video in sets.videos}

    def read(video: Video, start: int) -> Pixels:
        row = rows[video.path]
        return reader.read(row, wanted(start), crop=crop_of(row))

    return read


def naive_pyav(sets: Sets) -> Contestant:
    """Read as torchvision's read_video did: open, seek, decode and convert all, then choose."""

    def read(video: Video, start: int) -> Pixels:
        with av.open(str(sets.source / video.path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            rate, base = stream.average_rate, stream.time_base
            assert rate is not None  # noqa: S101
            assert base is not None  # noqa: S101
            begin = round(start / rate / base)
            container.seek(begin, stream=stream, backward=True)
            frames: list[Pixels] = []
            for frame in container.decode(stream):
                pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
                if frame.pts is not None and frame.pts >= begin:
                    frames.append(pixels)
                if len(frames) > (FRAMES - 1) * STRIDE:
                    break
        return shrunk(frames[::STRIDE], video)

    return read


def shrunk(frames: list[Pixels], video: Video) -> Pixels:
    """Reduce whole frames and crop them, as a data set class would."""
    assert video.area is not None  # noqa: S101
    size = (video.stored_width, video.stored_height)
    crop = crop_of(video)
    small = [cut_and_shrink(frame, video.area, size)[crop.rows, crop.columns] for frame in frames]
    return np.ascontiguousarray(np.stack(small))


def cropped(frames: list[Pixels], video: Video) -> Pixels:
    """Reduce what the crop is made of and no more, as our reader does."""
    assert video.area is not None  # noqa: S101
    size = (video.stored_width, video.stored_height)
    return np.stack([cut_and_shrink(frame, video.area, size, crop_of(video)) for frame in frames])


def with_decord(sets: Sets) -> Contestant:
    """Read by decord, which reduces while it decodes."""

    def read(video: Video, start: int) -> Pixels:
        reader = decord.VideoReader(
            str(sets.source / video.path),
            num_threads=1,
            width=video.stored_width,
            height=video.stored_height,
        )
        frames = reader.get_batch(list(wanted(start))).asnumpy()
        crop = crop_of(video)
        return np.ascontiguousarray(frames[:, crop.rows, crop.columns])

    return read


def with_torchcodec(
    folder: Path,
    mode: str,
    *,
    cached: bool,
    suffix: str = "",
    reduced: Literal["by TorchCodec", "as ours", "before"],
) -> Contestant:
    """Read by TorchCodec, which may reduce while it decodes."""
    handles: dict[str, VideoDecoder] = {}

    def opened(video: Video) -> VideoDecoder:
        if cached and video.path in handles:
            return handles[video.path]
        size = (video.stored_height, video.stored_width)
        handle = VideoDecoder(
            str(folder / (video.path + suffix)),
            dimension_order="NHWC",
            num_ffmpeg_threads=1,
            seek_mode=mode,
            transforms=[Resize(size)] if reduced == "by TorchCodec" else None,
        )
        if cached:
            handles[video.path] = handle
        return handle

    def read(video: Video, start: int) -> Pixels:
        frames = opened(video).get_frames_at(list(wanted(start))).data
        if reduced == "as ours":
            return cropped(list(frames.numpy()), video)
        crop = crop_of(video)
        return frames[:, crop.rows, crop.columns].contiguous().numpy()

    return read


def remux(manifest: Manifest, folder: Path) -> None:
    """Write the H.264 store's packets as MP4 files, none of them encoded anew."""
    index = read_index(manifest.folder / INDEX_FILE)
    record = Record.load(manifest.folder)
    for video in manifest.videos:
        path = folder / (video.path + ".mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        shard = (manifest.folder / record.shards[video.shard].name).read_bytes()
        sizes = index["size"][video.packet : video.packet + video.frames].tolist()
        raw = path.with_suffix(".h264")
        raw.write_bytes(shard[video.offset : video.offset + sum(sizes)])
        with av.open(str(raw), format="h264") as source, av.open(str(path), "w") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            packets = (packet for packet in source.demux(source.streams.video[0]) if packet.size)
            for number, packet in enumerate(packets):
                packet.stream = stream
                packet.time_base = Fraction(1, 25)
                packet.pts = packet.dts = number
                packet.duration = 1
                target.mux(packet)
        raw.unlink()


def prepared(source: Path, folder: Path) -> Sets:
    """Prepare the videos in every format, bars kept, so that all contestants see one picture."""
    manifests: dict[str, Manifest] = {}
    formats: tuple[Format | Literal["source"], ...] = (*FORMATS, "source")
    for name in formats:
        storage = Storage(short_side=SIDE, bars="keep", format=name)
        kind = FolderKind(unlabelled=True)
        manifests[name] = prepare(
            source, folder / name, kind, storage=storage, hands=processes(os.cpu_count() or 1)
        ).manifest
    remuxed = folder / "remuxed"
    remux(manifests["h264"], remuxed)
    return Sets(source, manifests, remuxed)


def contestants(sets: Sets) -> dict[str, Contestant]:
    """Return everyone who is here."""
    found = {"PyAV, originals, naive": naive_pyav(sets)}
    if decord is not None:
        found["decord, originals, fresh handle"] = with_decord(sets)
    if ffmpeg_major_version is not None:
        found[REFERENCE] = with_torchcodec(
            sets.source, "exact", cached=False, reduced="by TorchCodec"
        )
        for name, mode, cached in (
            ("TorchCodec, originals, fresh, approximate", "approximate", False),
            ("TorchCodec, originals, kept handle", "exact", True),
        ):
            found[name] = with_torchcodec(sets.source, mode, cached=cached, reduced="by TorchCodec")
        found["TorchCodec, originals, kept, our pictures"] = with_torchcodec(
            sets.source, "exact", cached=True, reduced="as ours"
        )
        for name, mode, cached in (
            ("TorchCodec, our H.264 as MP4, fresh", "approximate", False),
            ("TorchCodec, our H.264 as MP4, kept handle", "approximate", True),
        ):
            found[name] = with_torchcodec(
                sets.remuxed, mode, cached=cached, suffix=".mp4", reduced="before"
            )
    found["ours, originals (format source)"] = ours(sets, "source")
    for name in FORMATS[::-1]:
        found[f"ours, {name}"] = ours(sets, name)
    return found


def clips(sets: Sets, seed: int) -> Iterator[tuple[Video, int]]:
    """Yield random videos and starts without end."""
    chance = np.random.default_rng(seed)
    videos = sets.videos
    while True:
        video = videos[int(chance.integers(len(videos)))]
        yield video, int(chance.integers(video.frames - FRAMES * STRIDE - 1))


def touch(clip: Pixels) -> None:
    """Read every byte."""
    torch.from_numpy(clip).view(-1).view(torch.int64).sum()


def rate(
    contestant: Contestant, sets: Sets, seed: int, seconds: float, clock: Callable[[], float]
) -> float:
    """Return clips a second by a clock."""
    begin = clock()
    for count, (video, start) in enumerate(clips(sets, seed), 1):
        clip = contestant(video, start)
        if clip.shape != (FRAMES, SIZE, SIZE, 3) or not clip.flags.c_contiguous:
            raise SystemExit(f"error: a clip of {clip.shape}, not contiguous or of a wrong size")
        touch(clip)
        if clock() - begin > seconds:
            return count / (clock() - begin)
    raise AssertionError


def bytes_per_hour(sets: Sets, storage: str) -> float:
    """Return the bytes that an hour of video takes."""
    rows = sets.manifests[storage].videos
    hours = sum(video.frames / video.fps for video in rows) / 3600
    if storage == "source":
        return sum((sets.source / video.path).stat().st_size for video in rows) / hours
    return Record.load(sets.manifests[storage].folder).num_bytes / hours


def cold(sets: Sets, disk_reads: int = 200) -> None:
    """Compare reading clips that are not in memory with reading the file from end to end."""
    manifest = sets.manifests["raw"]
    paths = [manifest.folder / file.name for file in Record.load(manifest.folder).shards]
    ratios = []
    for turn in range(5):
        forget(paths)
        begin, size = time.perf_counter(), 0
        for path in paths:
            with path.open("rb", buffering=0) as file:
                while chunk := file.read(1 << 23):
                    size += len(chunk)
        straight = size / (time.perf_counter() - begin)
        forget(paths)
        read = ours(sets, "raw")
        seen: set[tuple[str, int]] = set()
        begin, size = time.perf_counter(), 0
        for video, start in clips(sets, turn):
            slot = (video.path, start // (FRAMES * STRIDE))
            if slot in seen:
                continue
            seen.add(slot)
            touch(read(video, slot[1] * FRAMES * STRIDE))
            row = sets.of("raw", video)
            size += row.num_bytes // row.frames * ((FRAMES - 1) * STRIDE + 1)
            if len(seen) == disk_reads:
                break
        ratios.append(size / (time.perf_counter() - begin) / straight)
    print(
        f"\ncold, raw: clips come at {statistics.median(ratios):.2f} of the rate of reading the "
        f"files from end to end ({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} turns)"
    )


def forget(paths: list[Path]) -> None:
    """Have the kernel drop what it keeps of files."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of videos")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--cpu", action="store_true", help="count processor time, where other programs are at work"
    )
    parser.add_argument("--cold", action="store_true", help="measure reading from disk, too")
    parser.add_argument("--work", type=Path, help="keep what is prepared here")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with contextlib.ExitStack() as stack:
        work = args.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sets = prepared(args.source, work)
        table(sets, args.rounds, args.seconds, time.process_time if args.cpu else time.perf_counter)
        if args.cold:
            cold(sets)


def table(sets: Sets, rounds: int, seconds: float, clock: Callable[[], float]) -> None:
    """Print clips a second and ratios."""
    everyone = contestants(sets)
    if decord is None:
        sys.stderr.write("decord is not installed: left out\n")
    if ffmpeg_major_version is None:
        lacks = "is not installed" if VideoDecoder is None else "finds no FFmpeg libraries"
        sys.stderr.write(f"torchcodec {lacks}: left out\n")
    for contestant in everyone.values():  # files are checked and opened, memory is touched
        rate(contestant, sets, 0, seconds / 4, clock)
    rates: dict[str, list[float]] = {name: [] for name in everyone}
    for turn in range(rounds):
        for name, contestant in everyone.items():
            rates[name].append(rate(contestant, sets, turn, seconds, clock))
    reference = REFERENCE if REFERENCE in rates else next(iter(rates))
    print(f"{len(sets.videos)} videos; one thread; median (min to max) of {rounds} turns")
    print(
        f"FFmpeg: {av.ffmpeg_version_info} in PyAV, {ffmpeg_major_version or 'no'} in TorchCodec\n"
    )
    print(f"{'':46}{'clips/s':>22}   ratio to {reference}")
    for name, found in rates.items():
        ratios = [one / other for one, other in zip(found, rates[reference], strict=True)]
        middle = statistics.median(found)
        span = f"({min(found):.0f} to {max(found):.0f})"
        print(f"{name:46}{middle:8.0f} {span:>13}   {statistics.median(ratios):.2f}")
    print()
    for storage in ("source", *FORMATS[::-1]):
        print(f"{storage:10}{bytes_per_hour(sets, storage) / 1e9:8.2f} GB an hour of video")


if __name__ == "__main__":
    main()
