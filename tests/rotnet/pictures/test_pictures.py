"""Drawing: colours, lettering, grids, confusion matrices, films."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rotnet.cli import main
from rotnet.errors import UserError
from rotnet.evaluation.scores import Scores
from rotnet.pictures.colours import HEAT, INK, coloured, overlaid
from rotnet.pictures.confusion import confusion_picture
from rotnet.pictures.film import write_film
from rotnet.pictures.grid import CELL, picture_grid
from rotnet.pictures.image_file import checked_png, write_image
from rotnet.pictures.lettering import fitted, font_of, text_width

LONG = "HandstandPushups seen from far above and far away " * 4


def lightness(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return CIE L* of sRGB colours (..., 3)."""
    unit = colours / 255.0
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    cube = np.where(luminance > 216 / 24389, np.cbrt(luminance), luminance * 841 / 108 + 4 / 29)
    return 116 * cube - 16


def edge_is_paper(image: Image.Image) -> bool:
    """Return whether nothing is drawn on the outermost pixels, and so nothing is cut."""
    pixels = np.asarray(image)
    edges = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
    return all((edge == 255).all() for edge in edges)


def test_more_is_always_lighter_in_heat_and_darker_in_ink() -> None:
    for ramp, sign in ((HEAT, 1), (INK, -1)):
        steps = sign * np.diff(lightness(ramp))
        assert (steps > -0.35).all()  # rounding to 8 bits moves L* by about so much
        assert (sign * np.diff(lightness(ramp)[::8]) > 0).all()
        assert abs(lightness(ramp)[-1] - lightness(ramp)[0]) > 70


def test_an_overlay_keeps_the_size_and_shows_heat_by_colour_alone() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 3, 8, 9, 3), dtype=np.uint8)
    heat = rng.random((2, 3, 8, 9))
    assert overlaid(pictures, heat).shape == pictures.shape
    np.testing.assert_array_equal(overlaid(pictures, heat, 1.0), coloured(heat, HEAT))
    grey = overlaid(pictures, heat, 0.0)
    assert (grey == grey[..., :1]).all()
    with pytest.raises(ValueError, match="need heat"):
        overlaid(pictures, heat[..., :8])
    with pytest.raises(ValueError, match="must be finite"):
        coloured(np.array([np.nan]), HEAT)


def test_a_text_that_fits_is_whole_and_another_is_as_long_as_may_be() -> None:
    font = font_of(14)
    assert fitted("Archery", font, 200) == "Archery"
    for width in (0, 3, 20, 100, 333):
        shown = fitted(LONG, font, width)
        assert text_width(shown, font) <= width or shown == ""
    shortened = fitted(LONG, font, 100)
    assert shortened[0] == LONG[0]
    assert "…" in shortened
    assert text_width(shortened, font) > 80


@pytest.mark.parametrize("name", ["a", LONG, ""])
def test_labels_lie_in_the_picture_and_cells_come_back_from_it(name: str) -> None:
    cells = np.random.default_rng(1).integers(0, 250, (3, 2, 30, 50, 3), dtype=np.uint8)
    captions = [name] * 6
    captioned = picture_grid(cells, rows=[""] * 3, columns=[""] * 2, captions=captions)
    assert edge_is_paper(captioned)
    image = picture_grid(cells, rows=[name] * 3, columns=[name] * 2, title=name)
    assert edge_is_paper(image)
    pixels = np.asarray(image)
    zoom = round(CELL / 50)
    height, width = 30 * zoom, 50 * zoom
    bottom, right = pixels.shape[0] - 8, pixels.shape[1] - 8
    last = pixels[bottom - height : bottom : zoom, right - width : right : zoom]
    np.testing.assert_array_equal(last, cells[2, 1])
    for rows, captions, message in (
        (["a"], [], "3 x 2 cells need 3 row names, got 1"),
        (["a"] * 3, ["b"], "3 x 2 cells need 6 captions, got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            picture_grid(cells, rows=rows, columns=["a", "b"], captions=captions)


@pytest.mark.parametrize("classes", [2, 5, 20, 101])
def test_a_confusion_matrix_has_its_labels_inside_and_its_cells_in_place(classes: int) -> None:
    counts = np.zeros((classes, classes), dtype=np.int64)
    counts[0, 1] = 3  # the first class is always taken for the second, the last has no video
    names = [f"{LONG if index == 1 else 'class'} {index}" for index in range(classes)]
    image = confusion_picture(counts, names)
    assert edge_is_paper(image)
    pixels = np.asarray(image)
    dark = np.argwhere((pixels == INK[-1]).all(axis=2))
    cell = 46 if classes <= 10 else 34 if classes <= 20 else 14
    corner = dark.min(axis=0)
    assert (pixels[corner[0] + 2, corner[1] + 2] == INK[-1]).all()
    assert (pixels[corner[0] + cell // 2, corner[1] - cell + 2] == INK[0]).all()
    assert (pixels[corner[0] + cell + 2, corner[1] + 2] == INK[0]).all()
    with pytest.raises(ValueError, match="need counts"):
        confusion_picture(counts[:1], names)


def test_a_film_has_as_many_frames_as_went_in_and_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    levels = np.linspace(20, 230, 9).astype(np.uint8)
    frames = [np.full((31, 45, 3), level, dtype=np.uint8) for level in levels]
    assert write_film(path, frames, fps=6.25) == 9
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == Fraction(25, 4)
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(shown) == 9
    assert shown[0].shape == (32, 46, 3)
    for frame, level in zip(shown, levels, strict=True):
        assert abs(float(frame.mean()) - float(level)) < 4
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_film_without_frames_or_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        write_film(tmp_path / "film.mp4", [], fps=5)
    with pytest.raises(ValueError, match="fps must be above 0, got 0"):
        write_film(tmp_path / "film.mp4", [np.zeros((2, 2, 3), np.uint8)], fps=0)
    assert not list(tmp_path.iterdir())


def test_a_film_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"before")
    wrong = [np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8)]
    with pytest.raises(ValueError, match=r"."):
        write_film(path, wrong, fps=5)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("film.mp4", b"before")]


def test_a_picture_needs_a_name_and_a_place(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for name, message in (
        ("a.jpg", r"must be named \*\.png"),
        ("folder.png", "is a folder"),
        ("none/a.png", "there is no folder"),
    ):
        with pytest.raises(UserError, match=message):
            checked_png(tmp_path / name)
    path = checked_png(tmp_path / "a.PNG")
    write_image(Image.new("RGB", (3, 2), (1, 2, 3)), path)
    with Image.open(path) as found:
        assert (found.size, found.getpixel((2, 1))) == ((3, 2), (1, 2, 3))


def test_the_command_draws_scores_from_their_folder_or_their_file(tmp_path: Path) -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    Scores(("a", "b", "c"), ("x", "y"), np.array([0, 1, 1]), probabilities).save(tmp_path)
    for number, given in enumerate((tmp_path, tmp_path / "scores.npz")):
        assert main(["confusion", str(given), str(tmp_path / f"{number}.png")]) == 0
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    assert main(["confusion", str(tmp_path / "nothing"), str(tmp_path / "c.png")]) == 2
