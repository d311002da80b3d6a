"""Whole pictures from interlaced ones, whose odd and even rows are of two moments.

Left in, the comb of a moving edge lies along rows and turns with the picture: it would tell how a
clip was rotated. FFmpeg's bwdif makes one whole picture of each frame, and leaves alone those that
are not marked as interlaced.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Any

import av
import av.filter


def progressive(frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Yield as many frames, in order; those marked as interlaced are made whole.

    Nothing is done to a video before its first interlaced frame. Where `frames` ends by an error,
    what came before it is yielded first.

    Args:
        frames: of one size and format.
    """
    source = iter(frames)
    for frame in source:
        if frame.interlaced_frame:
            yield from _deinterlaced(frame, source)
            return
        yield frame


def _deinterlaced(
    first: av.VideoFrame, rest: Iterator[av.VideoFrame]
) -> Generator[av.VideoFrame, None, None]:
    """Yield a frame and those after it through the filter, which looks one frame ahead."""
    graph = _graph(first)
    ended: Exception | None = None
    graph.vpush(first)
    while ended is None:
        yield from _pulled(graph)
        try:
            graph.vpush(next(rest))
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001  (raised again, after what came before it)
            ended = error
    graph.vpush(None)
    yield from _pulled(graph)
    if ended is not None:
        raise ended


def _graph(frame: av.VideoFrame) -> Any:  # noqa: ANN401  # PyAV's stubs leave much of it out
    graph = av.filter.Graph()
    begin = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    middle = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
    end = graph.add("buffersink")
    begin.link_to(middle)
    middle.link_to(end)
    graph.configure()
    return graph


def _pulled(graph: Any) -> Iterator[av.VideoFrame]:  # noqa: ANN401  # see above
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
