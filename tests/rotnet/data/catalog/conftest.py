"""Empty files below a folder, and the rows that they would get: names are all that is looked at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, Listing, Splits
from rotnet.data.video import Video


@pytest.fixture
def touch(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes empty files below a source, and gives the source."""

    def make(*names: str, below: str = "source") -> Path:
        source = tmp_path / below
        source.mkdir(exist_ok=True)
        for name in names:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).touch()
        return source

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return what writes a text below tmp_path."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return make


@pytest.fixture
def rows() -> Callable[[Listing], list[Video]]:
    """Return what gives the rows of a listing's videos, as if all could be decoded."""

    def make(listing: Listing) -> list[Video]:
        return [
            Video(
                path=found.path,
                label=found.label,
                group=found.group,
                splits=(),
                frames=20,
                fps=25.0,
                width=8,
                height=8,
                rotation=0,
                area=None,
                sha256=found.path,
                status="ok",
                reason="",
                stored_width=8,
                stored_height=8,
            )
            for found in listing.candidates
            if not found.refusal
        ]

    return make


@pytest.fixture
def dealt(rows: Callable[[Listing], list[Video]]) -> Callable[[Kind, Path], Splits]:
    """Return what finds and splits a source, with no file opened."""

    def make(kind: Kind, source: Path) -> Splits:
        listing = kind.find(source)
        sides = {found.path: found.sides for found in listing.candidates if found.sides}
        return kind.split(rows(listing), sides)

    return make
