"""`rotlab run --smoke`: what is to be tried, searches and looks undecided as they are."""

from pathlib import Path

import pytest

from rotlab.cli import main
from rotlab.commands import run
from rotlab.execution.conduct.job import Job
from rotlab.execution.smoke import to_try

HEAD = """
name: trial
base: tiny
data: {pretrain: hockey, target: weizmann}
finetune: {val_fraction: 0.25}
axes: {modality: [rgb, fusion], init: [rotation, scratch]}
"""
SEARCH = "search: {settings: {finetune.lr: [0.1, 0.2], finetune.freeze: [0, 2]}, proposals: 4}\n"
LOOKS = "replicates: {until: decided, looks: [3, 5]}\n"


def asked(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, *words: str) -> Job:
    """The run that is asked for; nothing is done."""
    jobs: list[Job] = []

    def note(job: Job, *, report: bool) -> int:  # noqa: ARG001
        jobs.append(job)
        return 0

    monkeypatch.setattr(run, "run_to_end", note)
    monkeypatch.setattr(run, "check_runnable", lambda *_: None)
    path = folder / "trial.yaml"
    path.write_text(HEAD + text)
    store = str(folder / "store")
    assert main(["run", str(path), "--store", store, "--data", str(folder), *words]) == 0
    return jobs[0]


def kinds(job: Job) -> dict[str, int]:
    return dict(to_try(job, set(job.plan.stages)).plan.count_by_kind())


def test_the_final_scoring_of_a_search_is_tried_before_there_is_a_winner(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = asked(monkeypatch, tmp_path, SEARCH, "--smoke")
    assert "evaluate" not in job.plan.count_by_kind()
    fixed = asked(monkeypatch, tmp_path, "", "--smoke")
    assert fixed.foreseen is None
    found, whole = kinds(job), kinds(fixed)
    assert found.keys() == whole.keys() == {"pretrain", "finetune", "evaluate", "fuse"}
    assert found["fuse"] == whole["fuse"]
    freeze = {
        stage.config.finetune.freeze  # type: ignore[attr-defined]
        for stage in to_try(job, ()).plan.stages.values()
        if stage.kind == "finetune"
    }
    assert freeze == {0, 2}


def test_what_looks_may_ask_for_is_of_the_sorts_that_are_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = asked(monkeypatch, tmp_path, LOOKS, "--smoke-only")
    assert job.foreseen is not None
    assert len(job.foreseen.stages) > len(job.plan.stages)
    assert kinds(job) == kinds(asked(monkeypatch, tmp_path, "", "--smoke"))


def test_nothing_is_foreseen_where_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert asked(monkeypatch, tmp_path, SEARCH).foreseen is None
