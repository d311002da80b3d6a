"""The whole frames of one video file, and what makes them upright. PyAV only; nothing is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.video.stream
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import PictureType
from numpy.typing import NDArray

from rotnet.data.deinterlace import progressive
from rotnet.data.rgb import RgbConverter

BEFORE_ALL_S = 10  # a file's first packets may be so much older than its first frame
DECLARED_SHORTFALL = 0.02  # share of the declared frames that may be missing from a whole file

# Metadata need not be text. PyAV asks how to take it up to version 18, and takes it so from 19 on.
_LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)

_ALL_ERRORS = "crccheck+bitstream+buffer+explode"


class UndecodableError(Exception):
    """Not one whole frame comes out of a file; the text says why."""


class CutShortError(Exception):
    """Frames came out of a file and then a damaged part; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """What makes a frame upright: quarter turns counter-clockwise, then perhaps a flip."""

    turns: int
    mirrored: bool

    def apply(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (H, W, 3) upright: (H, W, 3), or (W, H, 3) after an odd number of turns."""
        upright = np.rot90(frame, self.turns)
        return upright[:, ::-1] if self.mirrored else upright


def read_display_matrix(matrix: bytes) -> Orientation:
    """Return what a container's display matrix asks for.

    The matrix is nine native-endian int32, row by row; a pixel at (x, y) is shown at (a x + c y, b
    x + d y), with y pointing down (ISO 14496-12, 6.2.2; libavutil/display.h). Worked: (a, b, c, d)
    = (0, 1, -1, 0) shows the left column as the top row, a turn by 90 degrees clockwise: 3 turns.

    Raises:
        UndecodableError: if it is no quarter turn.
    """
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, dtype=np.int32)[:5])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, c = -a, -c
    main, rest = (a, b) if abs(a) >= abs(b) else (b, a)
    if abs(rest) > 0.01 * abs(main) or main == 0:
        raise UndecodableError("its display matrix is no quarter turn; re-encode it upright")
    if main == a:
        return Orientation(0 if a > 0 else 2, mirrored)
    return Orientation(3 if b > 0 else 1, mirrored)


@dataclass(slots=True)
class VideoSource:
    """An open video.

    Args:
        fps: frames per second, the average that the container gives.
        pixel_aspect: width of a pixel by its height, before any turn.
        interlaced: whether a frame was, among those that `frames` has looked at.
    """

    fps: float
    pixel_aspect: Fraction
    _container: av.container.InputContainer = field(repr=False)
    _stream: av.video.stream.VideoStream = field(repr=False)
    _converter: RgbConverter = field(default_factory=RgbConverter, repr=False)
    interlaced: bool = False

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield whole frames of one size in order of display, up to the first damaged one.

        Interlaced ones are made progressive. To be called once. Damage before the first whole frame
        is passed over: a video cut out of a longer one may begin so.

        Raises:
            CutShortError: after the last whole frame, if the file does not end there as it should.
            UndecodableError: if there is no whole frame at all.
        """
        yield from progressive(self._of_one_size())

    def since(self, time: int | None, wanted: int) -> Iterator[av.VideoFrame]:
        """Yield frames as they are decoded, from the last place at or before a time on.

        Frames before the wanted time that no other is made from may be missing.

        Args:
            time: of a frame where decoding can begin, in units of the stream; None is before all.
            wanted: time of the first frame that is wanted, likewise.

        Raises:
            FFmpegError: if something does not decode.
        """
        if time is None:
            unit = self._stream.time_base or Fraction(1, av.time_base)
            time = (self._stream.start_time or 0) - round(BEFORE_ALL_S / unit)
        self._container.seek(time, stream=self._stream, backward=True)
        codec = self._stream.codec_context
        codec.open(strict=False)  # dav1d keeps to what it is opened with, and would skip for ever
        for packet in self._container.demux(self._stream):
            if not packet.size and packet.dts is not None:
                continue  # a repeated frame in AVI; the decoder would take it for the end
            early = packet.pts is not None and packet.pts < wanted
            codec.skip_frame = "NONREF" if early else "DEFAULT"
            yield from packet.decode()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def to_rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return a frame's pixels as decoded, whatever their format: (H, W, 3) uint8 RGB.

        Raises:
            UndecodableError: if its format has no way to RGB, or it does not fit into memory.
        """
        try:
            return self._converter(frame).to_ndarray().astype(np.uint8, copy=False)
        except (av.error.FFmpegError, ValueError, MemoryError) as error:
            size = f"{frame.format.name} of {frame.width}x{frame.height}"
            raise UndecodableError(
                f"its frames, {size}, cannot be made RGB ({_reason(error)})"
            ) from error

    @staticmethod
    def orientation(frame: av.VideoFrame) -> Orientation:
        """Return what makes this frame upright.

        Raises:
            UndecodableError: if the container asks for something else than quarter turns.
        """
        entries: Any = frame.side_data  # PyAV's stub gives it the type of one of its entries
        matrix = entries.get(SideDataType.DISPLAYMATRIX)
        return read_display_matrix(bytes(matrix)) if matrix else Orientation(0, mirrored=False)

    def _of_one_size(self) -> Iterator[av.VideoFrame]:
        number, size = 0, (0, 0)
        try:
            for frame in self._whole():
                size = size if number else (frame.width, frame.height)
                if (frame.width, frame.height) != size:
                    raise CutShortError(f"its size changes to {frame.width}x{frame.height}")
                number += 1
                self.interlaced |= bool(frame.interlaced_frame)
                yield frame
        except CutShortError as damage:
            if not number:
                raise UndecodableError(str(damage)) from damage
            raise
        if not number:
            raise UndecodableError("no whole frame comes out of it")

    def _whole(self) -> Iterator[av.VideoFrame]:
        """Yield undamaged frames until the end of the file, or the first damage after one.

        A B-frame may be made from the next frame of another type, and waits for that to be whole.
        """
        started = False
        waiting: list[av.VideoFrame] = []
        for frame in self._decoded():
            if frame.is_corrupt:
                if started:
                    raise CutShortError("a frame is damaged")
                waiting.clear()
                continue
            waiting.append(frame)
            if frame.pict_type != PictureType.B:
                started = True
                yield from waiting
                waiting.clear()
        yield from waiting

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Yield all that the decoder gives, after a cut also what it still held without a gap."""
        last: av.VideoFrame | None = None
        try:
            for packet in self._packets():
                for frame in self._decode(packet, started=last is not None):
                    last = frame
                    yield frame
        except CutShortError:
            for frame in self._held_back():
                if last is None or not self._follows(frame, last):
                    break
                last = frame
                yield frame
            raise

    @staticmethod
    def _decode(
        packet: "av.Packet[av.video.stream.VideoStream]", started: bool
    ) -> list[av.VideoFrame]:
        if not packet.size and packet.dts is not None:
            return []  # a repeated frame in AVI; the decoder would take it for the end
        try:
            return packet.decode()
        except av.error.FFmpegError as error:
            if started:
                raise CutShortError(_reason(error)) from error
            return []

    def _packets(self) -> "Iterator[av.Packet[av.video.stream.VideoStream]]":
        packets = self._container.demux(self._stream)
        number, end_s = 0, 0.0
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                raise CutShortError(_reason(error)) from error
            if packet is None:
                return
            if packet.is_corrupt:
                raise CutShortError("the file is cut off within a frame")
            if packet.dts is None and not packet.size:  # the end: the decoder is asked for the rest
                self._check_declared(number, end_s)
            else:
                number += 1
            if packet.pts is not None and packet.time_base is not None:
                end_s = max(end_s, float(packet.pts * packet.time_base) + 1 / self.fps)
            yield packet

    def _check_declared(self, number: int, end_s: float) -> None:
        """Raise CutShortError if a file that ends in good order declares more than it holds."""
        declared = self._stream.frames
        if number < (1 - DECLARED_SHORTFALL) * declared - 1:
            raise CutShortError(f"the file declares {declared} frames and ends after {number}")
        duration_s = None
        if self._stream.duration is not None and self._stream.time_base is not None:
            duration_s = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration is not None and len(self._container.streams) == 1:
            duration_s = self._container.duration / av.time_base
        if not declared and duration_s and end_s:
            start_s = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
            if end_s - start_s < (1 - DECLARED_SHORTFALL) * duration_s - 2 / self.fps:
                raise CutShortError(f"the file declares {duration_s:.2f} s, and ends early")

    def _held_back(self) -> list[av.VideoFrame]:
        """Return frames that were decoded before the damage and wait for their turn to be shown."""
        try:
            return self._stream.codec_context.decode(None)
        except av.error.FFmpegError:
            return []

    def _follows(self, frame: av.VideoFrame, last: av.VideoFrame) -> bool:
        """Return whether a frame comes right after the last, as far as their times can tell."""
        if frame.pts is None or last.pts is None or frame.time_base is None:
            return False
        return (frame.pts - last.pts) * frame.time_base <= 1.5 / self.fps


@contextmanager
def open_video(path: Path) -> Iterator[VideoSource]:
    """Open a video file for decoding its first video stream, and close it in the end.

    Raises:
        UndecodableError: if it is empty, not a video, or says nothing of its frame rate.
    """
    source = open_file(path)
    try:
        yield source
    finally:
        source.close()


def open_file(path: Path, *, strict: bool = False) -> VideoSource:
    """Open a video file, likewise; the caller closes it.

    Strictly means that whatever a decoder finds damaged is an error, and nothing is made up for it.
    """
    try:
        if not path.is_file():
            raise UndecodableError("it is a broken link or no regular file")
        if not path.stat().st_size:
            raise UndecodableError("the file is empty (0 bytes)")
        # Only local files: a text file may be a playlist that names an address. Not as `options`,
        # for which PyAV up to 17 crashes on a file whose streams are found late, such as MPEG-PS.
        container = av.open(
            str(path.absolute()), container_options={"protocol_whitelist": "file"}, **_LENIENT
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise UndecodableError(f"it cannot be opened as a video ({_reason(error)})") from error
    try:
        source = _first_stream(container)
        if strict:
            container.streams.video[0].codec_context.options = {"err_detect": _ALL_ERRORS}
        return source
    except BaseException:
        container.close()
        raise


def _first_stream(container: av.container.InputContainer) -> VideoSource:
    if not container.streams.video:
        raise UndecodableError("it has no video stream")
    stream = container.streams.video[0]
    codec: Any = stream.codec_context  # None where damage has left no codec, whatever is typed
    if codec is None:
        raise UndecodableError("its video codec is not known")
    codec.thread_count = 1  # one core a video; and damage is met in the same order every time
    rate = stream.average_rate or stream.guessed_rate
    if not rate:
        raise UndecodableError("its frame rate is not stated")
    return VideoSource(float(rate), Fraction(stream.sample_aspect_ratio or 1), container, stream)


def _reason(error: Exception) -> str:
    """Return an error's own words, without the path and the number that FFmpeg's errors carry."""
    return getattr(error, "strerror", None) or str(error)
