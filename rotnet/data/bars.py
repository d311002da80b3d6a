"""Where the picture ends and its bars begin: brightness in, a rectangle out. No decoding.

A bar is a run of lines at a side of the frame that are flat in space and time and end in a straight
edge: beyond it a large share of the line is brighter, in most frames. The edge is what tells a bar
from a plain background or a night sky, which end raggedly. Left in, bars tell a network how a clip
was turned.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rotnet.data.video import Area

DARK = 40  # brightest level of a bar that one side may have by itself
DARK_TOLERANCE = 12  # compression noise in dark bars of H.264 stays below
BRIGHT_TOLERANCE = 5  # other bars are drawn, not transmitted: nearly noiseless
FLAT_SHARE = 0.99  # of a line's pixels, over all frames, within the tolerance
DARK_EDGE = 0.35  # share of a line beyond a dark bar that must stand out from it, on average
BRIGHT_EDGE = 0.8
LEAST_LEFT = 0.3  # of a side's length; where less would be left, the side is not cut
MAX_PASSES = 4


def brightness(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what `find_area` looks at: (H, W), the brightest channel of (H, W, 3)."""
    return np.maximum(np.maximum(frame[..., 0], frame[..., 1]), frame[..., 2])


def find_area(frames: NDArray[np.uint8]) -> Area:
    """Return the picture without its bars and without the half-dark lines beside them.

    Args:
        frames: (N, H, W) brightness of frames spread over the video.

    Returns:
        The area in pixels of these frames; all of them where there are no bars, or where nothing
        but bars would be found. At most 70 % of a side's length is cut.
    """
    _, height, width = frames.shape
    top, bottom, left, right = 0, height, 0, width
    for _ in range(MAX_PASSES):
        before = (top, bottom, left, right)
        picture = frames[:, top:bottom, left:right]
        first, last = _cuts(picture)
        top, bottom = top + first, bottom - last
        picture = frames[:, top:bottom, left:right]
        first, last = _cuts(picture.swapaxes(1, 2))
        left, right = left + first, right - last
        if before == (top, bottom, left, right):
            break
    if bottom - top < LEAST_LEFT * height:
        top, bottom = 0, height
    if right - left < LEAST_LEFT * width:
        left, right = 0, width
    return Area(x=left, y=top, width=right - left, height=bottom - top)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A run of flat lines: how many, how bright, and whether one side alone is proof of it."""

    lines: int
    level: float

    @property
    def dark(self) -> bool:
        return self.level <= DARK


def _cuts(lines: NDArray[np.uint8]) -> tuple[int, int]:
    """Return how many lines to cut at both ends of (N, L, P): frames, lines, positions."""
    reverse = lines[:, ::-1]
    first, last = _bar(lines), _bar(reverse)
    # A white sky over a straight roof ends in an edge as well: a bar that is not dark needs its
    # like opposite.
    twins = first and last and abs(first.level - last.level) <= BRIGHT_TOLERANCE
    first = first if first and (first.dark or twins) else None
    last = last if last and (last.dark or twins) else None
    cut_first, cut_last = _through_transition(lines, first), _through_transition(reverse, last)
    return (cut_first, cut_last) if cut_first + cut_last < lines.shape[1] else (0, 0)


def _bar(lines: NDArray[np.uint8]) -> _Bar | None:
    """Return the bar that (N, L, P) begins with, if it begins with one."""
    level = float(np.median(lines[:, 0]))
    tolerance, edge = (
        (DARK_TOLERANCE, DARK_EDGE) if level <= DARK else (BRIGHT_TOLERANCE, BRIGHT_EDGE)
    )
    stands_out = np.abs(lines.astype(np.int16) - round(level)) > tolerance
    share = stands_out.mean(axis=(0, 2))
    ragged = np.flatnonzero(share > 1 - FLAT_SHARE)
    if not ragged.size or not ragged[0]:
        return None  # all is flat, or the first line is not
    run = int(ragged[0])
    beyond = share[run : run + _reach(lines) + 1]
    return _Bar(run, level) if beyond.max() >= edge else None


def _through_transition(lines: NDArray[np.uint8], bar: _Bar | None) -> int:
    """Return how many lines of (N, L, P) to cut: the bar, what it darkens, one line for chroma.

    Without a bar, at most a few lines that are darker than those beyond at nearly every position
    (the shadow that scaling or an analogue edge leaves).
    """
    level, ratio, share = (bar.level, 0.85, 0.9) if bar else (0.0, 0.7, 0.97)
    start = bar.lines if bar else 0
    reach = _reach(lines)
    means = lines[:, start : start + 2 * reach + 5].astype(np.float32).mean(axis=0)
    contrast = np.abs(means - level)
    cut = 0
    while cut < reach and cut + 5 <= len(contrast):
        here, beyond = contrast[cut], contrast[cut + 2 : cut + 5].mean(axis=0)
        if here.mean() >= ratio * beyond.mean() or (here < beyond).mean() < share:
            break
        cut += 1
    return start + cut + (1 if bar else 0)


def _reach(lines: NDArray[np.uint8]) -> int:
    """Return how many lines a transition may have: ringing grows with the size of the picture."""
    return max(3, round(0.03 * lines.shape[1]))
