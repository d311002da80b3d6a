"""Which data sets lie on this machine, and what is known of those that do not."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rotnet.data.framestore.layout import is_url
from rotnet.data.framestore.remote import MissingError
from rotnet.data.header import read_header
from rotnet.data.location import local_folder
from rotnet.registry import DATASETS


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a plan needs to know of a data set.

    Args:
        name: as the search space has it.
        folder: where it lies prepared; None where it does not. Of one at a URL, the folder of this
            node's cache that stands for it.
        location: the same for any node: that folder, or the URL.
        fingerprint: of the prepared set, or "absent:<name>".
        num_splits: official splits into train and test; None where only the prepared set
            would tell.
        classes: number of classes; None where unlabelled or not known.
    """

    name: str
    folder: Path | None
    location: Path | str | None
    fingerprint: str
    num_splits: int | None
    classes: int | None

    @property
    def absent(self) -> bool:
        """Whether it has still to be prepared."""
        return self.folder is None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a data set without having it.

    Args:
        num_splits: as its prepared set will have.
        classes: likewise; None where it is unlabelled.
        prepare: the command that makes it; OUT stands for where it goes.
    """

    num_splits: int
    classes: int | None
    prepare: str


_FOLDER = "rotnet prepare folder <videos> OUT"
_SYNTHETIC = "rotnet prepare synthetic OUT --short-side 36"  # the rest as `make demo` has it
_LISTS = "--lists <folder of lists> <videos> OUT"
_KINETICS = "rotnet prepare kinetics <videos> OUT --csv <train.csv> <validation.csv>"
_MOMENTS = "rotnet prepare moments <videos> OUT --csv <trainingSet.csv> <validationSet.csv>"
_RANDOM_SPLITS = 3  # what `rotnet prepare` gives a labelled set that brings none

CATALOG = {
    "demo": Known(_RANDOM_SPLITS, 8, f"{_SYNTHETIC} --videos 256 --seed 2 --test-fraction 0.8125"),
    "demo-pool": Known(0, None, f"{_SYNTHETIC} --videos 600 --seed 1 --unlabelled"),
    "hmdb51": Known(3, 51, f"rotnet prepare hmdb51 {_LISTS}"),
    "hockey": Known(0, None, f"{_FOLDER} --unlabelled"),
    "kinetics400": Known(1, 400, _KINETICS),
    "kinetics600": Known(1, 600, _KINETICS),
    "kinetics700": Known(1, 700, _KINETICS),
    "moments": Known(1, 339, _MOMENTS),  # the first edition, of the paper's time; later ones: 305
    "ucf101": Known(3, 101, f"rotnet prepare ucf101 {_LISTS}"),
    "ut-interaction": Known(20, 6, "rotnet prepare ut-interaction <videos> OUT"),
    "weizmann": Known(3, 10, "rotnet prepare weizmann <videos> OUT"),
}


def data_root(option: Path | str | None) -> Path | str:
    """Return the folder, or URL, of prepared sets: the option, else $ROTLAB_DATA, else ./data."""
    found = option if option is not None else os.environ.get("ROTLAB_DATA") or "data"
    return found if is_url(found) else Path(found)


def below(root: Path | str, name: str) -> Path | str:
    """Return where a data set of a root is."""
    if is_url(root):
        return f"{os.fspath(root).rstrip('/')}/{name}"
    return (Path(root) / name).absolute()


def find_datasets(names: Iterable[str], root: Path | str) -> dict[str, DatasetInfo]:
    """Return what is known of each data set; one lies prepared in root/<name>, or is absent.

    Raises:
        DataError: root/<name> exists but is no prepared data set.
    """
    return {name: _find(name, root) for name in dict.fromkeys(names)}


def how_to_prepare(name: str, root: Path | str) -> str:
    """Return the command that makes an absent data set.

    A set that is not known here may be one that a package registers with rotnet.
    """
    known = CATALOG.get(name)
    command = known.prepare if known else _FOLDER
    if known is None and name in DATASETS.names():
        command = f"rotnet prepare {name} <videos> OUT"
    if is_url(root):
        return f"{command.replace('OUT', name)}, and upload {name} to {below(root, name)}"
    return command.replace("OUT", str(Path(root) / name))


def _find(name: str, root: Path | str) -> DatasetInfo:
    location = below(root, name)
    folder = _here(location)
    if folder is not None:
        header = read_header(folder)
        classes = len(header.classes) or None
        return DatasetInfo(name, folder, location, header.fingerprint, header.num_splits, classes)
    known = CATALOG.get(name)
    return DatasetInfo(
        name,
        None,
        None,
        f"absent:{name}",
        known.num_splits if known else None,
        known.classes if known else None,
    )


def _here(location: Path | str) -> Path | None:
    """Return the folder of a set; None if there is none."""
    try:
        folder = local_folder(location)
    except MissingError:
        return None
    return folder if folder.exists() else None
