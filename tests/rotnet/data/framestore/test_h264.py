"""H.264 packets: their colour turns with the picture, and foreign streams are refused."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import av
import av.error
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rotnet.data.framestore.codec import Crop, DamagedPacketError, Run
from rotnet.data.framestore.h264 import GROUP, OPTIONS, H264Codec, _planes, _Sheet, _to_420
from rotnet.data.rgb import RgbConverter
from rotnet.errors import DataError
from tests.rotnet.data.framestore.samples import smooth

Plane = NDArray[np.uint8]
SIDES = st.integers(1, 40).map(lambda half: 2 * half)
TURNS = st.integers(1, 3)


def planes_of(picture: NDArray[np.uint8]) -> list[Plane]:
    return [plane.copy() for plane in _planes(_to_420(picture))]


def shown(planes: list[Plane]) -> NDArray[np.uint8]:
    sheet = _Sheet(1, *planes[0].shape)
    for index, plane in enumerate(planes):
        sheet._planes[index][:] = plane
    return sheet.to_rgb(RgbConverter())[0].copy()


@given(height=SIDES, width=SIDES, turns=TURNS, seed=st.integers(0, 999))
def test_the_planes_of_a_turned_picture_are_the_turned_planes(
    height: int, width: int, turns: int, seed: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = [np.rot90(plane, turns) for plane in planes_of(picture)]
    for plane, reference in zip(planes_of(np.rot90(picture, turns)), expected, strict=True):
        np.testing.assert_array_equal(plane, reference)


@given(height=SIDES, width=SIDES, turns=TURNS, seed=st.integers(0, 999))
def test_turned_planes_are_shown_as_the_turned_picture(
    height: int, width: int, turns: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sizes = [(height, width), *[(height // 2, width // 2)] * 2]
    planes = [rng.integers(0, 256, size, dtype=np.uint8) for size in sizes]
    turned = shown([np.rot90(plane, turns) for plane in planes])
    np.testing.assert_array_equal(turned, np.rot90(shown(planes), turns))


def test_each_chroma_sample_is_shown_in_its_four_pixels() -> None:
    planes = [np.full((8, 12), 110, np.uint8), *np.full((2, 4, 6), 128, np.uint8)]
    planes[1][1, 2] = 200
    picture = shown(planes)
    odd = (picture != picture[0, 0]).any(axis=-1)
    assert np.argwhere(odd).tolist() == [[2, 4], [2, 5], [3, 4], [3, 5]]


def test_plain_colours_come_back_to_a_few_levels() -> None:
    for colour in product((0, 60, 128, 200, 255), repeat=3):
        picture = np.full((2, 2, 3), colour, np.uint8)
        assert np.abs(shown(planes_of(picture)).astype(int) - picture).max() <= 4


def test_equal_pictures_give_equal_bytes_whatever_lay_in_memory() -> None:
    rng = np.random.default_rng(0)
    pictures = smooth(20, 32, 44)
    found = set()
    for _ in range(200):
        litter = [rng.bytes(int(size)) for size in rng.integers(1_000, 300_000, 3)]
        found.add(b"".join(H264Codec().encode(iter(pictures))))
        del litter
    assert len(found) == 1


def test_a_picture_with_odd_sides_repeats_its_last_row_and_column() -> None:
    picture = smooth(1, 5, 7)[0]
    luma, *chroma = planes_of(picture)
    assert luma.shape == (6, 8)
    assert [plane.shape for plane in chroma] == [(3, 4)] * 2
    np.testing.assert_array_equal(luma[-1], luma[-2])
    np.testing.assert_array_equal(luma[:, -1], luma[:, -2])


def stream(pixels: str, **options: str) -> list[bytes]:
    """Return packets of another encoder's making."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 48, 40, pixels
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.thread_count = 1
    encoder.options = {**OPTIONS, **options}
    packets = []
    for number, picture in enumerate(smooth(GROUP, 40, 48)):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
        frame.pts = number
        packets += list(map(bytes, encoder.encode(frame)))
    return packets + list(map(bytes, encoder.encode(None)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: stream("yuv444p"),
        lambda: stream("yuv422p"),
        lambda: stream("yuv420p10le"),
        lambda: stream("yuvj420p"),
        lambda: stream("yuv420p", **{"x264-params": "keyint=8:bframes=3"}),
    ],
    ids=["444", "422", "ten bits", "full range", "later pictures needed"],
)
def test_streams_that_this_project_does_not_write_are_refused(
    make: Callable[[], list[bytes]],
) -> None:
    codec, packets = H264Codec(), make()
    sound = list(codec.encode(smooth(GROUP, 40, 48, seed=1)))
    expected = decoded(H264Codec(), sound)
    with pytest.raises(DamagedPacketError):
        decoded(codec, packets)
    np.testing.assert_array_equal(decoded(codec, sound), expected)


def decoded(codec: H264Codec, packets: list[bytes]) -> NDArray[np.uint8]:
    wanted = [(number, [number]) for number in range(len(packets))]
    run = Run(np.frombuffer(b"".join(packets), np.uint8), [len(p) for p in packets], wanted)
    out = np.empty((len(packets), 40, 48, 3), np.uint8)
    codec.decode(run, 40, 48, Crop.whole(40, 48), out)
    return out


def test_a_decoder_is_kept_until_it_fails() -> None:
    codec = H264Codec()
    packets = list(codec.encode(smooth(GROUP, 40, 48)))
    decoded(codec, packets)
    kept = codec._own.decoder
    decoded(codec, packets)
    assert codec._own.decoder is kept
    with pytest.raises(DamagedPacketError):
        decoded(codec, [packets[0], bytes(100)])
    assert not hasattr(codec._own, "decoder")


def test_only_what_is_needed_is_decoded() -> None:
    """Packets after the last wanted one of a group may be anything."""
    codec = H264Codec()
    packets = list(codec.encode(smooth(2 * GROUP, 40, 48)))
    whole = decoded(codec, packets)
    harmed = [*packets[:4], *[b"\xff" * 50] * 4, *packets[8:10], *[b"\xff" * 50] * 6]
    run = Run(
        np.frombuffer(b"".join(harmed), np.uint8),
        [len(packet) for packet in harmed],
        [(3, [0]), (9, [1])],
    )
    out = np.empty((2, 40, 48, 3), np.uint8)
    codec.decode(run, 40, 48, Crop.whole(40, 48), out)
    np.testing.assert_array_equal(out, whole[[3, 9]])


def test_where_there_is_no_encoder_other_formats_are_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def create(name: str, mode: str) -> None:
        raise av.error.EncoderNotFoundError(1, f"{name}, {mode}")

    monkeypatch.setattr(av.CodecContext, "create", create)
    with pytest.raises(DataError, match=r"no H\.264 encoder .* 'raw' or 'jpeg'"):
        list(H264Codec().encode(smooth(1, 16, 16)))
