"""`rotlab export` and `rotlab import`: a study opens on another machine, with its answer."""

import json
import tarfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rotlab.cli import main
from rotlab.commands import export, import_study
from rotlab.execution.conduct.replay import replay
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.stage import Resources
from rotlab.store import placing
from rotlab.store.placing import Placed
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.tracking.journal import Journal
from rotlab.tracking.uri import default_tracking_uri
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage

COUNT = make_stage("count", name="a", epochs=3)
PLAN = make_plan([COUNT, *(make_stage("total", {"x": COUNT}, name=name) for name in "bc")])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for command in (export, import_study):
        monkeypatch.setattr(command, "load_kinds", lambda: KINDS)


@pytest.fixture
def store(place: str) -> Store:
    """A store in which the study is done but was told to nobody."""
    store = Store.open(place)
    store.save_study(next_revision(None, PLAN, "name: lab\n", dict.fromkeys(KINDS, Resources())))
    work = Work(PLAN.stages, KINDS, {}, store.root, dict.fromkeys(KINDS, 1))
    for key in PLAN.stages:
        perform(key, work, Unwatched())
    return store


def ask(*words: str) -> int:
    return main([*words])


@pytest.mark.parametrize("place", ["folder"], indirect=True)
@pytest.mark.slow
def test_a_study_is_answered_elsewhere_as_it_is_here(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    study = store.study("lab")
    assert study is not None
    assert replay(store, study, KINDS, default_tracking_uri(store.root)) == (0, "")
    assert ask("export", "lab", "-o", "lab.tar.gz", "--store", "store") == 0
    assert "lab.tar.gz: lab, 3 of 3 results, weights: results" in capsys.readouterr().out
    assert ask("import", "lab.tar.gz", "--store", "elsewhere") == 0
    assert "lab: 3 results added" in capsys.readouterr().out
    said = []
    for place in ("store", "elsewhere"):
        assert ask("results", "lab", "--format", "csv", "--store", place) == 0
        assert ask("status", "lab", "--store", place) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "3 of 3 stages done" in said[1]
    journal = Path("elsewhere/studies/lab/journal.jsonl")
    before = journal.read_bytes()
    assert ask("import", "lab.tar.gz", "--store", "elsewhere") == 0
    assert "3 were there already" in capsys.readouterr().out
    assert journal.read_bytes() == before
    with tarfile.open("lab.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        environment = json.load(archive.extractfile("lab/environment.json"))  # type: ignore[arg-type]
    assert {"search_space.yaml", "environment.json", "results.csv", "results.md"} <= names
    assert environment["here"]["packages"]["numpy"]
    assert environment["results"]["devices"] == {"cpu": 3}


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_what_cannot_be_exported_is_said_and_leaves_no_file(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in (
        (("lob", "-o", "x.tar"), "did you mean 'lab'?"),
        (("lab", "-o", "x.zip"), "x.zip: must end in .tar, .tar.gz, .tgz"),
        (("lab", "-o", "x.tar"), "no tables: no results of 'lab'"),
        (("lab", "-o", "none/x.tar", "--without-tables"), "cannot be written"),
        (("lab",), "the following arguments are required: -o/--output"),
    ):
        assert ask("export", *words, "--store", store.name) == 2
        assert said in capsys.readouterr().err
    assert [path.name for path in Path.cwd().iterdir()] == ["store"]
    assert ask("export", "lab", "-o", "x.tar", "--without-tables", "--store", "store") == 0


@pytest.mark.parametrize("place", ["s3"], indirect=True)
def test_nothing_is_put_into_a_bucket_while_nothing_says_where_mlflow_is(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("export", "lab", "-o", "x.tar", "--without-tables", "--store", store.name) == 0
    elsewhere = f"{store.name}/elsewhere"
    assert ask("import", "x.tar", "--store", elsewhere) == 2
    assert "give --tracking-uri" in capsys.readouterr().err
    assert Store.open(elsewhere).studies() == []


def test_a_damaged_file_changes_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("export", "lab", "-o", "x.tar", "--without-tables", "--store", store.name) == 0
    whole = bytearray(Path("x.tar").read_bytes())
    place = whole.rindex(b'"accuracy": 3.0')
    whole[place + 12 : place + 13] = b"4"
    Path("x.tar").write_bytes(whole)
    assert ask("import", "x.tar", "--store", "elsewhere") == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "error: x.tar: not a whole file of `rotlab export`: its member 'records/"
    )
    assert error.count("\n") == 1
    assert [path.name for path in Path("elsewhere").iterdir()] == [".clearing.lock"]


def test_a_study_of_kinds_that_are_not_here_is_refused(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("export", "lab", "-o", "x.tar", "--without-tables", "--store", store.name) == 0
    monkeypatch.setattr(import_study, "load_kinds", lambda: {"count": KINDS["count"]})
    assert ask("import", "x.tar", "--store", "elsewhere") == 2
    assert "unknown stage kind 'total'" in capsys.readouterr().err
    assert Store(Path("elsewhere")).studies() == []


def test_a_study_that_a_run_has_taken_up_is_told_by_that_run(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Store(Path("elsewhere").absolute())
    assert ask("export", "lab", "-o", "x.tar", "--without-tables", "--store", store.name) == 0
    running = ExitStack()

    def place(*args: Any) -> Placed:
        placed = placing.place(*args)
        running.enter_context(elsewhere.driving("lab", "run"))
        return placed

    monkeypatch.setattr(import_study, "place", place)
    with running:
        assert ask("import", "x.tar", "--store", "elsewhere") == 0
    assert "MLflow is not told of lab, which is held by process" in capsys.readouterr().out
    assert elsewhere.journals("lab") == []


def test_what_is_told_to_mlflow_is_told_while_the_study_is_held(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("export", "lab", "-o", "x.tar", "--without-tables", "--store", store.name) == 0

    def replay(there: Store, *_: object) -> tuple[int, str]:
        assert str(there.driver("lab")).endswith("(rotlab import)")
        return 0, ""

    monkeypatch.setattr(import_study, "replay", replay)
    assert ask("import", "x.tar", "--store", "elsewhere") == 0


def test_an_event_of_another_run_is_kept(store: Store) -> None:
    journal = Journal(store.journal_path("lab", "7-ab"))
    journal.append({"event": "study_started", "time": 1.0})
    journal.close()
    assert ask("export", "lab", "-o", "x.tar", "--without-tables", "--store", store.name) == 0
    with tarfile.open("x.tar") as archive:
        assert "lab/journals/journal-7-ab.jsonl" in archive.getnames()
