"""The storage formats by name."""

from typing import Literal, get_args

from rotnet.data.framestore.codec import Codec
from rotnet.data.framestore.h264 import H264Codec
from rotnet.data.framestore.jpeg import JpegCodec
from rotnet.data.framestore.raw import RawCodec
from rotnet.errors import DataError, offer

Format = Literal["raw", "jpeg", "h264"]
FORMATS: tuple[Format, ...] = get_args(Format)
_CODECS: dict[str, type[RawCodec] | type[JpegCodec] | type[H264Codec]] = {
    "raw": RawCodec,
    "jpeg": JpegCodec,
    "h264": H264Codec,
}


def codec_of(name: str) -> Codec:
    """Return what reads and writes a format.

    Raises:
        DataError: if there is no such format.
    """
    if name not in _CODECS:
        raise DataError(f"there is no storage format {name!r}; {offer(name, FORMATS)}")
    return _CODECS[name]()
