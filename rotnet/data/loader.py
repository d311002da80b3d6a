"""Clips of many videos, in batches.

A batch is a pure function of the seed and its number, so that any step can be resumed.
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
from rotnet.data.manifest import Video, VideoSet
from rotnet.data.sampling import Place, even_places, frame_indices, random_place, resized, seams
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
    """

    clips: Tensor
    videos: Tensor
    labels: Tensor
    seams: Tensor
    number: int

    def to(self, device: torch.device) -> "Batch":
        """Return the batch with its clips, labels and seams on a device."""
        return replace(
            self,
            clips=self.clips.to(device),
            labels=self.labels.to(device),
            seams=self.seams.to(device),
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """How a set of videos fits a clip: counts of videos.

    Args:
        used: those that give clips.
        short: those with fewer frames than a window, used or not.
        dropped: those left out because short_video is `drop`.
        upscaled: used ones whose stored picture is smaller than `resize`.
    """

    used: int
    short: int
    dropped: int
    upscaled: int


class ClipLoader:
    """Reads the clips of a list of videos.

    Args:
        videos: a set, or a part of one, with its folder of frames.
        clip: length, stride and size.
        modality: DIF reads one frame more than RGB.
        workers: threads that read ahead; the batches do not depend on their number.

    Raises:
        DataError: if there is no video, or none is left.
    """

    def __init__(
        self, videos: VideoSet, clip: ClipConfig, modality: Modality, *, workers: int = 1
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
        self.fit = Fit(
            used=len(self.videos),
            short=len(short),
            dropped=len(dropped),
            upscaled=sum(min(v.stored_height, v.stored_width) < clip.resize for v in self.videos),
        )
        self._clip, self._modality, self._workers = clip, modality, workers
        self._frames = FrameReader(videos.folder)
        self._class_index = {name: index for index, name in enumerate(videos.classes)}

    def training(self, *, batch_size: int, seed: int, flip: float, first: int) -> Iterator[Batch]:
        """Yield training batches without end, from number `first` (counted from 0) on.

        Batches follow one another through a stream of passes over the videos, each pass in an order
        of its own, so that every video comes equally often and every batch is full.
        """

        @lru_cache(maxsize=4)
        def order(draw: int) -> NDArray[np.int64]:
            return np.random.default_rng([seed, 0, draw]).permutation(len(self.videos))

        def make(number: int) -> Batch:
            clips, chosen, starts = [], [], []
            for item in range(number * batch_size, (number + 1) * batch_size):
                draw, position = divmod(item, len(self.videos))
                index = int(order(draw)[position])
                video = self.videos[index]
                height, width = self._picture(video)
                rng = np.random.default_rng([seed, 1, draw, index])
                place = random_place(video.frames, height, width, self._clip, flip, rng)
                clips.append(self._read(video, place))
                chosen.append(index)
                starts.append(place.start)
            return self._batch(number, clips, chosen, starts)

        return self._ahead(make, iter(range(first, 2**62)))

    def scoring(self, *, clips: int, batch_size: int, crops: Literal[1, 3] = 1) -> Iterator[Batch]:
        """Yield every video's evenly spread clips once, in order: its centre crop, or all three."""
        places = [
            (index, place)
            for index, video in enumerate(self.videos)
            for place in even_places(video.frames, *self._picture(video), self._clip, clips, crops)
        ]

        def make(number: int) -> Batch:
            chosen = places[number * batch_size : (number + 1) * batch_size]
            read = [self._read(self.videos[index], place) for index, place in chosen]
            starts = [place.start for _, place in chosen]
            return self._batch(number, read, [index for index, _ in chosen], starts)

        return self._ahead(make, iter(range(-(-len(places) // batch_size))))

    def _picture(self, video: Video) -> tuple[int, int]:
        return resized(video.stored_height, video.stored_width, self._clip.resize)

    def _read(self, video: Video, place: Place) -> NDArray[np.uint8]:
        """Return one clip, (T or T + 1, size, size, 3)."""
        indices = frame_indices(place.start, video.frames, self._clip, self._modality)
        frames = self._frames.read(video, indices)
        height, width = self._picture(video)
        if frames.shape[1:3] != (height, width):
            planes = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
            planes = interpolate(planes, (height, width), mode="bilinear", antialias=True)
            frames = planes.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).numpy()
        size = self._clip.size
        crop = frames[:, place.top : place.top + size, place.left : place.left + size]
        return crop[:, :, ::-1] if place.flip else crop

    def _batch(
        self, number: int, clips: list[NDArray[np.uint8]], chosen: list[int], starts: list[int]
    ) -> Batch:
        videos = [self.videos[index] for index in chosen]
        across = [
            seams(start, video.frames, self._clip)
            for start, video in zip(starts, videos, strict=True)
        ]
        return Batch(
            clips=torch.from_numpy(np.stack(clips)),
            videos=torch.tensor(chosen),
            labels=torch.tensor([self._label(video) for video in videos]),
            seams=torch.tensor(across),
            number=number,
        )

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
