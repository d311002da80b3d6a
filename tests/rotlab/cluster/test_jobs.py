"""Studies as jobs, against a job server that is only pretended."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rotlab.cluster.jobs import cancel, find, follow, hand_over
from rotnet.errors import UserError


@dataclass
class Job:
    submission_id: str
    metadata: dict[str, str]
    entrypoint: str
    runtime_env: dict[str, Any]
    status: str = "RUNNING"
    driver_exit_code: int | None = None


@dataclass
class Server:
    """A job server: each look at a job takes the next step of its script."""

    script: list[tuple[str, str, int | None]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    silent: int = 0
    log: str = ""

    def submit_job(
        self,
        *,
        entrypoint: str,
        submission_id: str | None = None,
        runtime_env: dict[str, Any] | None = None,
        metadata: dict[str, str] | None = None,
    ) -> str:
        name = submission_id or f"raysubmit_{len(self.jobs)}"
        self.jobs.append(Job(name, metadata or {}, entrypoint, runtime_env or {}))
        return name

    def list_jobs(self) -> list[Job]:
        return self.jobs

    def get_job_info(self, job_id: str) -> Job:
        if self.silent:
            self.silent -= 1
            raise ConnectionError("nobody there")
        (job,) = (one for one in self.jobs if one.submission_id == job_id)
        if self.script and job.status == "RUNNING":
            said, job.status, job.driver_exit_code = self.script.pop(0)
            self.log += said
        return job

    def get_job_logs(self, job_id: str) -> str:
        assert job_id
        return self.log

    def stop_job(self, job_id: str) -> bool:
        self.stopped.append(job_id)
        return True


def handed(server: Server, study: str = "mine", store: str | None = "/shared/store") -> str:
    words = ["a b.yaml", "--pending", "3"]
    return hand_over(server, study, words, store=store, folder=Path("/x"), code=["/y/rotlab"]).job


def test_a_study_is_run_by_the_supervisor_with_what_was_sent_along() -> None:
    server = Server()
    handed(server)
    (job,) = server.jobs
    assert job.entrypoint == "python -m rotlab.cluster.supervise 'a b.yaml' --pending 3"
    assert job.runtime_env["working_dir"] == "/x"
    assert job.runtime_env["py_modules"] == ["/y/rotlab"]


def test_a_study_that_is_there_already_is_refused_until_it_has_ended() -> None:
    server = Server()
    job = handed(server)
    with pytest.raises(UserError, match=f"is there already, as {job}; follow it with --attach"):
        handed(server)
    handed(server, "other")
    server.jobs[0].status = "FAILED"
    handed(server)


def test_a_study_is_found_by_its_name() -> None:
    server = Server()
    assert find(server, "mine") is None
    job = handed(server)
    server.submit_job(entrypoint="something else")
    found = find(server, "mine")
    assert found is not None
    assert (found.job, found.store, found.is_open) == (job, "/shared/store", True)


def test_what_a_job_says_is_written_once_and_its_status_returned() -> None:
    server = Server([("one\n", "RUNNING", None), ("", "RUNNING", None), ("two\n", "FAILED", 1)])
    told: list[str] = []
    found = follow(server, handed(server), told.append, look_s=0)
    assert told == ["one\n", "two\n"]
    assert (found.state, found.status) == ("FAILED", 1)


def test_a_cluster_that_is_silent_for_a_while_is_waited_for() -> None:
    server = Server([("end\n", "SUCCEEDED", 0)], silent=3)
    told: list[str] = []
    assert follow(server, handed(server), told.append, look_s=0).status == 0
    assert told == ["end\n"]


def test_a_cluster_that_stays_silent_is_told_with_a_way_back() -> None:
    server = Server(silent=10**9)
    with pytest.raises(UserError, match="follow it again with --attach"):
        follow(server, handed(server), print, look_s=0, patience_s=0.05)


@pytest.mark.parametrize(("status", "is_stopped"), [(0, False), (2, True)])
def test_a_study_is_asked_to_end_and_stopped_only_if_it_does_not_hear(
    status: int, *, is_stopped: bool
) -> None:
    server = Server()
    job = handed(server)
    found = find(server, "mine")
    assert found is not None
    looked = ("", "RUNNING", None)  # for what was sent along
    server.script = [looked, ("", "SUCCEEDED", status), ("", "STOPPED", None)]
    assert cancel(server, found, lambda _: None).state == "STOPPED"
    asked = server.jobs[-1]
    assert asked.entrypoint == "python -m rotlab.cli cancel mine --store /shared/store"
    assert asked.runtime_env["py_modules"] == ["/y/rotlab"]
    assert server.stopped == ([job] if is_stopped else [])
