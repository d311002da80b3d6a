"""Lists of videos that are not whole, each with the reason: written beside a set, and read back."""

import csv
from collections.abc import Sequence
from pathlib import Path

from rotnet.data.rows import write_csv
from rotnet.data.video import Video
from rotnet.errors import DataError

QUARANTINE_FILE = "quarantine.csv"


def write_quarantine(folder: Path, videos: Sequence[Video]) -> None:
    """Write the list of those videos of a set that are not whole."""
    write_csv(
        folder / QUARANTINE_FILE,
        ["path", "status", "reason", "sha256"],
        ([v.path, v.status, v.reason, v.sha256] for v in videos if v.status != "ok"),
    )


def read_quarantine(path: Path) -> dict[str, str]:
    """Return the videos that a quarantine list names, each with its reason.

    Args:
        path: a CSV file with a column `path` and perhaps `status` and `reason`, such as a prepared
            set's quarantine.csv; videos that were kept in part are not meant. A spreadsheet may
            have put a byte order mark before it.

    Raises:
        DataError: if it is no such file.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if "path" not in (reader.fieldnames or ()):
                raise DataError(f"{path} has no column 'path': it is no quarantine list")
            return {
                row["path"]: row.get("reason") or "no reason given"
                for row in reader
                if row["path"] and row.get("status") != "part"
            }
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a quarantine list: {error}") from error
