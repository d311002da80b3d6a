"""`rotlab gc`: what it shows it removes, whole, once asked; and nothing else."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rotlab.cli import main
from rotlab.commands import collect
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.stage import Resources, Stage
from rotlab.store import clear
from rotlab.store.bucket import Bucket
from rotlab.store.files import remove
from rotlab.store.gate import removing
from rotlab.store.lease import Lease
from rotlab.store.leftovers import Leftover
from rotlab.store.record import Record
from rotlab.store.replica import told
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.tracking.journal import Journal
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage
from tests.rotlab.store.nodes import Nodes
from tests.rotlab.store.put import names, put

STAGES = [make_stage("count", name=name) for name in "abcd"]
A, B, C, D = STAGES


def ask(store: Store, *stages: Stage, name: str = "lab") -> None:
    plan, resources = make_plan(stages, name=name), dict.fromkeys(KINDS, Resources())
    store.save_study(next_revision(store.study(name), plan, "", resources))


def do(store: Store, stage: Stage) -> Record:
    work = Work({one.key: one for one in STAGES}, KINDS, {}, store.root, {"count": 1})
    return perform(stage.key, work, Unwatched())


@pytest.fixture
def store(place: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Four results, of which the last revision of the one study asks for two."""
    monkeypatch.setattr(collect, "load_kinds", lambda: KINDS)
    store = Store.open(place)
    ask(store, A, B, C, D)
    for stage in STAGES:
        do(store, stage)
    ask(store, A, B)
    return store


def gc(store: Store, *words: str) -> int:
    return main(["gc", "--store", store.name, "--keep-days", "0", *words])


def done(store: Store) -> str:
    records = store.records(STAGES)
    return "".join(str(one.config.model_dump()["name"]) for one in STAGES if one.key in records)


def test_it_shows_classes_and_sizes_and_asks_first(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gc(store) == 2
    captured = capsys.readouterr()
    assert "unasked" in captured.out
    assert captured.err == (
        "error: nobody can be asked here: give --yes if that is what you want\n"
    )
    assert done(store) == "abcd"


def test_a_no_changes_nothing_and_a_yes_removes(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert gc(store) == 1
    assert done(store) == "abcd"
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert gc(store) == 0
    assert done(store) == "ab"
    assert "removed 2 things" in capsys.readouterr().out
    assert not list(store.root.glob(".trash-*"))


def test_a_dry_run_and_a_class_to_keep_remove_nothing(store: Store) -> None:
    assert gc(store, "--dry-run") == 0
    assert gc(store, "--keep", "unasked", "--yes") == 0
    assert gc(store, "--keep-days", "1", "--yes") == 0
    assert done(store) == "abcd"


def test_studies_that_once_had_a_result_are_told_and_it_can_be_made_again(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gc(store, "--yes") == 0
    assert "lab: 2 results of earlier revisions are gone" in capsys.readouterr().out
    (event,) = Journal(store.journal_path("lab")).read()
    assert (event["event"], event["keys"]) == ("results_removed", sorted([C.key, D.key]))
    assert do(store, C).metrics["resumed_at"] == 0.0
    assert gc(store, "--yes", "--study", "lab") == 0
    assert done(store) == "ab"


def test_a_dropped_study_is_gone_and_what_others_ask_for_stays(store: Store) -> None:
    ask(store, B, name="other")
    assert gc(store, "--drop", "lab", "--yes") == 0
    assert (store.studies(), done(store)) == (["other"], "b")


def test_what_is_meant_must_be_there_and_not_be_run(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in (
        (("--study", "lob"), "did you mean 'lab'?"),
        (("--keep-days", "-1"), "must be a number of days, 0 or more, got '-1'"),
        (("--keep", "wins"), "invalid choice: 'wins'"),
    ):
        assert gc(store, *words) == 2
        assert said in capsys.readouterr().err
    with store.driving("lab", "run"):
        assert gc(store, "--drop", "lab", "--yes") == 2
        assert "is being run by process" in capsys.readouterr().err
        assert gc(store, "--yes") == 0
    assert done(store) == "abcd"


def test_what_is_taken_into_use_after_it_was_shown_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)

    def yes(_: str) -> str:
        ask(store, D, name="other")
        lease.__enter__()
        return "yes"

    lease = Lease(store.lease_path(C), "1", None, lambda: True)
    monkeypatch.setattr("builtins.input", yes)
    assert gc(store) == 0
    lease.__exit__(None, None, None)
    assert done(store) == "abcd"
    assert "2 were left: somebody has begun to use them" in capsys.readouterr().out


def test_a_store_that_is_not_there_is_no_error(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    none = Store.open(place)
    assert gc(none, "--yes") == 0
    assert "there is no store" in capsys.readouterr().out
    assert not none.root.exists()


def _collect(root: Path, then: Callable[[], object], *words: str) -> None:
    then()
    os._exit(gc(Store(root), *(words or ["--yes"])))


def _run(store: Store, then: Callable[[], object], *words: str) -> int | None:
    process = multiprocessing.get_context("fork").Process(
        target=_collect, args=(store.root, then, *words)
    )
    process.start()
    process.join(60)
    return process.exitcode


def dying_at(patch: pytest.MonkeyPatch, owner: type, method: str, calls: int) -> None:
    """Have a process killed at a call of a method, after so many."""
    kept, left = getattr(owner, method), [calls]

    def dying(self: Any, *args: Any) -> Any:
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return kept(self, *args)

    patch.setattr(owner, method, dying)


@pytest.mark.parametrize("place", ["folder"], indirect=True)
@pytest.mark.parametrize("renames", [0, 1, 2])
def test_killed_anywhere_it_leaves_records_whole_or_gone(store: Store, renames: int) -> None:
    def die_after() -> None:
        patch = pytest.MonkeyPatch()
        dying_at(patch, Path, "rename", renames)
        patch.setattr(collect, "free", lambda _: os.kill(os.getpid(), signal.SIGKILL))

    assert _run(store, die_after) == -signal.SIGKILL
    left = store.records(STAGES)
    assert len(left) == 4 - renames
    for record in left.values():
        store.result_folder(record)
    assert list(store.root.glob(".trash-*"))
    assert gc(store, "--yes") == 0
    assert done(store) == "ab"
    assert not list(store.root.glob(".trash-*"))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["s3", "gs"], indirect=True)
@pytest.mark.parametrize("words", [("--yes",), ("--yes", "--drop", "lab")])
def test_killed_at_any_request_it_leaves_results_whole_or_gone_and_the_next_ends_it(
    store: Store, node: Nodes, words: tuple[str, ...]
) -> None:
    requests = 0
    while True:
        die = partial(dying_at, pytest.MonkeyPatch(), Bucket, "remove", requests)
        asked = words if "studies/lab/2.json" in names(store.root) else ("--yes",)
        status = _run(store, die, *asked)
        assert status in (0, -signal.SIGKILL)
        if status == 0:
            break
        there = node(f"{len(words)}-{requests}", store.name)
        study, records = there.study("lab"), there.records(STAGES)
        assert study is None or study.revision == 2
        if study is not None and words == ("--yes",):
            assert {A.key, B.key} <= records.keys()
        for record in records.values():
            there.result_folder(record)
        requests += 1
    assert requests > 3
    assert done(store) == ("ab" if words == ("--yes",) else "")
    left = {name.split("/")[1] for name in names(store.root) if name.startswith("count/")}
    assert left == ({A.key, B.key} if words == ("--yes",) else set())


def test_two_at_once_remove_each_thing_once(store: Store) -> None:
    context = multiprocessing.get_context("fork")

    def slow() -> None:
        def clear_slowly(store: Store, going: list[Leftover], *rest: Any) -> clear.Cleared:
            time.sleep(0.2)
            return clear.clear(store, going, *rest)

        pytest.MonkeyPatch().setattr(collect, "clear", clear_slowly)

    both = [context.Process(target=_collect, args=(store.root, slow)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert done(store) == "ab"
    assert not list(store.root.glob(".trash-*"))


def test_while_the_store_is_exported_it_waits_and_then_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(collect, "removing", lambda root: removing(root, wait_s=0.1))
    with removing(store.root):
        assert gc(store, "--yes") == 2
    assert "try again once that is over" in capsys.readouterr().err


def revision(store: Store, number: int) -> Path:
    return store.study_folder("lab") / f"{number}.json"


def test_a_study_whose_first_plan_is_gone_keeps_what_its_last_one_asks_for(store: Store) -> None:
    remove(revision(store, 1))
    assert store.studies() == ["lab"]
    assert gc(store, "--yes") == 0
    assert done(store) == "ab"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_plan_that_cannot_be_read_stops_it_with_the_file_and_the_way_out(
    store: Store, capsys: pytest.CaptureFixture[str], number: int, text: str
) -> None:
    put(revision(store, number), text)
    assert gc(store, "--yes") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{told(revision(store, number))}: cannot be read" in said
    assert "remove it and run the study's file again, before any `rotlab gc`" in said
    assert done(store) == "abcd"


@pytest.mark.parametrize("gone", [(1, 2), (2,)])
def test_a_plan_that_was_run_and_is_gone_stops_it(
    store: Store, capsys: pytest.CaptureFixture[str], gone: tuple[int, ...]
) -> None:
    with store.driving("lab", "run"):
        journal = Journal(store.journal_path("lab"))
        journal.append({"event": "study_started", "time": 1.0, "revision": 2})
        journal.close()
    for number in gone:
        remove(revision(store, number))
    assert gc(store, "--yes") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    gone_one = told(revision(store, 2))
    assert f"{gone_one}: is gone, though the study was run by it; run its file" in said
    assert done(store) == "abcd"
    ask(store, A, B, C)
    if gone == (2,):
        assert gc(store, "--yes") == 0
        assert done(store) == "abc"


@pytest.mark.parametrize("number", [1, 2])
def test_a_study_that_cannot_be_read_can_be_dropped(store: Store, number: int) -> None:
    ask(store, D, name="other")
    put(revision(store, number), "{")
    assert gc(store, "--drop", "lab", "--yes") == 0
    assert names(store.study_folder("lab")) == set()
    assert gc(store, "--yes") == 0
    assert done(store) == "d"


def test_a_folder_in_which_nothing_was_run_is_no_study(store: Store) -> None:
    (store.study_folder("begun") / "smoke").mkdir(parents=True)
    assert store.studies() == ["lab"]
    assert gc(store, "--yes") == 0
