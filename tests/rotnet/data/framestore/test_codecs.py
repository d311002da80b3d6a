"""Storage formats: every one gives back what was put in, or says that it cannot."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from numpy.typing import NDArray

from rotnet.data.framestore.codec import Codec, Crop, DamagedPacketError, Run
from rotnet.data.framestore.formats import FORMATS, codec_of
from rotnet.data.framestore.reading import places_of, reads_of
from rotnet.errors import DataError
from tests.rotnet.data.framestore.samples import Pictures, smooth

LEAST_PSNR = {"raw": np.inf, "jpeg": 44.0, "h264": 33.0}  # decibels


@pytest.fixture(params=FORMATS)
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def codec(storage: str) -> Codec:
    return codec_of(storage)


def packed(pictures: Iterable[NDArray[np.uint8]], storage: str) -> list[bytes]:
    return list(codec_of(storage).encode(pictures))


def read(
    codec: Codec,
    packets: Sequence[bytes],
    size: tuple[int, int],
    indices: Sequence[int] | None = None,
    crop: Crop | None = None,
) -> Pictures:
    """Return pictures in the order asked for, by as many runs as a reader would make of it."""
    chosen = range(len(packets)) if indices is None else indices
    crop = crop or Crop.whole(*size)
    out = np.full((len(chosen), crop.height, crop.width, 3), 99, np.uint8)
    places = places_of(chosen)
    for part in reads_of(places, codec.group):
        some = packets[part.first : part.end]
        wanted = [(index - part.first, places[index]) for index in part.wanted]
        data = np.frombuffer(b"".join(some), np.uint8)
        codec.decode(Run(data, [len(packet) for packet in some], wanted), *size, crop, out)
    return out


def psnr(one: Pictures, other: Pictures) -> float:
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else np.inf


class TestCodec:
    @pytest.mark.parametrize("size", [(48, 64), (47, 64), (48, 61), (33, 35), (16, 16), (1, 1)])
    @pytest.mark.parametrize("num_frames", [1, 7, 8, 9, 20])
    def test_pictures_come_back(
        self, storage: str, codec: Codec, size: tuple[int, int], num_frames: int
    ) -> None:
        pictures = smooth(num_frames, *size)
        packets = packed(pictures, storage)
        assert len(packets) == num_frames
        found = read(codec, packets, size)
        assert psnr(found, pictures) >= LEAST_PSNR[storage]

    def test_equal_pictures_give_equal_bytes(self, storage: str, codec: Codec) -> None:
        pictures = smooth(12, 34, 50)
        first = list(codec.encode(pictures))
        list(codec.encode(smooth(5, 20, 20, seed=1)))
        assert list(codec.encode(iter(pictures))) == first == packed(pictures, storage)
        turned = np.rot90(np.rot90(pictures, axes=(1, 2)), -1, axes=(1, 2))  # no contiguous array
        assert list(codec.encode(turned)) == first

    def test_no_pictures_are_no_packets(self, codec: Codec) -> None:
        assert list(codec.encode([])) == []

    @pytest.mark.parametrize("size", [(48, 64), (37, 51)])
    def test_a_crop_is_that_part_of_the_whole_picture(
        self, storage: str, codec: Codec, size: tuple[int, int]
    ) -> None:
        packets = packed(smooth(10, *size), storage)
        whole = read(codec, packets, size)
        rng = np.random.default_rng(0)
        crops = [Crop(0, 0, 1, 1), Crop(size[0] - 1, size[1] - 1, 1, 1), Crop(1, 3, 16, 16)]
        for _ in range(30):
            top, left = (int(rng.integers(side)) for side in size)
            height = int(rng.integers(1, size[0] - top + 1))
            crops.append(Crop(top, left, height, int(rng.integers(1, size[1] - left + 1))))
        for crop in crops:
            found = read(codec, packets, size, crop=crop)
            np.testing.assert_array_equal(found, whole[:, crop.rows, crop.columns])

    @pytest.mark.parametrize(
        "indices",
        [
            [5],
            [19],
            [0, 0, 0],
            [3, 2, 1, 0],
            [19, 0],
            [0, 3, 6, 9, 12, 15, 18, 1, 4],
            [14, 17, 0, 3, 6],
            [7, 8],
            [8, 7],
            [15, 16, 15, 16, 2],
            list(range(0, 20, 2)),
            list(range(20)) * 2,
        ],
    )
    def test_frames_come_in_the_order_asked_for(
        self, storage: str, codec: Codec, indices: list[int]
    ) -> None:
        packets = packed(smooth(20, 34, 50), storage)
        whole = read(codec_of(storage), packets, (34, 50))
        np.testing.assert_array_equal(read(codec, packets, (34, 50), indices), whole[indices])

    def test_any_frame_can_come_first_and_alone(self, storage: str, codec: Codec) -> None:
        packets = packed(smooth(20, 34, 50), storage)
        whole = read(codec_of(storage), packets, (34, 50))
        for index in np.random.default_rng(0).permutation(20).tolist():
            found = read(codec, packets, (34, 50), [index])
            np.testing.assert_array_equal(found[0], whole[index])

    def test_nothing_of_one_clip_is_left_for_the_next(self, storage: str, codec: Codec) -> None:
        """Decoders are kept and not flushed, and runs end in any place of a group."""
        sizes = [(48, 64), (48, 64), (34, 50), (64, 48), (17, 31)]
        videos = [packed(smooth(20, *size, seed=n), storage) for n, size in enumerate(sizes)]
        whole = [
            read(codec_of(storage), packets, size)
            for packets, size in zip(videos, sizes, strict=True)
        ]
        rng = np.random.default_rng(0)
        for _ in range(150):
            number = int(rng.integers(len(sizes)))
            start, length = int(rng.integers(20)), int(rng.integers(1, 12))
            indices = [(start + k * int(rng.integers(1, 4))) % 20 for k in range(length)]
            found = read(codec, videos[number], sizes[number], indices)
            np.testing.assert_array_equal(found, whole[number][indices])

    def test_threads_get_what_one_alone_gets(self, storage: str, codec: Codec) -> None:
        sizes = [(48, 64), (34, 50), (48, 64)]
        videos = [packed(smooth(18, *size, seed=n), storage) for n, size in enumerate(sizes)]
        jobs = [(number, start) for start in range(14) for number in range(len(sizes))] * 2

        def clip(job: tuple[int, int], own: Codec) -> Pictures:
            number, start = job
            return read(own, videos[number], sizes[number], [start, start + 4, start + 1])

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda job: clip(job, codec), jobs))
        alone = codec_of(storage)
        for job, clips in zip(jobs, found, strict=True):
            np.testing.assert_array_equal(clips, clip(job, alone))

    @pytest.mark.parametrize("harm", ["cut", "flip", "head", "zeros", "swap", "noise", "empty"])
    def test_damage_is_named_or_gives_pictures_and_leaves_nothing_behind(
        self, storage: str, codec: Codec, harm: str
    ) -> None:
        size = (34, 50)
        packets = packed(smooth(18, *size), storage)
        others = {(34, 50): smooth(18, 34, 50, seed=5), (48, 64): smooth(18, 48, 64, seed=6)}
        sound = {shape: packed(pictures, storage) for shape, pictures in others.items()}
        whole = {shape: read(codec_of(storage), sound[shape], shape) for shape in others}
        rng = np.random.default_rng(0)
        for _ in range(60):
            damaged = harmed(packets, harm, codec.group, rng)
            with suppress(DamagedPacketError):
                read(codec, damaged, size)
            shape = size if rng.integers(2) else (48, 64)
            start = int(rng.integers(18))
            again = read(codec, sound[shape], shape, range(start, 18))
            np.testing.assert_array_equal(again, whole[shape][start:])

    def test_pictures_of_another_size_are_damage(self, storage: str, codec: Codec) -> None:
        packets = packed(smooth(9, 48, 64), storage)
        for size in [(32, 32), (48, 48), (50, 64)]:
            with pytest.raises(DamagedPacketError):
                read(codec, packets, size)
            found = read(codec, packets, (48, 64))
            np.testing.assert_array_equal(found, read(codec_of(storage), packets, (48, 64)))


def harmed(
    packets: Sequence[bytes], harm: str, group: int, rng: np.random.Generator
) -> list[bytes]:
    """Return packets of which one, or one and another, are not what they were."""
    found = [bytearray(packet) for packet in packets]
    number = int(rng.integers(len(found)))
    if harm == "head":
        number -= number % group
    chosen = found[number]
    if harm == "cut":
        del chosen[int(rng.integers(len(chosen))) :]
    elif harm in ("flip", "head"):
        reach = min(60, len(chosen)) if harm == "head" else len(chosen)
        for _ in range(rng.integers(1, 5)):
            chosen[int(rng.integers(reach))] ^= 1 << int(rng.integers(8))
    elif harm == "zeros":
        chosen[:] = bytes(len(chosen))
    elif harm == "swap":
        other = int(rng.integers(len(found)))
        found[number], found[other] = found[other], chosen
    elif harm == "noise":
        chosen[:] = rng.bytes(len(chosen))
    else:
        chosen.clear()
    return [bytes(packet) for packet in found]


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"'h265'; did you mean 'h264'\? \(raw, jpeg, h264\)"):
        codec_of("h265")
