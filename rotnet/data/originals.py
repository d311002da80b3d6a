"""Frames straight from video files, decoded each time: nothing is stored, and reading is slow.

They are the very pictures that preparation would store. A survey has noted the time of every whole
frame and where decoding can begin; a clip is decoded from the nearest such place, files stay open,
and only the frames that are wanted are converted.
"""

import logging
import threading
import weakref
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import av
import av.error
import numpy as np

from rotnet.data.decode import (
    CutShortError,
    Orientation,
    UndecodableError,
    VideoSource,
    open_file,
    open_video,
)
from rotnet.data.framestore.codec import Crop, Pixels
from rotnet.data.framestore.index import KEY, MIRRORED, UNTIMED, Index
from rotnet.data.framestore.verified import check_file
from rotnet.data.picture import cut_and_shrink
from rotnet.data.processes import Worker
from rotnet.data.survey import picture_sum
from rotnet.data.video import Area, Video
from rotnet.errors import DataError

_log = logging.getLogger(__name__)
HANDLES = 16  # files that a thread keeps open
TRIES = 3  # some containers seek past what is sought: then the key before it is, and so on
HELD = 3  # frames, while a file is proven
LOT_BYTES = 2**23  # of pictures that are decoded before the first of them is reduced
NOWHERE = -1  # before the first key: the next frame is to be sought


class Originals:
    """Reads frames of the videos of a source. Safe to use from threads."""

    def __init__(self, source: Path, index: Index) -> None:
        """Take the videos below `source`; nothing is opened yet.

        Args:
            source: folder of the videos.
            index: a row of `index.FRAME` for each frame of the set.

        Raises:
            DataError: if there is no such folder.
        """
        if not source.is_dir():
            raise DataError(
                f"{source} is gone, and this set's frames are still in its videos: bring it back, "
                "or prepare the set again from its new place"
            )
        self._source, self._index = source, index
        self._own = threading.local()

    def read(
        self, video: Video, places: Mapping[int, Sequence[int]], crop: Crop, out: Pixels
    ) -> None:
        """Write frames to their places in `out`.

        Args:
            video: a kept row of the set's manifest.
            places: for each wanted frame, rising, the places that show it.
            crop: what is wanted of each.
            out: (T, crop.height, crop.width, 3) uint8.

        Raises:
            DataError: if the file is not the one that was prepared, or does not decode as then.
        """
        path = self._source / video.path
        area = video.area or Area(0, 0, video.width, video.height)
        size = (video.stored_width, video.stored_height)
        try:
            handle = self._handle(video, path)
            for lot in _lots(handle.pictures(list(places))):
                for index, upright in lot:
                    picture = cut_and_shrink(upright, area, size, crop)
                    for place in places[index]:
                        out[place] = picture
        except (UndecodableError, CutShortError, av.error.FFmpegError) as error:
            self._handles().pop(video.path, None)
            raise DataError(
                f"{path} does not decode as it did when the set was prepared ({error}): prepare "
                "the set again"
            ) from error

    def _handle(self, video: Video, path: Path) -> "_Handle":
        """Return the open file of a video, the one used longest ago closed for it if need be."""
        handles = self._handles()
        if video.path in handles:
            handles.move_to_end(video.path)
            return handles[video.path]
        check_file(path, video.sha256)
        table = self._index[video.packet : video.packet + video.frames]
        handles[video.path] = _Handle(path, table, video.rotation // 90)
        if len(handles) > HANDLES:
            handles.popitem(last=False)[1].close()
        return handles[video.path]

    def _handles(self) -> "OrderedDict[str, _Handle]":
        if not hasattr(self._own, "handles"):
            self._own.handles = OrderedDict()
        found: OrderedDict[str, _Handle] = self._own.handles
        return found


def _lots(pictures: Iterable[tuple[int, Pixels]]) -> Iterator[list[tuple[int, Pixels]]]:
    """Yield pictures by the lot: in turns, decoding and reducing would empty each other's caches.

    It saves one part in twenty of the time with pictures of 320x240.
    """
    lot: list[tuple[int, Pixels]] = []
    for index, upright in pictures:
        lot.append((index, upright))
        if len(lot) * upright.nbytes >= LOT_BYTES:
            yield lot
            lot = []
    if lot:
        yield lot


def proven(file: Path, table: Index, sums: Sequence[int]) -> Index:
    """Return a table of frames, marked as untimed unless each can be sought and is the same then.

    Args:
        file: a video.
        table: a row of `index.FRAME` for each frame.
        sums: of each picture, as it is when the file is decoded from its first frame.
    """
    if table["flags"][0] & UNTIMED:
        return table
    try:
        handle = _Handle(file, table, turns=0, strict=True)
        try:
            if handle.proves(sums):
                return table
        finally:
            handle.close()
    except UndecodableError as error:
        _log.debug("%s cannot be sought in (%s)", file, error)
    untimed = np.zeros_like(table)
    untimed["flags"][0] = KEY | UNTIMED | (table["flags"][0] & MIRRORED)
    return untimed


class _Handle:
    """An open video file, and where in it decoding stands."""

    def __init__(self, path: Path, table: Index, turns: int, *, strict: bool = False) -> None:
        flags = table["flags"]
        self._path = path
        self._orientation = Orientation(turns, mirrored=bool(flags[0] & MIRRORED))
        self._untimed = bool(flags[0] & UNTIMED)
        self._keys = np.flatnonzero(flags & KEY).tolist()
        self._times: list[int] = table["time"].tolist()
        self._numbers = {time: number for number, time in enumerate(self._times)}
        self._source: VideoSource = open_file(path, strict=strict)
        # Threads end and leave their handles; PyAV's files, parts of cycles, would long stay open.
        self._closed = weakref.finalize(self, self._source.close)
        self._decoded: Iterator[av.VideoFrame] = iter(())
        self._stands = NOWHERE

    def close(self) -> None:
        """Close the file."""
        self._decoded = iter(())
        self._closed()

    def pictures(self, wanted: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
        """Yield the upright pictures (H, W, 3) of frames, which rise, with their numbers."""
        for number, index in enumerate(wanted):
            frame = None if self._untimed else self._frame(index)
            if frame is None:
                yield from self._from_the_first(wanted[number:])
                return
            yield index, self._orientation.apply(self._source.to_rgb(frame))

    def proves(self, sums: Sequence[int]) -> bool:
        """Return whether frames are what they are when decoded from the first, as `sums` has it.

        Every beginning is tried, the last first, with and without steps and old frames that are
        held back, so that what a decoder makes up of a damaged frame shows: that depends on what
        lay in its memory before.
        """
        ends = [*self._keys[1:], len(self._times)]
        for key, end in zip(reversed(self._keys), reversed(ends), strict=True):
            last, every, other = range(end - 1, end), range(key, end), range(key, end, 2)
            for indices, held in ((last, 0), (every, HELD), (other, 0)):
                if not self._prove(indices, sums, deque(maxlen=held)):
                    return False
        return True

    def _prove(
        self, indices: Iterable[int], sums: Sequence[int], held: "deque[av.VideoFrame]"
    ) -> bool:
        for index in indices:
            Worker.check()
            frame = self._frame(index)
            if frame is None or picture_sum(self._source.to_rgb(frame)) != sums[index]:
                return False
            held.append(frame)
        return True

    def _frame(self, index: int) -> av.VideoFrame | None:
        """Return a frame, going on from where decoding stands or from the nearest key before it.

        None if it is not met by way of that key: what is decoded from elsewhere looks like a
        picture and is none.
        """
        place = bisect_right(self._keys, index) - 1
        key = self._keys[place]
        if key <= self._stands <= index:
            return self._met(index, key)
        for sought in self._times_before(place):
            self._decoded = self._source.since(sought, self._times[index])
            if key == index or self._met(key, key) is not None:
                frame = self._met(index, key)
                if frame is not None:
                    return frame
        return None

    def _times_before(self, place: int) -> list[int | None]:
        """Return what to seek, one after another, to come by a key: it, and what is before it."""
        keys = self._keys[max(0, place + 1 - TRIES) : place + 1]
        begin = [None] if len(keys) < TRIES else []
        return [*(self._times[key] for key in reversed(keys)), *begin]

    def _met(self, index: int, key: int) -> av.VideoFrame | None:
        """Return a frame that is still to come out of the decoder; None if it does not, whole."""
        self._stands = NOWHERE
        try:
            for frame in self._decoded:
                number = self._numbers.get(frame.pts) if frame.pts is not None else None
                if number is None or number > index or (frame.is_corrupt and number >= key):
                    return None
                if number == index:
                    self._stands = number + 1
                    return frame
        except av.error.FFmpegError as error:
            _log.debug("%s: frame %d cannot be sought (%s)", self._path, index, error)
        return None

    def _from_the_first(self, wanted: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
        """Decode a file as preparation did, from its first frame to the last wanted one."""
        left = set(wanted)
        with open_video(self._path) as source:
            for number, frame in enumerate(islice(source.frames(), wanted[-1] + 1)):
                if number in left:
                    left.remove(number)
                    yield number, self._orientation.apply(source.to_rgb(frame))
        if left:
            raise UndecodableError(f"it has no frame {min(left)} any more")
