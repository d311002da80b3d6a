"""`rotlab logs`: the right log of the right stage, or one line that says why there is none."""

import pytest

from rotlab.cli import main
from rotlab.commands import logs
from rotlab.planning.stage import Resources, Stage
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage
from tests.rotlab.store.put import put

GOOD, OTHER = make_stage("count", name="good"), make_stage("count", name="other")


@pytest.fixture
def store(place: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store.open(place)
    store.save_study(
        next_revision(None, make_plan([GOOD, OTHER]), "", dict.fromkeys(KINDS, Resources()))
    )
    for attempt in ("20260101T000000-aa", "20260102T000000-bb"):
        put(store.log_path(GOOD, attempt), f"said by {attempt[-2:]}\n")
    monkeypatch.setattr(logs, "load_kinds", lambda: KINDS)
    return store


def show(store: Store, stage: Stage, *options: str) -> int:
    return main(["logs", stage.key[:10], "--store", store.name, *options])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "said by bb\n"),
        (("--all",), "said by aa\nsaid by bb\n"),
        (("--attempt", "20260101"), "said by aa\n"),
    ],
)
def test_the_last_log_is_shown_or_those_asked_for(
    store: Store, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert show(store, GOOD, *options) == 0
    assert capsys.readouterr().out == said


def test_where_logs_lie_is_listed(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(store, GOOD, "--list") == 0
    assert capsys.readouterr().out.splitlines() == [str(path) for path in store.logs(GOOD)]


def test_what_is_not_there_is_said(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(store, OTHER) == 2
    assert f"count {OTHER.key[:12]} has no log" in capsys.readouterr().err
    assert show(store, GOOD, "--attempt", "x") == 2
    assert "20260101T000000-aa, 20260102T000000-bb" in capsys.readouterr().err


def test_what_helpers_said_follows_the_log_of_their_attempt(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        path = store.helper_log_path(GOOD, "20260102T000000-bb", number)
        put(path, f"said by helper {number}\n")
    assert show(store, GOOD) == 0
    assert capsys.readouterr().out == "said by bb\nsaid by helper 1\nsaid by helper 2\n"
    assert show(store, GOOD, "--attempt", "20260101") == 0
    assert capsys.readouterr().out == "said by aa\n"
