"""A JPEG file for each picture: any picture by itself, a tenth of the bytes of raw.

Full colour (4:4:4): the chroma of 4:2:0 would lie on a grid of its own, off which rotations can be
read. The standard's table for luma (ITU-T T.81, annex K) quantises waves across a picture otherwise
than waves down it, which tells quarter turns of noise at 0.37 where chance is 0.25; its mean with
its own transpose does not care which way a picture lies (0.29, as H.264 at such quality).
"""

import io
from collections.abc import Iterable, Iterator
from itertools import accumulate

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from rotnet.data.framestore.codec import Crop, DamagedPacketError, Pixels, Run

QUALITY = 90
FULL_COLOUR = 0  # Pillow's number for 4:4:4
# Both tables row by row, from the longest wave to the shortest; that for colour is symmetric.
LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
COLOUR = np.full((8, 8), 99)
COLOUR[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]


def table(standard: NDArray[np.int_], quality: int) -> list[int]:
    """Return a standard table made symmetric, for a quality of 50 to 100, as libjpeg scales it."""
    even = (standard + standard.T) // 2
    return np.clip((even * (200 - 2 * quality) + 50) // 100, 1, 255).ravel().tolist()


_TABLES = [table(LUMA, QUALITY), table(COLOUR, QUALITY)]


class JpegCodec:
    """Encodes with Pillow and decodes with simplejpeg, both on libjpeg-turbo."""

    group = 1

    def encode(self, pictures: Iterable[Pixels]) -> Iterator[bytes]:
        """Yield each picture as a JPEG file."""
        for picture in pictures:
            file = io.BytesIO()
            image = Image.fromarray(np.ascontiguousarray(picture))
            image.save(file, "JPEG", subsampling=FULL_COLOUR, qtables=_TABLES)
            yield file.getvalue()

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
