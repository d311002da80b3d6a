"""What a signal does, by when it comes."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from rotlab.execution.conduct import interrupt as module
from rotlab.execution.conduct.interrupt import Interrupt


class FakeConduct:
    stopping = False


def send(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)
    threading.Event().wait(0.05)


def aim(interrupt: Interrupt, stop_file: Path) -> FakeConduct:
    conduct = FakeConduct()
    interrupt.aim(conduct, stop_file)  # type: ignore[arg-type]
    return conduct


def test_before_a_run_a_signal_ends_at_once() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with Interrupt(), pytest.raises(KeyboardInterrupt):
            send(number)


def test_a_run_is_asked_first_and_ended_by_a_second_signal(tmp_path: Path) -> None:
    with Interrupt() as interrupt:
        conduct = aim(interrupt, tmp_path / "stop")
        send()
        assert conduct.stopping
        assert (tmp_path / "stop").exists()
        with pytest.raises(KeyboardInterrupt):
            send()
    assert not (tmp_path / "stop").exists()


def test_a_run_that_does_not_end_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.1)
    with Interrupt() as interrupt:
        aim(interrupt, tmp_path / "stop")
        send()
        with pytest.raises(KeyboardInterrupt):
            time.sleep(5)


def test_a_signal_between_two_runs_is_not_lost(tmp_path: Path) -> None:
    with Interrupt() as interrupt:
        aim(interrupt, tmp_path / "stop")
        interrupt.let_go()
        with pytest.raises(KeyboardInterrupt):
            send()
        aim(interrupt, tmp_path / "stop")
        send()
        with pytest.raises(KeyboardInterrupt):
            interrupt.let_go()


def test_behind_a_shield_a_signal_waits() -> None:
    reached = False
    with Interrupt() as interrupt, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with interrupt.shield():
            send()
            reached = True
        pytest.fail("the signal was lost")
    assert reached


def test_handlers_are_given_back() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with Interrupt():
        pass
    assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
