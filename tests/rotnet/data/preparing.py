"""What tests of preparation share: the bytes of a set, and a count of what is decoded."""

from pathlib import Path
from typing import Any

import pytest

from rotnet.data import store
from rotnet.data.survey import Survey, survey


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a set."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def count_decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the name of every video that is decoded from now on is added."""
    decoded: list[str] = []

    def counted(file: Path, **settings: Any) -> Survey:  # handed on as they are
        decoded.append(file.name)
        return survey(file, **settings)

    monkeypatch.setattr(store, "survey", counted)
    return decoded
