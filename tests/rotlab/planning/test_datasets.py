"""Where data sets are looked for, and what is known of those that are not there."""

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from rotlab.planning.datasets import CATALOG, data_root, find_datasets, how_to_prepare
from rotlab.planning.plan.weights import find_weights
from rotnet.commands.prepare import configure
from rotnet.data.header import Header
from rotnet.data.manifest import Manifest, write_files
from rotnet.errors import DataError
from rotnet.registry import Registry


def prepare(folder: Path, classes: tuple[str, ...], num_splits: int) -> None:
    folder.mkdir(parents=True)
    write_files(folder, Header("any", "folder", classes, num_splits, "cafe", {}, {}), [])


def test_a_prepared_set_is_found_below_the_root(tmp_path: Path) -> None:
    prepare(tmp_path / "mine", ("fall", "rise"), 5)
    found = find_datasets(["mine", "ucf101", "mine"], tmp_path)
    mine = found["mine"]
    assert (mine.folder, mine.fingerprint, mine.absent) == (tmp_path / "mine", "cafe", False)
    assert (mine.num_splits, mine.classes) == (5, 2)
    assert list(found) == ["mine", "ucf101"]


def test_what_is_prepared_counts_more_than_the_catalog(tmp_path: Path) -> None:
    prepare(tmp_path / "ucf101", (), 0)
    found = find_datasets(["ucf101"], tmp_path)["ucf101"]
    assert (found.num_splits, found.classes) == (0, None)


def test_an_absent_set_is_known_by_its_catalog_entry(tmp_path: Path) -> None:
    for name, known in CATALOG.items():
        found = find_datasets([name], tmp_path)[name]
        assert found.absent
        assert found.fingerprint == f"absent:{name}"
        assert (found.num_splits, found.classes) == (known.num_splits, known.classes)
        assert f" {tmp_path / name}" in how_to_prepare(name, tmp_path)


def test_every_set_is_prepared_by_a_command_that_exists(tmp_path: Path) -> None:
    parser = ArgumentParser(exit_on_error=False)
    configure(parser)
    for name, known in CATALOG.items():
        _, _, *words = re.sub(r"<.*?>", "x", how_to_prepare(name, tmp_path)).split()
        args = parser.parse_args(words)
        assert args.out == tmp_path / name
        if known.classes is None:
            assert args.unlabelled


def test_a_registered_set_is_prepared_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert how_to_prepare("mine", tmp_path) == f"rotnet prepare folder <videos> {tmp_path / 'mine'}"
    monkeypatch.setattr(Registry, "names", lambda _: ["mine"])
    assert how_to_prepare("mine", tmp_path) == f"rotnet prepare mine <videos> {tmp_path / 'mine'}"


def test_a_folder_that_is_no_prepared_set_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError):
        find_datasets(["mine"], tmp_path)


def test_the_root_is_the_option_then_the_environment_then_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROTLAB_DATA", raising=False)
    assert data_root(None) == Path("data")
    monkeypatch.setenv("ROTLAB_DATA", str(tmp_path))
    assert data_root(None) == tmp_path
    assert data_root(Path("here")) == Path("here")


@pytest.fixture
def bucket() -> Iterator[str]:
    """A URL below which nothing is stored."""
    url = f"memory://{uuid4().hex}"
    yield url
    fs = fsspec.filesystem("memory")
    if fs.exists(url):
        fs.rm(url, recursive=True)


def test_a_set_at_a_url_is_found_and_known_by_its_url(pool: Manifest, bucket: str) -> None:
    fsspec.filesystem("memory").put(f"{pool.folder}/", f"{bucket}/pool/", recursive=True)
    found = find_datasets(["pool", "ucf101"], data_root(bucket))
    assert found["pool"].location == f"{bucket}/pool"
    assert found["pool"].fingerprint == pool.fingerprint
    assert found["pool"].folder is not None
    assert found["ucf101"].absent
    assert f"and upload ucf101 to {bucket}/ucf101" in how_to_prepare("ucf101", bucket)


def test_a_url_that_cannot_be_read_is_no_absent_set() -> None:
    with pytest.raises(DataError, match="Protocol not known"):
        find_datasets(["pool"], data_root("nothing://here"))
    with pytest.raises(DataError, match="weights to start from lie in a folder"):
        find_weights("net", "memory://sets")
