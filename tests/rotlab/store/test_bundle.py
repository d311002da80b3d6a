"""A study goes through a file whole, to any store; and nothing else comes out of one."""

import hashlib
import io
import json
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.store.bundle import FORMAT, Manifest, check_place
from rotlab.store.pack import Member, members, of_bytes, pack
from rotlab.store.store import Store, StoreError
from rotlab.store.unpack import BundleError, unpack
from rotnet.errors import UserError
from tests.rotlab.execution.shipped import (
    FIRST,
    PLAN,
    SCORES,
    TUNED,
    bring,
    export,
    make_store,
    read,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_a_flipped_bit_anywhere_is_found_and_the_file_named(
    store: Store, tmp_path: Path, ending: str
) -> None:
    path = export(store, tmp_path / f"lab.{ending}", "all")
    whole = path.read_bytes()
    said = []
    for offset in range(0, len(whole), max(1, len(whole) // 60)):
        torn = bytearray(whole)
        torn[offset] ^= 0x10
        path.write_bytes(torn)
        try:
            bundle = read(path)
        except BundleError as error:
            said.append(str(error))
        else:  # a bit of padding, or of an owner's name
            assert bundle.records == store.records(PLAN.stages.values())
    assert len(said) > 10
    assert all(str(path) in one and "\n" not in one for one in said)


def test_a_file_that_is_cut_off_is_found(store: Store, tmp_path: Path) -> None:
    for ending in ("tar", "tar.gz"):
        path = export(store, tmp_path / f"lab.{ending}", "all")
        whole = path.read_bytes()
        for part in (0.0, 0.3, 0.7):
            path.write_bytes(whole[: int(part * len(whole))])
            with pytest.raises(BundleError, match="not a whole file of `rotlab export`"):
                read(path)
    with pytest.raises(BundleError, match="no such file"):
        unpack(tmp_path / "none.tar", tmp_path)


def test_a_newer_format_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotlab.store.bundle.FORMAT", FORMAT + 1)
    path = export(store, tmp_path / "lab.tar")
    monkeypatch.undo()
    with pytest.raises(BundleError, match=rf"lab\.tar: .* newer format than {FORMAT}"):
        read(path)


def rewrite(
    path: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]
) -> None:
    """Write an archive anew, with changed members."""
    with tarfile.open(path) as archive:
        old = [(one, (archive.extractfile(one) or io.BytesIO()).read()) for one in archive]
    with tarfile.open(path, "w") as archive:
        for info, text in old:
            changed, content = change(info, text)
            archive.addfile(changed, io.BytesIO(content))


def test_a_link_is_not_followed(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")

    def link(info: tarfile.TarInfo, text: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name.endswith("scores.npz"):
            info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0
            return info, b""
        return info, text

    rewrite(path, link)
    with pytest.raises(BundleError, match="is a link, a folder or a device"):
        read(path)


def test_a_member_that_is_not_in_the_manifest_is_refused(store: Store, tmp_path: Path) -> None:
    def more(content: list[Member]) -> None:
        content.append(of_bytes("results/../../evil", b"evil"))

    path = export(store, tmp_path / "lab.tar", spoil=more)
    with pytest.raises(BundleError, match="is not in the manifest"):
        read(path)
    path.unlink()
    with pytest.raises(BundleError, match="is missing"):
        read(export(store, path, spoil=lambda content: content.pop()))


@pytest.mark.parametrize(
    "name",
    [
        "results/count/ab/../../../evil",
        "/etc/passwd",
        "results/count/ab/",
        "results/count//ab/x",
        "results/../ab/x",
        "results/count/ab/./x",
        "results\\count\\ab\\x",
        "studies/0.json",
        "elsewhere",
    ],
)
def test_a_name_outside_of_the_layout_has_no_place(name: str) -> None:
    with pytest.raises(ValueError, match="has no place in a study"):
        check_place(name)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("attempt", "../../evil", "names the attempt '../../evil'"),
        ("kind", "studies", "is of another stage"),
        ("files", {"../evil": "0"}, "has no place in a study"),
    ],
)
def test_a_record_that_points_outside_is_refused(
    store: Store, tmp_path: Path, field: str, value: object, said: str
) -> None:
    content = list(members(store, PLAN, store.records(PLAN.stages.values()), "none"))
    number = next(i for i, one in enumerate(content) if one.name.endswith(f"{SCORES.key}.json"))
    source = content[number].source
    assert isinstance(source, bytes)
    content[number] = of_bytes(
        content[number].name, json.dumps({**json.loads(source), field: value}).encode()
    )
    content = [one for one in content if not one.name.startswith("results/total")]
    manifest = Manifest("lab", "none", "now", {}, {one.name: one.sealed for one in content})
    pack(tmp_path / "lab.tar", manifest, content)
    with pytest.raises(BundleError, match=said.replace(".", r"\.")):
        read(tmp_path / "lab.tar")


def test_a_damaged_result_is_not_exported(store: Store, tmp_path: Path) -> None:
    record = store.record(TUNED.key, TUNED.kind)
    assert record is not None
    (store.result_folder(record) / "network.pt").write_text(f"network.pt of {TUNED.key[:-1]}!")
    with pytest.raises(StoreError, match=r"network\.pt: damaged: .*rotlab invalidate"):
        export(store, tmp_path / "lab.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_file_that_exists_or_has_another_ending_is_refused(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    with pytest.raises(UserError, match="exists; give another name"):
        export(store, path)
    with pytest.raises(UserError, match=r"must end in \.tar, \.tar\.gz, \.tgz"):
        export(store, tmp_path / "lab.zip")


def test_a_large_file_is_not_held_in_memory(store: Store, tmp_path: Path) -> None:
    record = store.record(FIRST.key, FIRST.kind)
    assert record is not None
    large = store.result_folder(record) / "network.pt"
    os.truncate(large, 50_000_000)
    with large.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    home = store.home(FIRST.key, FIRST.kind) / "record.json"
    values = json.loads(home.read_text())
    values["files"]["network.pt"] = digest
    home.write_text(json.dumps(values))
    tracemalloc.start()
    bring(export(store, tmp_path / "lab.tar", "all"), Store(tmp_path / "other"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
