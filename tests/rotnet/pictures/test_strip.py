"""A strip says by itself what it shows, and what is none is refused in one line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rotnet.errors import DataError
from rotnet.pictures.strip import LARGEST, Strip, place_of, reduced

RNG = np.random.default_rng(0)


def made(videos: int = 3, side: int = 8) -> Strip:
    shape = (videos, side, side, 3)
    rows = [RNG.integers(0, 256, shape, dtype=np.uint8) for _ in range(3)]
    words = ("left",) * videos
    return Strip(
        videos=tuple(f"ä/{number}.mp4" for number in range(videos)),
        role="test",
        modality="dif",
        stage="layer2",
        frame=9,
        frames=16,
        pictures={"clip": rows[0], "network": rows[1], "random": rows[2]},
        places={"network": words, "random": words},
    )


def test_what_was_saved_is_loaded_to_the_pixel(tmp_path: Path) -> None:
    strip, path = made(), tmp_path / "attention.png"
    strip.save(path)
    found = Strip.load(path)
    for name in ("videos", "role", "modality", "stage", "frame", "frames", "places"):
        assert getattr(found, name) == getattr(strip, name)
    assert list(found.pictures) == list(strip.pictures)
    for row, pictures in strip.pictures.items():
        np.testing.assert_array_equal(found.pictures[row], pictures)
    with Image.open(path) as image:
        assert image.size == (24, 24)
    assert [one.name for one in tmp_path.iterdir()] == ["attention.png"]


def test_equal_strips_are_equal_files(tmp_path: Path) -> None:
    strip = made()
    for name in ("a.png", "b.png"):
        strip.save(tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_what_is_no_strip_is_refused_in_one_line(tmp_path: Path) -> None:
    strip, whole = made(), tmp_path / "whole.png"
    strip.save(whole)
    broken = {
        "absent": None,
        "empty": b"",
        "cut": whole.read_bytes()[:-200],
        "text": b"no picture",
    }
    for name, content in broken.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match=f"{name}: no attention maps that can be read here"):
            Strip.load(path)
    Image.new("RGB", (24, 24)).save(tmp_path / "plain.png")
    with pytest.raises(DataError, match="does not say what it shows"):
        Strip.load(tmp_path / "plain.png")


@pytest.mark.parametrize(
    "changed",
    [
        {"videos": ("a", "b")},
        {"places": {"network": ("left",) * 3}},
        {"pictures": {"clip": made().pictures["clip"]}},
        {"pictures": {**made().pictures, "random": made(side=9).pictures["random"]}},
    ],
)
def test_rows_that_do_not_fit_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"need|needs|must be"):
        replace(made(), **changed)  # type: ignore[arg-type]


def test_the_most_active_place_is_told_in_words() -> None:
    heat = np.zeros((9, 9))
    for word, spot in {
        "upper left": (1, 1),
        "right": (4, 8),
        "middle": (4, 4),
        "lower middle": (8, 4),
    }.items():
        one = heat.copy()
        one[spot] = 1.0
        assert place_of(one) == word
    assert place_of(heat) == ""
    assert place_of(np.ones((2, 2))) == ""


def test_only_what_is_larger_than_a_strip_may_be_is_reduced() -> None:
    small = np.zeros((2, LARGEST, LARGEST, 3), dtype=np.uint8)
    assert reduced(small) is small
    large = np.full((2, 2 * LARGEST, 2 * LARGEST, 3), 7, dtype=np.uint8)
    assert reduced(large).shape == small.shape
    assert (reduced(large) == 7).all()
