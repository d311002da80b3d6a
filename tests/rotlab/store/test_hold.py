"""Locks hold on NFS too, which asks of a descriptor that it fits its lock."""

import errno
import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import IO

import pytest

from rotlab.store.exclusive import check_exclusive
from rotlab.store.gate import counting, removing
from rotlab.store.hold import hold, holder
from rotnet.errors import UserError


def as_nfs_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks as of the Linux client of NFS 4 (nfs4_proc_lock): EBADF where the mode does not fit."""
    lock = fcntl.flock

    def flock(file: int | IO[str], how: int) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        misfit = {fcntl.LOCK_SH: os.O_WRONLY, fcntl.LOCK_EX: os.O_RDONLY}
        if misfit.get(how & ~fcntl.LOCK_NB) == mode:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)


def test_on_nfs_a_study_is_held_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_nfs_has_it(monkeypatch)
    study = tmp_path / "study"
    with hold(study, "first") as before:
        assert before is None
        with hold(study, "second") as other:
            assert other == holder(study) == f"process {os.getpid()} on {os.uname().nodename}"
    assert holder(study) is None
    (study / "stop-left").touch()
    (study / "driver-dead.lock").touch()
    with hold(study, "third"):
        assert not list(study.glob("*-*"))


def test_on_nfs_those_who_count_and_who_remove_keep_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_nfs_has_it(monkeypatch)
    check_exclusive(tmp_path)
    with counting(tmp_path), counting(tmp_path), pytest.raises(UserError, match="try again"):
        removing(tmp_path, wait_s=0.1).__enter__()
    with removing(tmp_path, wait_s=0.1):
        pass


def test_a_lock_that_fails_is_not_taken_for_one_that_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "driver.lock").touch()
    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="No locks"):
        holder(tmp_path)


@pytest.mark.parametrize("how", [fcntl.LOCK_EX, fcntl.LOCK_SH])
def test_a_file_system_that_lacks_one_sort_of_lock_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: int
) -> None:
    def flock(_: int, asked: int) -> None:
        if asked & how:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UserError, match="has no file locks"):
        check_exclusive(tmp_path)


def test_a_run_waits_for_what_holds_its_study_and_is_none(tmp_path: Path) -> None:
    with ExitStack() as importing:
        importing.enter_context(hold(tmp_path, "import", "rotlab import"))
        Timer(0.5, importing.close).start()
        with hold(tmp_path, "run") as other:
            assert other is None


def test_a_run_gives_up_on_what_holds_its_study_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotlab.store.hold.WAIT_S", 0.1)
    with (
        hold(tmp_path, "import", "rotlab import"),
        pytest.raises(UserError, match=r"is held by process \d+ on .* \(rotlab import\); try"),
    ):
        hold(tmp_path, "run").__enter__()


def test_what_is_no_run_learns_at_once_who_holds_a_study(tmp_path: Path) -> None:
    with (
        hold(tmp_path, "one", "rotlab import"),
        hold(tmp_path, "two", "rotlab gc") as other,
    ):
        assert str(other).endswith(" (rotlab import)")
