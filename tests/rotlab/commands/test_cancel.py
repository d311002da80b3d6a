"""`rotlab cancel`: asks, waits, and says so where there is nobody to ask."""

import threading
import time

import pytest

from rotlab.cli import main
from rotlab.commands import cancel
from rotlab.planning.stage import Resources
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage


@pytest.fixture
def store(place: str) -> Store:
    store = Store.open(place)
    plan = make_plan([make_stage("count", name="a")])
    store.save_study(next_revision(None, plan, "", dict.fromkeys(KINDS, Resources())))
    return store


def ask(store: Store, study: str = "lab") -> int:
    return main(["cancel", study, "--store", store.name])


def test_a_run_that_ends_is_waited_for(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    held = threading.Event()

    def drive() -> None:
        with store.driving("lab", "run"):
            held.set()
            while not store.cancel_path("lab").exists():
                time.sleep(0.01)

    driver = threading.Thread(target=drive)
    driver.start()
    held.wait()
    assert ask(store) == 0
    driver.join()
    assert "it has ended" in capsys.readouterr().out
    with store.driving("lab", "run") as other:
        assert other is None
        assert not store.cancel_path("lab").exists()


def test_a_run_that_does_not_end_is_said(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancel, "WAIT_S", 0.1)
    monkeypatch.setattr(cancel, "LOOK_EVERY_S", 0.01)
    with store.driving("lab", "run"):
        assert ask(store) == 2
    assert "has not ended within 0.1 s" in capsys.readouterr().err


def test_where_nobody_runs_a_study_that_is_said(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(store) == 2
    assert "'lab' is not being run" in capsys.readouterr().err
    assert ask(store, "lob") == 2
    assert "did you mean 'lab'?" in capsys.readouterr().err
