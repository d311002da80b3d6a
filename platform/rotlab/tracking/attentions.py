"""Where networks look in a few videos, as stages have left it in MLflow."""

from collections.abc import Iterable
from pathlib import Path

from rotlab.tracking.kept_files import read_files
from rotnet.errors import DataError
from rotnet.pictures.strip import FILE, Strip


def load_attention(path: Path) -> Strip | None:
    """Return the attention maps in a file; None where it holds none that can be read here."""
    try:
        return Strip.load(path)
    except DataError:
        return None


def read_attention(uri: str, run_ids: Iterable[str]) -> dict[str, Strip]:
    """Return run -> the attention maps among its artifacts, of those that have them.

    One request each: ask for few.
    """
    return read_files(uri, run_ids, FILE, load_attention)
