"""`rotlab invalidate`: what is meant and all made from it goes, is kept, and is made anew."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.cli import main
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.stage import Stage
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotnet.errors import UserError
from rotnet.learning.watch import Stopped, Unwatched
from tests.rotlab.execution.lab import KINDS, make_stage
from tests.rotlab.execution.search.bowls import TEXT, search_to_the_end

A, B = make_stage("count", name="a", epochs=3), make_stage("count", name="b")
OF_A = make_stage("total", {"a": A}, name="a")
OF_BOTH = make_stage("total", {"a": OF_A, "b": B}, name="both")
ALL = (A, B)


@pytest.fixture
def store(place: str) -> Store:
    store = Store.open(place)
    for stage in ALL:
        perform(stage.key, work(store), Unwatched())
    return store


def work(store: Store) -> Work:
    stages = {stage.key: stage for stage in (A, B, OF_A, OF_BOTH)}
    return Work(stages, KINDS, {}, store.root, {"count": 1, "total": 1})


def done(store: Store, *stages: Stage) -> list[bool]:
    return [store.record(stage.key, stage.kind) is not None for stage in stages]


def invalidate(store: Store, *words: str) -> int:
    return main(["invalidate", "--store", store.name, "--because", "a bad disk", *words])


def test_a_result_goes_and_is_kept_with_the_reason(store: Store) -> None:
    before = store.record(A.key, A.kind)
    assert before is not None
    assert invalidate(store, A.key[:10], "--yes") == 0
    assert done(store, A, B) == [False, True]
    aside = store.root / "count" / A.key / "invalid"
    note = json.loads((aside / f"{before.attempt}.json").read_text())
    assert (note["because"], note["record"]["metrics"]) == ("a bad disk", dict(before.metrics))
    assert (aside / before.attempt / "state.json").exists()


def test_it_is_made_again_from_the_beginning(store: Store) -> None:
    assert invalidate(store, A.key, "--yes") == 0
    record = perform(A.key, work(store), Unwatched())
    assert record.metrics == {"epochs": 3.0, "resumed_at": 0.0}


def test_what_was_made_from_it_goes_too(store: Store) -> None:
    perform(OF_A.key, work(store), Unwatched())
    assert invalidate(store, A.key, "--yes") == 0
    assert done(store, A, B, OF_A) == [False, True, False]


def test_what_is_made_from_it_while_it_is_asked_for_goes_too(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def agreed(_: str) -> bool:
        perform(OF_A.key, work(store), Unwatched())
        return True

    monkeypatch.setattr("rotlab.commands.invalidate.agreed", agreed)
    assert invalidate(store, A.key) == 0
    assert done(store, A, B, OF_A) == [False, True, False]
    assert "2 results count no more" in capsys.readouterr().out


def test_a_result_that_was_made_again_meanwhile_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agreed(_: str) -> bool:
        assert invalidate(store, A.key, "--yes") == 0
        perform(A.key, work(store), Unwatched())
        perform(OF_A.key, work(store), Unwatched())
        return True

    monkeypatch.setattr("rotlab.commands.invalidate.agreed", agreed)
    assert invalidate(store, A.key) == 0
    assert done(store, A, OF_A) == [True, True]


def test_results_are_meant_by_how_they_were_made(store: Store) -> None:
    assert invalidate(store, "--where", "kind=total", "--yes") == 2
    assert invalidate(store, "--where", "kind=count", "--where", "device=cuda", "--yes") == 2
    assert done(store, A, B) == [True, True]
    assert invalidate(store, "--where", "kind=count", "--where", "device=cpu", "--yes") == 0
    assert done(store, A, B) == [False, False]


def test_nothing_goes_unasked_or_without_a_reason(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in (
        ((A.key,), "nobody can be asked here: give --yes"),
        ((), "which results? give KEY or --where"),
        ((A.key, "--because", " "), "--because is empty"),
        (("zzz", "--yes"), "no result has a key that begins with 'zzz'"),
        (("--where", "lr=1"), "must be kind, commit, source, host, device, or a setting"),
        (("--where", "lr"), "must be NAME=VALUE, got 'lr'"),
    ):
        assert invalidate(store, *words) == 2
        assert said in capsys.readouterr().err
    assert done(store, A, B) == [True, True]


def test_cut_short_it_leaves_an_error_and_never_a_result(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = store.record(A.key, A.kind)
    assert record is not None
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.set_aside(record, "why")
    assert invalidate(store, A.key, "--yes") == 0
    assert done(store, A) == [False]
    assert perform(A.key, work(store), Unwatched()).metrics["resumed_at"] == 0.0


class Halfway(Unwatched):
    """Does something after a step of a stage."""

    def __init__(self, step: int, then: Callable[[], object]) -> None:
        self._step, self._then = step, then

    def saved(self, step: int, path: Path) -> None:  # noqa: ARG002
        if step == self._step:
            self._then()


def stop() -> None:
    raise Stopped


def test_what_was_half_done_from_a_withdrawn_result_is_begun_afresh(tmp_path: Path) -> None:
    child = make_stage("count", {"a": A}, name="child", epochs=5)
    store = Store(tmp_path)
    todo = Work({s.key: s for s in (A, child)}, KINDS, {}, store.root, {"count": 1})
    perform(A.key, todo, Unwatched())
    with pytest.raises(Stopped):
        perform(child.key, todo, Halfway(3, stop))
    assert invalidate(store, A.key, "--yes") == 0
    perform(A.key, todo, Unwatched())
    assert perform(child.key, todo, Unwatched()).metrics["resumed_at"] == 0.0


def test_what_is_at_work_with_a_withdrawn_result_is_not_committed(tmp_path: Path) -> None:
    child = make_stage("count", {"a": A}, name="child", epochs=5)
    store = Store(tmp_path)
    todo = Work({s.key: s for s in (A, child)}, KINDS, {}, store.root, {"count": 1})
    perform(A.key, todo, Unwatched())
    watch = Halfway(3, lambda: invalidate(store, A.key, "--yes"))
    with pytest.raises(UserError, match="was withdrawn while it was at work"):
        perform(child.key, todo, watch)
    assert done(store, A, child) == [False, False]


@pytest.fixture
def searched(tmp_path: Path) -> tuple[Store, str]:
    """A store of two searches that have ended, and the stage that judged a proposal of one."""
    store = Store(tmp_path / "store")
    job = search_to_the_end(store.root, TEXT.replace("proposals: 10", "proposals: 6"))
    assert job.searches is not None
    store.save_study(next_revision(None, job.searches.plan, job.text, job.resources))
    path = min((store.root / "searches").glob("*/4-value.json"))
    return store, str(json.loads(path.read_text())["results"][0])


def test_what_was_decided_by_it_goes_too_and_is_told_before_it_is_asked_for(
    searched: tuple[Store, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store, key = searched
    asked: list[str] = []

    def agreed(_: str) -> bool:
        asked.append(capsys.readouterr().out)
        return False

    monkeypatch.setattr("rotlab.commands.invalidate.agreed", agreed)
    assert invalidate(store, key) == 1
    said = "1 search (1 winner, 2 later proposals) stood on them, and will be decided anew"
    assert said in asked[0]
    assert len(list((store.root / "searches").glob("*/winner-6.json"))) == 2
    assert invalidate(store, key, "--yes") == 0
    assert len(list((store.root / "searches").glob("*/winner-6.json"))) == 1
    assert len(list((store.root / "searches").glob("*/5.json"))) == 1


def test_a_search_that_is_under_way_is_not_pulled_from_under_its_driver(
    searched: tuple[Store, str], capsys: pytest.CaptureFixture[str]
) -> None:
    store, key = searched
    with store.driving("bowls", "1-ab"):
        assert invalidate(store, key, "--yes") == 2
    assert "end that first: rotlab cancel bowls" in capsys.readouterr().err
    assert store.record(key, "bowl") is not None
