"""`rotlab retry`: the stages that are meant, with what they need, and nothing else."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from rich.console import Console

from rotlab.cli import main
from rotlab.commands import retry
from rotlab.execution.conduct.job import Job
from rotlab.execution.run import run_job
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.plan.serial import grown
from rotlab.planning.space.budget import Budget
from rotlab.planning.stage import Resources, Stage
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.tracking.journal import Journal
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_job, make_plan, make_stage

GOOD = make_stage("count", name="good")
BAD = make_stage("count", name="bad", epochs=3)
LARGE = make_stage("count", name="large")
OF_BAD = make_stage("total", {"x": GOOD, "y": BAD}, name="of bad")
OF_ALL = make_stage("total", {"x": OF_BAD, "y": LARGE}, name="of all")
PLAN = make_plan([GOOD, BAD, LARGE, OF_BAD, OF_ALL])


def end(stage: Stage, state: str, time: float, **more: Any) -> dict[str, Any]:
    return {"event": "stage_ended", "time": time, "key": stage.key, "state": state, **more}


@pytest.fixture
def store(place: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A study of which one stage is done, two were given up, and two wait for those."""
    monkeypatch.setattr(retry, "load_kinds", lambda: KINDS)
    store = Store.open(place)
    store.save_study(next_revision(None, PLAN, "", dict.fromkeys(KINDS, Resources(2, 0))))
    perform(GOOD.key, Work(PLAN.stages, KINDS, {}, store.root, {"count": 1}), Unwatched())
    for run, events in (
        (
            None,
            [
                {"event": "study_started", "time": 1.0, "budget": asdict(Budget(gpu_hours=3.0))},
                end(BAD, "FAILED", 2.0, error="no", cause="bug"),
                end(OF_BAD, "CANCELLED", 2.5, error="needs it"),
            ],
        ),
        ("7-ab", [end(LARGE, "FAILED", 3.0, error="full", cause="memory")]),
    ):
        with store.driving("lab", "1-a"), store.driving("lab", run or "2-a"):
            journal = Journal(store.journal_path("lab", run))
            for event in events:
                journal.append(event)
            journal.close()
    return store


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The runs that were asked for; none is done."""
    found: list[Job] = []

    def note(job: Job, *, report: bool) -> int:
        assert report
        found.append(job)
        return 0

    monkeypatch.setattr(retry, "run_to_end", note)
    return found


def again(store: Store, *words: str) -> int:
    return main(["retry", "lab", *words, "--store", store.name])


def names(job: Job) -> list[str]:
    return [str(stage.config.model_dump()["name"]) for stage in job.to_do.stages.values()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ["bad", "large"]),
        ((BAD.key[:10],), ["bad"]),
        (("--where", "cause=memory"), ["large"]),
        (("--where", "epochs.x=3"), []),
        ((OF_ALL.key,), ["good", "bad", "large", "of bad", "of all"]),
        ((BAD.key, "--dependents"), ["good", "bad", "large", "of bad", "of all"]),
    ],
)
def test_what_is_meant_is_tried_with_what_it_needs(
    store: Store, jobs: list[Job], words: tuple[str, ...], expected: list[str]
) -> None:
    assert again(store, *words) == (0 if expected else 2)
    assert [names(job) for job in jobs] == ([expected] if expected else [])


def test_a_share_is_that_of_the_stages_meant_and_the_last_budget_holds(
    store: Store, jobs: list[Job]
) -> None:
    assert again(store, OF_BAD.key, "--resources", "cpus=4,gpus=0.5") == 0
    (job,) = jobs
    assert job.shares == {OF_BAD.key: Resources(4, 0.5)}
    assert job.resources["count"] == Resources(2, 0)
    assert job.policy.budget == Budget(gpu_hours=3.0)


def test_what_a_search_or_looks_have_added_is_known(store: Store, jobs: list[Job]) -> None:
    later = make_stage("total", {"x": GOOD}, name="later")
    grown_to = make_plan([*PLAN.stages.values(), later])
    journal = Journal(store.journal_path("lab"))
    for event in (
        {"event": "study_started", "time": 4.0, "revision": 1},
        grown(PLAN, grown_to, 5.0),
        end(later, "FAILED", 6.0, error="no", cause="bug"),
    ):
        journal.append(event)
    journal.close()
    assert again(store) == 0
    assert names(jobs[0]) == ["good", "bad", "large", "later"]
    assert again(store, later.key) == 0
    assert names(jobs[1]) == ["good", "later"]


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_part_of_a_study_makes_no_other_revision_of_it(store: Store) -> None:
    job = make_job(make_plan([GOOD]), store.name, only=frozenset([GOOD.key]), smoke="only")
    assert run_job(job, Console(), print) == 0
    study = store.study("lab")
    assert study is not None
    assert (study.revision, len(study.plan["stages"])) == (1, len(PLAN.stages))


def test_shares_are_even_where_several_processes_compute_a_stage(
    store: Store, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    store.save_study(next_revision(store.study("lab"), PLAN, "", {"count": Resources(2, None, 2)}))
    assert again(store, BAD.key, "--resources", "cpus=4") == 0
    assert jobs.pop().shares == {BAD.key: Resources(4, None, 2)}
    for words in ("cpus=3", "gpus=1"):
        assert again(store, BAD.key, "--resources", words) == 2
        assert "cpus must be a multiple of 2, and gpus 2 or 0" in capsys.readouterr().err
    assert jobs == []


def test_a_stage_that_was_done_since_is_not_tried(store: Store, jobs: list[Job]) -> None:
    for stage in (BAD, LARGE):
        perform(stage.key, Work(PLAN.stages, KINDS, {}, store.root, {"count": 1}), Unwatched())
    assert again(store) == 2
    assert jobs == []


def test_what_cannot_be_meant_is_said(
    store: Store, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in (
        (("zz",), "no stage of 'lab' has a key that begins with 'zz'"),
        ((GOOD.key,), "is done; to have it made again: rotlab invalidate"),
        (("--where", "cause=hung"), "none of the 2 stages of 'lab' that were given up is meant"),
        (("--where", "lr=1"), "must be kind, cause, or a setting such as pretrain.lr"),
        (("--resources", "cpu=1"), "must be cpus=N, gpus=N or both, got 'cpu=1'"),
        (("--resources", "cpus=0"), "cpus must be greater than 0, got 0"),
        (("--resources", "cpus=x"), "cpus must be a number, got 'x'"),
        (("--resources", "gpus=1.5"), "more than one device are whole ones"),
    ):
        assert again(store, *words) == 2
        assert said in capsys.readouterr().err
    assert main(["retry", "lob", "--store", store.name]) == 2
    assert "did you mean 'lab'?" in capsys.readouterr().err
    assert jobs == []


def test_what_the_code_would_do_otherwise_now_is_refused(
    store: Store,
    jobs: list[Job],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newer = {**KINDS, "count": replace(KINDS["count"], version=2)}
    monkeypatch.setattr(retry, "load_kinds", lambda: newer)
    assert again(store) == 2
    assert "was planned for another version of the code" in capsys.readouterr().err
    assert jobs == []
