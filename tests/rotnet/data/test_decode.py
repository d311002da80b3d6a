"""Decoding, on files whose upright picture is known because the test drew it."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rotnet.data.decode import CutShortError, Orientation, UndecodableError, open_video

Frames = NDArray[np.uint8]
ONE = 1 << 16
# ISO 14496-12: (a, b, c, d) shows the pixel (x, y) at (a x + c y, b x + d y), y pointing down.
MATRICES = {
    "upright": (1, 0, 0, 1),
    "a quarter turn clockwise": (0, 1, -1, 0),
    "a half turn": (-1, 0, 0, -1),
    "a quarter turn counter-clockwise": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down mirrored": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}


def drawn(num_frames: int = 20, height: int = 48, width: int = 64) -> Frames:
    """A picture without any symmetry: red top left, green top right, a dark bottom."""
    frames = np.full((num_frames, height, width, 3), 60, np.uint8)
    frames[:, : height // 2, : width // 2] = (220, 30, 30)
    frames[:, : height // 2, width // 2 :] = (30, 220, 30)
    return frames


def shown_by(matrix: tuple[int, int, int, int], stored: Frames) -> Frames:
    """Move every pixel of (H, W, 3) where the matrix says, pixel by pixel."""
    a, b, c, d = matrix
    y, x = np.mgrid[: stored.shape[0], : stored.shape[1]]
    to_x, to_y = a * x + c * y, b * x + d * y
    to_x, to_y = to_x - to_x.min(), to_y - to_y.min()
    shown = np.zeros((to_y.max() + 1, to_x.max() + 1, 3), np.uint8)
    shown[to_y, to_x] = stored
    return shown


def set_display_matrix(path: Path, matrix: tuple[float, float, float, float]) -> None:
    """Overwrite the matrix in the track header of an .mp4 (version 0: 40 bytes into the box)."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 40
    assert content[start : start + 4] == struct.pack(">i", ONE)
    a, b, c, d = (round(value * ONE) for value in matrix)
    content[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)


def decode(path: Path) -> list[Frames]:
    with open_video(path) as source:
        return [source.orientation(frame).apply(source.to_rgb(frame)) for frame in source.frames()]


def decode_up_to_damage(path: Path) -> tuple[list[Frames], str]:
    """Return the frames, and the damage that ended them or nothing."""
    frames: list[Frames] = []
    try:
        with open_video(path) as source:
            for frame in source.frames():
                frames.append(source.to_rgb(frame))  # noqa: PERF401  # extend would lose them
    except CutShortError as error:
        return frames, str(error)
    return frames, ""


@pytest.mark.parametrize("name", MATRICES)
def test_a_video_with_a_display_matrix_decodes_as_it_is_meant_to_be_shown(
    name: str, write_video: Callable[..., Path]
) -> None:
    stored = drawn()
    path = write_video("a.mp4", stored)
    set_display_matrix(path, MATRICES[name])
    frames = decode(path)
    assert len(frames) == 20
    expected = shown_by(MATRICES[name], stored[0])
    assert frames[0].shape == expected.shape
    assert np.abs(frames[0].astype(int) - expected).mean() < 4


def test_a_display_matrix_that_is_no_quarter_turn_leaves_the_video_out(
    write_video: Callable[..., Path],
) -> None:
    path = write_video("a.mp4", drawn())
    set_display_matrix(path, (0.8, 0.6, -0.6, 0.8))
    with pytest.raises(UndecodableError, match="no quarter turn"):
        decode(path)


def test_four_quarter_turns_give_the_picture_back() -> None:
    picture = drawn()[0]
    turned = picture
    for _ in range(4):
        turned = Orientation(1, mirrored=False).apply(turned)
    assert np.array_equal(turned, picture)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "height", "width"),
    [
        ("libx264", "yuv420p", 48, 64),
        ("libx264", "yuv444p", 47, 63),
        ("libx264", "yuv422p10le", 50, 62),
        ("libx264", "gray", 49, 65),
        ("ffv1", "bgr0", 33, 35),
        ("ffv1", "yuva420p", 48, 64),
    ],
)
def test_any_pixel_format_and_odd_sizes_become_rgb(
    codec: str, pix_fmt: str, height: int, width: int, write_video: Callable[..., Path]
) -> None:
    drawing = drawn(4, height, width)
    options = {"crf": "10"} if codec == "libx264" else {"level": "3"}
    frames = decode(write_video("a.mkv", drawing, codec=codec, pix_fmt=pix_fmt, options=options))
    assert len(frames) == 4
    if pix_fmt == "gray":
        drawing = drawing @ np.array([0.299, 0.587, 0.114])
        drawing = drawing[..., None].repeat(3, axis=3)
    difference = np.abs(frames[0].astype(int) - drawing[0])
    assert frames[0].shape == (height, width, 3)
    # a grey picture has no colour matrix that says whether 16 or 0 is its black
    assert np.median(difference) < (12 if pix_fmt == "gray" else 6)


def test_the_pixel_aspect_is_read(write_video: Callable[..., Path]) -> None:
    path = write_video("a.mp4", drawn(), pixel_aspect=Fraction(16, 15))
    with open_video(path) as source:
        assert source.pixel_aspect == Fraction(16, 15)
        assert source.fps == 25


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4", ".ts"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_video_gives_its_whole_frames_in_order_and_says_that_it_is_cut(
    suffix: str, share: float, write_video: Callable[..., Path], textured: Callable[..., Frames]
) -> None:
    drawing = textured(60)
    options = {"crf": "10", "g": "12"}
    path = write_video("a" + suffix, drawing, options=options, codec="libx264")
    if suffix == ".mp4":
        _move_index_to_front(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    frames, damage = decode_up_to_damage(path)
    assert damage or suffix == ".ts"  # a stream does not say how much it holds
    assert 60 * share * 0.6 < len(frames) < 60
    for got, meant in zip(frames, drawing, strict=False):
        assert np.abs(got.astype(int) - meant).mean() < 12


def test_a_damaged_frame_ends_a_video_before_it(
    write_video: Callable[..., Path], textured: Callable[..., Frames]
) -> None:
    drawing = textured(60)
    path = write_video("a.avi", drawing, options={"crf": "10", "g": "12"})
    content = bytearray(path.read_bytes())
    middle = int(0.6 * len(content))
    content[middle : middle + 200] = np.random.default_rng(3).bytes(200)
    path.write_bytes(content)
    frames, damage = decode_up_to_damage(path)
    assert damage
    assert 15 < len(frames) < 45
    for got, meant in zip(frames, drawing, strict=False):
        assert np.abs(got.astype(int) - meant).mean() < 12


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"this is text\n" * 100, "cannot be opened as a video"),
        (b"#EXTM3U\n#EXTINF:10,\nhttp://example.invalid/a.ts\n", "cannot be opened as a video"),
        (bytes(range(256)) * 40, "cannot be opened as a video"),
    ],
)
def test_what_is_no_video_is_refused_with_the_reason(
    content: bytes, reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.avi"
    path.write_bytes(content)
    with pytest.raises(UndecodableError, match=reason):
        decode(path)
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UndecodableError, match="broken link"):
        decode(tmp_path / "none.mp4")


def test_a_codec_that_nobody_knows_is_named(
    write_video: Callable[..., Path], textured: Callable[..., Frames]
) -> None:
    path = write_video("a.mp4", textured(5))
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9"))
    with pytest.raises(UndecodableError, match="codec is not known"):
        decode(path)


def test_random_damage_never_ends_in_another_error(
    write_video: Callable[..., Path], textured: Callable[..., Frames]
) -> None:
    path = write_video("a.mp4", textured(30))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(30):
        content = bytearray(whole)
        for position in rng.integers(0, len(whole), 20):
            content[position] = rng.integers(256)
        path.write_bytes(content)
        try:
            frames, damage = decode_up_to_damage(path)
        except UndecodableError:
            continue
        assert frames or damage


def _move_index_to_front(path: Path) -> None:
    """Put moov before mdat in an .mp4, as for streaming, so that its start alone can be read."""
    content = path.read_bytes()
    boxes: dict[bytes, bytes] = {}
    position = 0
    while position < len(content):
        size, name = struct.unpack(">I4s", content[position : position + 8])
        boxes[name] = content[position : position + size]
        position += size
    moov = bytearray(boxes[b"moov"])
    table = moov.index(b"stco") + 4
    (number,) = struct.unpack(">I", moov[table + 4 : table + 8])
    for entry in range(table + 8, table + 8 + 4 * number, 4):
        (offset,) = struct.unpack(">I", moov[entry : entry + 4])
        moov[entry : entry + 4] = struct.pack(">I", offset + len(moov))
    rest = b"".join(box for name, box in boxes.items() if name not in (b"ftyp", b"moov"))
    path.write_bytes(boxes[b"ftyp"] + bytes(moov) + rest)
