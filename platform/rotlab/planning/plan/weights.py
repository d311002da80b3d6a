"""Networks of other people that a search space starts from, and how to get those not there."""

import hashlib
from functools import lru_cache
from pathlib import Path

from rotlab.planning.datasets import DatasetInfo, find_datasets, how_to_prepare
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import DataRef
from rotnet.data.framestore.layout import is_url
from rotnet.errors import DataError

NETWORK = "network.pt"  # as `rotnet.learning.checkpoint` writes it
_CHUNK = 1 << 20  # bytes


def find_weights(name: str, root: Path | str) -> DatasetInfo:
    """Return what is known of a converted network; it lies in root/<name>, or is absent.

    Its fingerprint is the SHA-256 of its network.pt, or "absent:<name>".

    Raises:
        DataError: root/<name> exists but holds no network.
    """
    if is_url(root):
        raise DataError(
            f"the network {name!r} cannot be read from {root}: weights to start from lie in a "
            "folder that every node sees; give --data that folder, with the data sets"
        )
    folder = (Path(root) / name).absolute()
    if not folder.exists():
        return DatasetInfo(name, None, None, f"absent:{name}", 0, None)
    if not (folder / NETWORK).is_file():
        raise DataError(
            f"{folder} holds no {NETWORK}, so it is no network to start from; make one with: "
            f"{how_to_convert(folder)}"
        )
    return DatasetInfo(name, folder, folder, weights_fingerprint(folder), 0, None)


def find_data(ref: DataRef, root: Path | str) -> DatasetInfo:
    """Return what is known of the data set, or the weights, that a stage is given."""
    if ref.role == "weights":
        return find_weights(ref.name, root)
    return find_datasets([ref.name], root)[ref.name]


def weights_fingerprint(folder: Path) -> str:
    """Return the SHA-256 of the network in a folder, in hexadecimal."""
    path = folder / NETWORK
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


def how_to_convert(folder: Path) -> str:
    """Return the command that makes a network to start from."""
    return f"rotnet convert <checkpoint> {folder}"


def how_to_get(plan: Plan, name: str, root: Path | str) -> str:
    """Return the command that makes what a plan's stages need and this machine has not."""
    roles = {ref.role for stage in plan.stages.values() for ref in stage.data if ref.name == name}
    return how_to_convert(Path(root) / name) if "weights" in roles else how_to_prepare(name, root)


@lru_cache
def _sha256(path: Path, size: int, changed_ns: int) -> str:  # noqa: ARG001  (they tell versions apart)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
