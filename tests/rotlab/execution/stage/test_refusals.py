"""What `rotlab run` refuses before anything starts, each in one line."""

import argparse
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from rotlab.commands import run
from rotlab.commands.run import check_runnable
from rotlab.execution.run import run_job
from rotlab.execution.stage import stages
from rotlab.planning.stage import DataRef
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotnet.config import FinetuneConfig
from rotnet.data.manifest import Manifest
from rotnet.errors import DataError, UserError
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import make_job, make_plan, make_stage

STAGE = make_stage("count", name="a")
PLAN = make_plan([STAGE])


def refuse_run(store: Path, uri: str | None = None) -> str:
    said: list[str] = []
    with pytest.raises(UserError) as caught:
        run_job(replace(make_job(PLAN, store), tracking_uri=uri), Console(quiet=True), said.append)
    assert said == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_absent_data_are_named_with_the_command_that_prepares_them() -> None:
    with pytest.raises(UserError, match=r"ucf101 \(rotnet prepare .*data/ucf101") as caught:
        check_runnable(replace(PLAN, absent=("ucf101", "hmdb51")), Path("data"))
    assert "hmdb51 (rotnet prepare" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stages_that_cannot_run_yet_say_why_once() -> None:
    plan = replace(PLAN, unsupported={"a": "no such rotation", "b": "no such rotation"})
    with pytest.raises(UserError, match=r"2 of 1 stages cannot be run: no such rotation$"):
        check_runnable(plan, Path("data"))


def test_another_question_under_the_same_name_is_refused(tmp_path: Path) -> None:
    job = make_job(PLAN, tmp_path)
    other = replace(PLAN, question="Something else?")
    Store(tmp_path).save_study(next_revision(None, other, "", job.resources))
    assert "another question" in refuse_run(tmp_path)


def test_a_tracking_uri_that_cannot_work_is_refused(tmp_path: Path) -> None:
    assert "'ftp://x'" in refuse_run(tmp_path, "ftp://x")
    assert "does not exist" in refuse_run(tmp_path, f"sqlite:///{tmp_path}/no/mlflow.db")


def test_a_study_that_is_being_run_by_another_plan_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotlab.execution.run._SAVED_S", 0.1)
    with Store(tmp_path).driving(PLAN.name, "run"):
        assert "is being run by process" in refuse_run(tmp_path)
        assert "with another plan" in refuse_run(tmp_path)


def test_data_that_changed_since_the_plan_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = SimpleNamespace(fingerprint="new")
    monkeypatch.setattr(Manifest, "load", lambda _: manifest)
    ref = DataRef("ucf101", "train", 1, "old")
    with pytest.raises(DataError, match=r"'ucf101' .* changed since the plan was made"):
        stages.finetune(FinetuneConfig(), {}, [(ref, tmp_path)], tmp_path, Unwatched())


@pytest.mark.parametrize(("option", "value"), [("--cpus", "0"), ("--cpus", "x"), ("--gpus", "-1")])
def test_a_machine_without_cores_is_refused(option: str, value: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    run.add_arguments(parser)
    with pytest.raises(
        argparse.ArgumentError, match=f"{option}: must be a whole number, .*{value}"
    ):
        parser.parse_args(["file.yaml", f"{option}={value}"])
