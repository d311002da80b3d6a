"""The pictures of a prepared set, by video and frame number, whatever their format."""

import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rotnet.data.framestore.codec import Crop, DamagedPacketError, Pixels, Run
from rotnet.data.framestore.formats import codec_of
from rotnet.data.framestore.index import read_index
from rotnet.data.framestore.layout import INDEX_FILE, Record, origin_of
from rotnet.data.framestore.reading import Read, places_of, reads_of
from rotnet.data.framestore.shards import LocalShards, Shards
from rotnet.data.framestore.staged import StagedShards
from rotnet.data.framestore.verified import check_stored
from rotnet.data.originals import Originals
from rotnet.data.video import Video
from rotnet.errors import DataError


class FrameReader:
    """Reads frames of the store in a folder. Safe to use from threads.

    A file of the store is checked before its first use on this node; see
    `rotnet.data.framestore.verified`.
    """

    def __init__(self, folder: Path, *, verify: bool = False, videos: Iterable[Video] = ()) -> None:
        """Open the store of the prepared set in `folder`.

        Args:
            folder: of the set.
            verify: check every stored clip too, each time it is read.
            videos: those that will be read; of a set in object storage, what they need is staged.

        Raises:
            DataError: if there is none, or its index is damaged.
        """
        self._folder, self._verify = folder, verify
        record = Record.load(folder)
        check_stored(folder / INDEX_FILE, record.index)
        self._storage, self._url = record.storage, origin_of(folder)
        self._index = read_index(folder / INDEX_FILE)
        if record.source is not None:
            self._originals = Originals(Path(record.source), self._index)
            return
        self._codec = codec_of(record.storage)
        self._num_shards = len(record.shards)
        self._shards: Shards
        if self._url is None:
            self._shards = LocalShards(folder, record)
        else:
            shards = range(self._num_shards)
            needed = {video.shard for video in videos if video.kept and video.shard in shards}
            staged = StagedShards(folder, record, self._url, needed)
            weakref.finalize(self, staged.give_up)  # a reader that is dropped stages no more
            self._shards = staged

    def __repr__(self) -> str:
        return f"FrameReader({self._folder}, {self._storage}, {len(self._index)} frames)"

    def read(
        self,
        video: Video,
        indices: Sequence[int] | slice,
        *,
        crop: Crop | None = None,
        out: Pixels | None = None,
    ) -> Pixels:
        """Return frames of a video, in the order asked for.

        Args:
            video: a kept row of this set's manifest.
            indices: frame numbers in [0, video.frames), repeats allowed, or a slice of them.
            crop: what is wanted of each picture; None is all.
            out: written to and returned, where given.

        Returns:
            (len(indices), H, W, 3) uint8, RGB, which the caller owns.

        Raises:
            IndexError: if a frame number is out of range, or the crop leaves the picture.
            ValueError: if `out` has another shape.
            DataError: if the set holds no such video, or what it holds is damaged.
        """
        chosen = range(video.frames)[indices] if isinstance(indices, slice) else indices
        crop = crop or Crop.whole(video.stored_height, video.stored_width)
        self._check(video, chosen, crop)
        shape = (len(chosen), crop.height, crop.width, 3)
        if out is None:
            out = np.empty(shape, np.uint8)
        if out.shape != shape:
            raise ValueError(f"out has shape {out.shape}, where {shape} are asked for")
        if not len(chosen):
            return out
        places = places_of(chosen)
        if self._storage == "source":
            self._originals.read(video, places, crop, out)
            return out
        packets = self._index[video.packet : video.packet + video.frames]
        ends = np.cumsum(packets["size"], dtype=np.int64)
        for read in reads_of(places, self._codec.group):
            self._decode(video, read, packets, ends, places, crop, out)
        return out

    def _decode(
        self,
        video: Video,
        read: Read,
        packets: NDArray[np.void],
        ends: NDArray[np.int64],
        places: dict[int, list[int]],
        crop: Crop,
        out: Pixels,
    ) -> None:
        begin = int(ends[read.first] - packets["size"][read.first])
        stop = int(ends[read.end - 1])
        found = self._shards.read(video.shard, video.offset + begin, video.offset + stop)
        data = found.data
        if data.size != stop - begin:
            raise self._damaged(video, "its bytes lie beyond the end of the file")
        rows = packets[read.first : read.end]
        if self._verify or not found.checked:
            self._check_packets(video, data, rows)
        wanted = [(index - read.first, places[index]) for index in read.wanted]
        run = Run(data, rows["size"].tolist(), wanted)
        try:
            self._codec.decode(run, video.stored_height, video.stored_width, crop, out)
        except DamagedPacketError as error:
            raise self._damaged(video, str(error)) from error

    def _check_packets(self, video: Video, data: Pixels, packets: NDArray[np.void]) -> None:
        begin = 0
        for size, crc in zip(packets["size"].tolist(), packets["crc"].tolist(), strict=True):
            if crc32(data[begin : begin + size].tobytes()) != crc:
                raise self._damaged(video, "the checksum of a frame is not what was written")
            begin += size

    def _check(self, video: Video, chosen: Sequence[int], crop: Crop) -> None:
        for index in chosen:
            if not 0 <= index < video.frames:
                raise IndexError(
                    f"{video.path}: frame {index} is out of range; there are [0, {video.frames})"
                )
        if not video.kept:
            raise DataError(f"{self._folder} holds no frames of {video.path} ({video.status})")
        indexed = 0 <= video.packet <= len(self._index) - video.frames
        stored = self._storage == "source" or 0 <= video.shard < self._num_shards
        if not (indexed and stored and video.offset >= 0):
            raise self._damaged(video, "the store holds no such frames")
        down = 0 <= crop.top < crop.top + crop.height <= video.stored_height
        if not (down and 0 <= crop.left < crop.left + crop.width <= video.stored_width):
            raise IndexError(
                f"{video.path}: {crop} leaves its pictures of "
                f"{video.stored_width}x{video.stored_height}"
            )

    def _damaged(self, video: Video, what: str) -> DataError:
        where, way_out = str(self._folder), "prepare the set again, with the same command"
        if self._url is not None:
            where, way_out = self._url, "upload the set again"
        return DataError(f"{where}: frames of {video.path} are damaged ({what}): {way_out}")
