"""What names stand for what in a bucket, and what its server lets be done."""

from pathlib import Path

import pytest

from rotlab.store.bucket import Bucket, ChangedError
from rotlab.store.replica import far_of, replica_of, told
from tests.rotlab.store import s3


def test_a_path_tells_the_url_that_it_stands_for_and_a_users_folder_none(tmp_path: Path) -> None:
    path = replica_of("s3://lab/deep/store") / "count" / "key"
    far = far_of(path)
    assert far is not None
    assert (far.bucket.url, far.name) == ("s3://lab/deep/store", "count/key")
    assert told(path) == "s3://lab/deep/store/count/key"
    for own in (tmp_path, tmp_path / "stores" / "s3", tmp_path / "s3%3A%2F%2Flab"):
        assert far_of(own) is None
        assert told(own) == str(own)


def test_an_object_is_replaced_only_by_who_saw_its_last_content(url: str) -> None:
    bucket = Bucket(url)
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


def test_a_listing_of_more_than_one_page_is_whole(url: str) -> None:
    bucket = Bucket(url)
    names = {f"{number:04d}" for number in range(2 * s3.PAGE + 1)}
    for name in names:
        bucket.replace(f"many/{name}", b"")
    assert bucket.listed("many").keys() == names
    bucket.remove_folder("many")
    assert bucket.listed("", deep=True) == {}
