"""A store needs a file system on which one of several creates a file."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from rotlab.store.exclusive import check_exclusive
from rotnet.errors import UserError


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        check_exclusive(folder)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_a_usual_file_system_will_do_and_nothing_is_left_there(tmp_path: Path) -> None:
    check_exclusive(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_without_hard_links_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert refusal(tmp_path) == (
        f"store {tmp_path}: its file system has no hard links (Operation not permitted), so two "
        "runs could both commit one stage; give --store a folder on another file system"
    )


def test_one_that_creates_a_file_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", lambda _, target: Path(target).write_bytes(b""))
    assert "lets a file be created twice" in refusal(tmp_path)


def test_one_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert "has no file locks (No locks available)" in refusal(tmp_path)
