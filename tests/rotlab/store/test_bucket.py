"""What names stand for what in a bucket, and what its server lets be done."""

import hashlib
import os
from pathlib import Path

import pytest

from rotlab.store.bucket import PROTOCOLS, Bucket, ChangedError
from rotlab.store.exclusive import check_exclusive
from rotlab.store.objects import Objects
from rotlab.store.replica import far_of, replica_of, told
from rotnet.errors import UserError
from tests.rotlab.store.served import PAGE


def test_a_path_tells_the_url_that_it_stands_for_and_a_users_folder_none(tmp_path: Path) -> None:
    path = replica_of("s3://lab/deep/store") / "count" / "key"
    far = far_of(path)
    assert far is not None
    assert (far.bucket.url, far.name) == ("s3://lab/deep/store", "count/key")
    assert told(path) == "s3://lab/deep/store/count/key"
    for own in (tmp_path, tmp_path / "stores" / "s3", tmp_path / "s3%3A%2F%2Flab"):
        assert far_of(own) is None
        assert told(own) == str(own)


def test_an_object_is_replaced_only_by_who_saw_its_last_content(any_url: str) -> None:
    bucket = Bucket(any_url)
    first = bucket.create("a", b"1")
    second = bucket.replace("a", b"2", first)
    with pytest.raises(ChangedError):
        bucket.replace("a", b"3", first)
    assert bucket.replace("a", b"2", first) == second  # the answer was lost; it had been done
    assert bucket.create("a", b"2") == second
    with pytest.raises(FileExistsError):
        bucket.create("a", b"4")
    bucket.remove("a", "b")
    with pytest.raises(ChangedError):
        bucket.replace("a", b"3", second)


def test_a_listing_of_more_than_one_page_is_whole(any_url: str) -> None:
    bucket = Bucket(any_url)
    names = {f"{number:04d}" for number in range(2 * PAGE + 1)}
    for name in names:
        bucket.replace(f"many/{name}", b"")
    assert bucket.listed("many").keys() == names
    bucket.remove_folder("many")
    assert bucket.listed("", deep=True) == {}


def test_a_file_of_several_parts_comes_back_as_it_went(any_url: str, tmp_path: Path) -> None:
    bucket, file = Bucket(any_url), tmp_path / "file"
    for size in (0, 1000, 17 * 2**20 + 1):
        data = os.urandom(size)
        file.write_bytes(data)
        bucket.upload(file, "file")
        bucket.download("file", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == data
        listed = bucket.listed("")["file"]
        assert listed is not None
        assert listed.size == size
        assert bucket.clock() - 60 < listed.changed <= bucket.clock()
    with pytest.raises(FileNotFoundError):
        bucket.download("another", tmp_path / "back")


def test_a_small_object_is_listed_by_its_md5(any_url: str) -> None:
    bucket = Bucket(any_url)
    bucket.create("a", b"1")
    listed = bucket.listed("")["a"]
    assert listed is not None
    assert listed.md5 == hashlib.md5(b"1", usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("heeded", "said"), [((), "that a name is taken"), (("",), "that an object has changed")]
)
def test_a_server_that_does_not_heed_a_condition_is_refused(
    scheme: str, any_url: str, heeded: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = PROTOCOLS[scheme].put

    def heedless(self: Objects, name: str, data: bytes, over: str | None) -> str:
        return put(self, name, data, over if over in heeded else None)

    monkeypatch.setattr(PROTOCOLS[scheme], "put", heedless)
    with pytest.raises(UserError, match=f"does not heed {said}"):
        check_exclusive(replica_of(any_url))
    assert Bucket(any_url).listed("", deep=True) == {}
