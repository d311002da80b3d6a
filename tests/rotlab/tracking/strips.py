"""Attention maps as a stage leaves them, of given shades."""

from collections.abc import Sequence

import numpy as np

from rotnet.pictures.strip import Row, Strip


def make_strip(
    shade: int = 60,
    *,
    clip: int = 10,
    videos: Sequence[str] = ("fall/1.mp4", "rise/2.mp4"),
    modality: str = "rgb",
    random: int | None = 200,
    role: str = "test",
) -> Strip:
    """Return maps of one shade, beside a random network's of another; None: without that."""
    shades: dict[Row, int] = {"clip": clip, "network": shade}
    if random is not None:
        shades["random"] = random
    return Strip(
        videos=tuple(videos),
        role=role,
        modality=modality,
        stage="layer2",
        frame=9,
        frames=16,
        pictures={
            row: np.full((len(videos), 8, 8, 3), value, dtype=np.uint8)
            for row, value in shades.items()
        },
        places={row: ("upper left", *[""] * (len(videos) - 1)) for row in shades if row != "clip"},
    )
