"""Which data sets lie on this machine, and what is known of those that do not."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rotnet.data.manifest import read_header


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a plan needs to know of a data set.

    Args:
        name: as the search space has it.
        folder: where it lies prepared; None where it does not.
        fingerprint: of the prepared set, or "absent:<name>".
        num_splits: official splits into train and test; None where only the prepared set
            would tell.
        classes: number of classes; None where unlabelled or not known.
    """

    name: str
    folder: Path | None
    fingerprint: str
    num_splits: int | None
    classes: int | None

    @property
    def absent(self) -> bool:
        """Whether it has still to be prepared."""
        return self.folder is None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a data set without having it."""

    num_splits: int
    classes: int | None
    prepare: str


_FOLDER = "rotnet prepare folder <videos>"
_SYNTHETIC = "rotnet prepare synthetic --short-side 36"  # with what follows, as `make demo` has it
_DEFAULT_SPLITS = 3  # what `rotnet prepare` gives a labelled set that brings none

CATALOG = {
    "demo": Known(_DEFAULT_SPLITS, 8, f"{_SYNTHETIC} --videos 256 --seed 2 --test-fraction 0.8125"),
    "demo-pool": Known(0, None, f"{_SYNTHETIC} --videos 600 --seed 1 --unlabelled"),
    "hmdb51": Known(3, 51, _FOLDER),
    "hockey": Known(0, None, f"{_FOLDER} --unlabelled"),
    "kinetics400": Known(0, 400, f"{_FOLDER} --unlabelled"),
    "moments": Known(0, 339, f"{_FOLDER} --unlabelled"),
    "ucf101": Known(3, 101, _FOLDER),
    "weizmann": Known(3, 10, "rotnet prepare weizmann <videos>"),
}


def data_root(option: Path | None) -> Path:
    """Return the folder of prepared data sets: the option, else $ROTLAB_DATA, else ./data."""
    return option if option is not None else Path(os.environ.get("ROTLAB_DATA") or "data")


def find_datasets(names: Iterable[str], root: Path) -> dict[str, DatasetInfo]:
    """Return what is known of each data set; one lies prepared in root/<name>, or is absent.

    Raises:
        DataError: root/<name> exists but is no prepared data set.
    """
    return {name: _find(name, root) for name in dict.fromkeys(names)}


def how_to_prepare(name: str, root: Path) -> str:
    """Return the command that makes an absent data set."""
    known = CATALOG.get(name)
    return f"{known.prepare if known else _FOLDER} {root / name}"


def _find(name: str, root: Path) -> DatasetInfo:
    folder = (root / name).absolute()
    if folder.exists():
        header = read_header(folder)
        classes = len(header.classes) or None
        return DatasetInfo(name, folder, header.fingerprint, header.num_splits, classes)
    known = CATALOG.get(name)
    return DatasetInfo(
        name,
        None,
        f"absent:{name}",
        known.num_splits if known else None,
        known.classes if known else None,
    )
