"""A JPEG file for each picture: any picture by itself, a tenth of the bytes of raw.

Quality 90 with full colour (4:4:4): the chroma of 4:2:0 would lie on a grid of its own, off which
rotations can be read, and costs 1 to 2 dB for a sixth of the bytes (benchmarks/decode.py).
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate

import numpy as np
import simplejpeg

from rotnet.data.framestore.codec import Crop, DamagedPacketError, Pixels, Run

QUALITY = 90


class JpegCodec:
    """Encodes and decodes with libjpeg-turbo, by simplejpeg."""

    group = 1
    lossy = True

    def encode(self, pictures: Iterable[Pixels]) -> Iterator[bytes]:
        """Yield each picture as a JPEG file."""
        for picture in pictures:
            yield simplejpeg.encode_jpeg(
                np.ascontiguousarray(picture), quality=QUALITY, colorsubsampling="444"
            )

    def decode(self, run: Run, height: int, width: int, crop: Crop, out: Pixels) -> None:
        """Decode the wanted pictures only."""
        ends = list(accumulate(run.sizes))
        room = np.empty((height, width, 3), np.uint8)  # one for all of them
        for source, shown in run.wanted:
            data = run.data[ends[source] - run.sizes[source] : ends[source]]
            try:
                found = simplejpeg.decode_jpeg_header(data)[:2]
                if found != (height, width):
                    raise DamagedPacketError(
                        f"a picture of {found[1]}x{found[0]}, not {width}x{height}"
                    )
                picture = simplejpeg.decode_jpeg(data, buffer=room)
            except ValueError as error:
                raise DamagedPacketError(f"no JPEG picture ({error})") from error
            for place in shown:
                out[place] = picture[crop.rows, crop.columns]
