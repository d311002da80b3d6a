"""A prepared set is a folder or a URL, and nobody else sees the difference."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import fsspec
import pytest
import torch

from rotnet.config import ClipConfig
from rotnet.data.catalog import FolderKind
from rotnet.data.frames import FrameReader
from rotnet.data.framestore.layout import INDEX_FILE, RECORD_FILE
from rotnet.data.header import HEADER_FILE, MANIFEST_FILE
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage as PrepareStorage
from rotnet.data.synthetic import write_videos
from rotnet.data.video import VideoSet
from rotnet.errors import DataError
from tests.rotnet.data.framestore.samples import flip_a_byte, smooth, write_set
from tests.rotnet.data.framestore.storage import Storage


def uploaded(bucket: Storage, folder: Path, seed: int = 0) -> str:
    contents = {name: smooth(6, 16, 20, seed + n) for n, name in enumerate(("a.mp4", "b.mp4"))}
    write_set(folder, contents)
    return bucket.put(folder)


def test_a_folder_is_itself(tmp_path: Path) -> None:
    assert local_folder(tmp_path) == local_folder(str(tmp_path)) == tmp_path
    assert local_folder("nowhere/manifest.csv") == Path("nowhere/manifest.csv")


def test_the_folder_of_a_url_holds_the_set_without_its_frames(
    bucket: Storage, tmp_path: Path, cache: Path
) -> None:
    url = uploaded(bucket, tmp_path / "set")
    folder = local_folder(url)
    assert folder.parent == cache / "sets"
    for way in (f"{url}/", f"{url}/{MANIFEST_FILE}"):
        assert local_folder(way) == folder
    here, there = Manifest.load(tmp_path / "set"), Manifest.load(folder)
    assert here.videos == there.videos
    assert here.fingerprint == there.fingerprint
    names = {path.name for path in folder.iterdir()}
    assert names == {HEADER_FILE, MANIFEST_FILE, RECORD_FILE, INDEX_FILE, "origin.txt"}


@pytest.mark.parametrize("modality", ["rgb", "dif"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_the_same_batches_from_a_url(
    bucket: Storage, actions: Manifest, modality: str, workers: int
) -> None:
    remote = Manifest.load(local_folder(bucket.put(actions.folder)))
    clip = ClipConfig(frames=4, stride=4, resize=24, size=20)

    def batches(videos: VideoSet) -> list[Batch]:
        loader = ClipLoader(videos, clip, modality, workers=workers)  # type: ignore[arg-type]
        training = loader.training(batch_size=5, seed=0, flip=0.5, first=3)
        return [*islice(training, 6), *loader.scoring(clips=2, batch_size=8)]

    with bucket.held() as let_pass:
        early = batches(remote.select("train", 1))
        assert bucket.clips
        let_pass()
    late = batches(remote.select("train", 1))
    for found in (early, late):
        for one, other in zip(batches(actions.select("train", 1)), found, strict=True):
            assert torch.equal(one.clips, other.clips)
            assert torch.equal(one.labels, other.labels)


def test_a_set_that_was_uploaded_again_is_another(bucket: Storage, tmp_path: Path) -> None:
    """Even where all that makes its fingerprint is the same."""
    url = uploaded(bucket, tmp_path / "one")
    first = Manifest.load(local_folder(url))
    assert uploaded(bucket, tmp_path / "two", seed=9) == url
    second = Manifest.load(local_folder(url))
    assert first.fingerprint == second.fingerprint
    for manifest, local in ((second, tmp_path / "two"),):
        found = FrameReader(manifest.folder).read(manifest.videos[0], [0, 5])
        expected = FrameReader(local).read(Manifest.load(local).videos[0], [0, 5])
        assert (found == expected).all()


def test_those_who_come_at_once_get_the_same_folder(bucket: Storage, tmp_path: Path) -> None:
    url = uploaded(bucket, tmp_path / "set")
    with ThreadPoolExecutor(6) as pool:
        folders = list(pool.map(local_folder, [url] * 12))
    assert len(set(folders)) == 1
    Manifest.load(folders[0])
    assert not [path for path in folders[0].iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", [HEADER_FILE, RECORD_FILE, INDEX_FILE, MANIFEST_FILE])
def test_a_file_that_the_url_has_not_is_named(bucket: Storage, tmp_path: Path, name: str) -> None:
    url = uploaded(bucket, tmp_path / "set")
    bucket.remove(f"set/{name}")
    with pytest.raises(DataError, match=rf"^{url}/{name} does not exist$"):
        local_folder(url)


def test_a_url_with_nothing_there_is_named(bucket: Storage) -> None:
    with pytest.raises(DataError, match=rf"^{bucket.url}/none/{HEADER_FILE} does not exist$"):
        local_folder(f"{bucket.url}/none")


@pytest.mark.parametrize("header", [b"", b"{}", b"[]", b"<html>", b"\xff\xfe\x00"])
def test_something_else_in_place_of_the_header_is_no_set(
    bucket: Storage, tmp_path: Path, header: bytes
) -> None:
    url = uploaded(bucket, tmp_path / "set")
    bucket.change(f"set/{HEADER_FILE}", lambda _: header)
    with pytest.raises(DataError, match=r"dataset.json (is not the header|cannot be read)"):
        local_folder(url)


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(
        DataError, match=r"^nosuch://some/set/dataset.json cannot be read: .*nosuch"
    ):
        local_folder("nosuch://some/set")


def test_a_protocol_that_needs_a_package_says_which() -> None:
    fsspec.register_implementation(
        "absent", "absent_package.FileSystem", errtxt="install absent_package", clobber=True
    )
    with pytest.raises(DataError, match="cannot be read: install absent_package"):
        local_folder("absent://some/set")


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        (MANIFEST_FILE, lambda data: data[:-30]),
        (MANIFEST_FILE, lambda _: b""),
        (INDEX_FILE, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        (INDEX_FILE, lambda data: data[:-8]),
        (RECORD_FILE, lambda data: data[:-8]),
        (RECORD_FILE, lambda data: data.replace(b'version": 1', b'version": 9')),
    ],
)
def test_damage_at_the_url_is_named_and_not_kept(
    bucket: Storage, tmp_path: Path, name: str, harm: Callable[[bytes], bytes]
) -> None:
    url = uploaded(bucket, tmp_path / "set")
    bucket.change(f"set/{name}", harm)
    for _ in range(2):
        with pytest.raises(DataError, match=rf"^{url} cannot be used: .*{name}"):
            local_folder(url)
    bucket.put(tmp_path / "set")
    folder = local_folder(url)
    FrameReader(folder).read(Manifest.load(folder).videos[0], [0])


@pytest.mark.parametrize("name", [RECORD_FILE, INDEX_FILE])
@pytest.mark.parametrize("harm", [lambda path: flip_a_byte(path, 150), Path.unlink])
def test_what_is_damaged_on_this_disk_is_fetched_again(
    bucket: Storage, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    url = uploaded(bucket, tmp_path / "set")
    folder = local_folder(url)
    harm(folder / name)
    assert local_folder(url) == folder
    FrameReader(folder).read(Manifest.load(folder).videos[0], [0])


def test_where_there_is_no_place_for_a_cache_a_way_out_is_given(
    bucket: Storage, tmp_path: Path, cache: Path
) -> None:
    url = uploaded(bucket, tmp_path / "set")
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be written .*: set ROTNET_CACHE to a folder"):
        local_folder(url)


def test_a_set_whose_frames_stay_in_its_videos_cannot_be_used_from_a_url(
    bucket: Storage, tmp_path: Path
) -> None:
    write_videos(tmp_path / "videos", num_videos=2, seed=0)
    storage = PrepareStorage(short_side=24, format="source")
    kind = FolderKind(unlabelled=True)
    prepare(tmp_path / "videos", tmp_path / "set", kind, storage=storage)
    url = bucket.put(tmp_path / "set")
    for _ in range(2):
        with pytest.raises(DataError, match="holds no frames: they stay in the videos"):
            local_folder(url)
