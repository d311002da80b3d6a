"""Pictures as they are: three bytes a pixel. The fastest to read, and the largest.

Kept as RGB, not as 4:2:0: a clip is then one strided copy out of mapped memory, with nothing to
convert before every byte of it exists (benchmarks/decode.py).
"""

from collections.abc import Iterable, Iterator

import numpy as np

from rotnet.data.framestore.codec import Crop, DamagedPacketError, Pixels, Run


class RawCodec:
    """Stores (H, W, 3) bytes, row by row."""

    group = 1

    def encode(self, pictures: Iterable[Pixels]) -> Iterator[bytes]:
        """Yield each picture's bytes."""
        for picture in pictures:
            yield np.ascontiguousarray(picture).tobytes()

    def decode(self, run: Run, height: int, width: int, crop: Crop, out: Pixels) -> None:
        """Copy the wanted pictures; evenly spaced ones in one go."""
        if run.data.size != len(run.sizes) * height * width * 3:
            raise DamagedPacketError(
                f"{run.data.size} bytes are not {len(run.sizes)} pictures of {width}x{height}"
            )
        pictures = run.data.reshape(-1, height, width, 3)[:, crop.rows, crop.columns]
        sources = [place for place, _ in run.wanted]
        targets = [shown for _, shown in run.wanted]
        step = sources[1] - sources[0] if len(sources) > 1 else 1
        even = sources == list(range(sources[0], sources[0] + step * len(sources), step))
        if even and targets == [[k] for k in range(len(out))]:
            np.copyto(out, pictures[sources[0] :: step][: len(sources)])
            return
        for source, shown in run.wanted:
            for place in shown:
                out[place] = pictures[source]
