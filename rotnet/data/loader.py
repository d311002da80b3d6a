"""Clips of many videos, in batches.

A batch is a pure function of the seed and its number, so that any step can be resumed. Threads make
batches ahead of time: decoding and copying leave Python's lock, and threads share what they have
read and opened, which processes would have to send to one another (benchmarks/loader.py).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from rotnet.config import ClipConfig, Modality
from rotnet.data.frames import FrameReader
from rotnet.data.framestore.codec import Crop
from rotnet.data.sampling import Place, even_places, frame_indices, random_place, resized, seams
from rotnet.data.transfer import send
from rotnet.data.video import Video, VideoSet
from rotnet.errors import DataError


@dataclass(frozen=True)
class Batch:
    """Clips on their way to the device.

    Args:
        clips: (B, T or T + 1, H, W, 3) uint8 RGB.
        videos: (B,) int64, the video's place in the loader's list.
        labels: (B,) int64 class indices; -1 in an unlabelled set.
        seams: (B, T) bool: differences of frames that lie across the seam of a video that starts
            again because it is shorter than a window.
        number: of the batch in its stream, from 0.
        first: where the clips lie in the batch, where these are but one process's share of it.
        whole: how many it has then; None: these are all.
    """

    clips: Tensor
    videos: Tensor
    labels: Tensor
    seams: Tensor
    number: int
    first: int = 0
    whole: int | None = None

    @property
    def size(self) -> int:
        """How many clips the whole batch has: so many draws are to be made for it."""
        return len(self.clips) if self.whole is None else self.whole

    def own(self, drawn: Tensor) -> Tensor:
        """Return what was drawn for these clips, of what was drawn for the whole batch."""
        return drawn[self.first : self.first + len(self.clips)]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch with its clips, labels and seams on a device.

        They are on their way when this returns, and the device waits for them.
        """
        return replace(
            self,
            clips=send(self.clips, device),
            labels=send(self.labels, device),
            seams=send(self.seams, device),
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """How a set of videos fits a clip: counts of videos.

    Args:
        used: those that give clips.
        short: those with fewer frames than a window, used or not.
        dropped: those left out because short_video is `drop`.
        upscaled: used ones whose stored picture is smaller than `resize`.
        factor: by which the smallest of them is enlarged; 1 where none is.
    """

    used: int
    short: int
    dropped: int
    upscaled: int
    factor: float


class ClipLoader:
    """Reads the clips of a list of videos.

    Args:
        videos: a set, or a part of one, with its folder of frames.
        clip: length, stride and size.
        modality: DIF reads one frame more than RGB.
        workers: threads that read ahead; the batches do not depend on their number.
        verify: check every stored clip by its checksums each time it is read.

    Raises:
        DataError: if there is no video, or none is left.
    """

    def __init__(
        self,
        videos: VideoSet,
        clip: ClipConfig,
        modality: Modality,
        *,
        workers: int = 1,
        verify: bool = False,
    ) -> None:
        if not videos.videos:
            which = "" if videos.split is None else f" of split {videos.split}"
            raise DataError(f"{videos.folder}: there is no {videos.role!r} video{which}")
        short = [video for video in videos.videos if video.frames < clip.window]
        dropped = short if clip.short_video == "drop" else []
        left_out = {video.path for video in dropped}
        self.videos: Sequence[Video] = tuple(v for v in videos.videos if v.path not in left_out)
        if not self.videos:
            raise DataError(
                f"{videos.folder}: none of {len(videos.videos)} videos is as long as a window of "
                f"{clip.window} frames; set clip.short_video to 'loop', or shorten clip.frames "
                "or clip.stride"
            )
        sides = [min(video.stored_height, video.stored_width) for video in self.videos]
        self.fit = Fit(
            used=len(self.videos),
            short=len(short),
            dropped=len(dropped),
            upscaled=sum(side < clip.resize for side in sides),
            factor=max(1.0, clip.resize / min(sides)),
        )
        self._clip, self._modality, self._workers = clip, modality, workers
        self._frames = FrameReader(videos.folder, verify=verify, videos=self.videos)
        self._pin = torch.cuda.is_available()
        self._class_index = {name: index for index, name in enumerate(videos.classes)}

    def training(
        self, *, batch_size: int, seed: int, flip: float, first: int, rows: range | None = None
    ) -> Iterator[Batch]:
        """Yield training batches without end, from number `first` (counted from 0) on.

        Batches follow one another through a stream of passes over the videos, each pass in an order
        of its own, so that every video comes equally often and every batch is full.

        Args:
            batch_size: clips of a batch.
            seed: of all draws.
            flip: probability that a clip is mirrored.
            first: number of the first batch.
            rows: the clips of each batch that are read; None reads all.
        """
        own = range(batch_size) if rows is None else rows

        @lru_cache(maxsize=4)
        def order(draw: int) -> NDArray[np.int64]:
            return np.random.default_rng([seed, 0, draw]).permutation(len(self.videos))

        def make(number: int) -> Batch:
            chosen, places = [], []
            for row in own:
                draw, position = divmod(number * batch_size + row, len(self.videos))
                index = int(order(draw)[position])
                video = self.videos[index]
                height, width = self._picture(video)
                rng = np.random.default_rng([seed, 1, draw, index])
                chosen.append(index)
                places.append(random_place(video.frames, height, width, self._clip, flip, rng))
            batch = self._batch(number, chosen, places)
            return batch if rows is None else replace(batch, first=rows.start, whole=batch_size)

        return self._ahead(make, iter(range(first, 2**62)))

    def scoring(
        self,
        *,
        clips: int,
        batch_size: int,
        crops: Literal[1, 3] = 1,
        which: slice = slice(None),
    ) -> Iterator[Batch]:
        """Yield every video's evenly spread clips once, in order: its centre crop, or all three.

        Args:
            clips: of each video.
            batch_size: clips of a batch; the last may have fewer.
            crops: of each clip.
            which: of the batches are yielded, such as every second one.
        """
        all_places = [
            (index, place)
            for index, video in enumerate(self.videos)
            for place in even_places(video.frames, *self._picture(video), self._clip, clips, crops)
        ]

        def make(number: int) -> Batch:
            some = all_places[number * batch_size : (number + 1) * batch_size]
            return self._batch(number, [index for index, _ in some], [place for _, place in some])

        return self._ahead(make, iter(range(-(-len(all_places) // batch_size))[which]))

    def _picture(self, video: Video) -> tuple[int, int]:
        return resized(video.stored_height, video.stored_width, self._clip.resize)

    def _batch(self, number: int, chosen: list[int], places: list[Place]) -> Batch:
        """Read clips into one batch: each is written once, where it stays."""
        videos = [self.videos[index] for index in chosen]
        size, length = self._clip.size, self._clip.frames + (self._modality == "dif")
        clips = torch.empty(
            (len(chosen), length, size, size, 3), dtype=torch.uint8, pin_memory=self._pin
        )
        for slot, video, place in zip(clips.numpy(), videos, places, strict=True):
            self._read(video, place, slot)
        across = [
            seams(place.start, video.frames, self._clip)
            for place, video in zip(places, videos, strict=True)
        ]
        return Batch(
            clips=clips,
            videos=torch.tensor(chosen),
            labels=torch.tensor([self._label(video) for video in videos]),
            seams=torch.tensor(across),
            number=number,
        )

    def _read(self, video: Video, place: Place, out: NDArray[np.uint8]) -> None:
        """Write one clip to `out`, (T or T + 1, size, size, 3)."""
        indices = frame_indices(place.start, video.frames, self._clip, self._modality)
        crop = Crop(place.top, place.left, self._clip.size, self._clip.size)
        height, width = self._picture(video)
        if (video.stored_height, video.stored_width) == (height, width):
            self._frames.read(video, indices, crop=crop, out=out)
        else:
            frames = self._frames.read(video, indices)
            planes = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
            planes = interpolate(planes, (height, width), mode="bilinear", antialias=True)
            planes = planes[:, :, crop.rows, crop.columns].round_().clamp_(0, 255).byte()
            out[:] = planes.permute(0, 2, 3, 1).numpy()
        if place.flip:
            out[:] = out[:, :, ::-1].copy()

    def _label(self, video: Video) -> int:
        return -1 if video.label is None else self._class_index[video.label]

    def _ahead(self, make: Callable[[int], Batch], numbers: Iterator[int]) -> Iterator[Batch]:
        """Make batches in order, some of them ahead of time in threads."""
        if self._workers == 0:
            yield from map(make, numbers)
            return
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="clips")
        waiting: deque[Future[Batch]] = deque()
        try:
            for number in numbers:
                waiting.append(pool.submit(make, number))
                if len(waiting) > 2 * self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
