"""Colours for numbers in [0, 1]: two ramps whose lightness rises or falls all along, and overlays.

Arrays only. Colours between the control points, which are our own, are interpolated in sRGB.
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_STEPS = 256
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_CONTRAST = 0.6  # of a picture below heat, by that of the picture itself


def _ramp(*points: tuple[int, int, int]) -> Pixels:
    """Return (256, 3) colours through control points at equal distances."""
    places = np.linspace(0.0, 1.0, len(points))
    wanted = np.linspace(0.0, 1.0, _STEPS)
    channels = [np.interp(wanted, places, channel) for channel in zip(*points, strict=True)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


# From dark blue over purple and orange to light yellow: lightness rises.
HEAT = _ramp(
    (12, 10, 54), (78, 18, 122), (158, 38, 116), (222, 82, 64), (250, 156, 36), (253, 240, 138)
)
# From white to dark blue, for print: lightness falls.
INK = _ramp((255, 255, 255), (184, 211, 237), (104, 161, 212), (33, 102, 172), (8, 40, 92))


def coloured(values: NDArray[np.floating], ramp: Pixels) -> Pixels:
    """Return the colours of values.

    Args:
        values: of any shape, in [0, 1]; what lies beyond is held at the ends.
        ramp: (256, 3).

    Returns:
        values.shape + (3,) uint8.

    Raises:
        ValueError: if a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("values must be finite to have a colour")
    return ramp[(np.clip(values, 0.0, 1.0) * (_STEPS - 1)).round().astype(np.intp)]


def overlaid(pictures: Pixels, heat: NDArray[np.floating], opacity: float = 0.5) -> Pixels:
    """Return pictures in soft grey with heat laid over them.

    Every colour is then the heat's, and lightness mostly.

    Args:
        pictures: (..., H, W, 3) RGB.
        heat: (..., H, W) in [0, 1].
        opacity: share of the heat's colour, in [0, 1].

    Returns:
        (..., H, W, 3) uint8.

    Raises:
        ValueError: if the shapes differ.
    """
    if pictures.shape[:-1] != heat.shape:
        raise ValueError(
            f"pictures {pictures.shape} need heat {pictures.shape[:-1]}, got {heat.shape}"
        )
    grey = 128 + _CONTRAST * ((pictures @ np.array(_LUMA))[..., None] - 128)
    mixed = (1.0 - opacity) * grey + opacity * coloured(heat, HEAT)
    return mixed.round().astype(np.uint8)
