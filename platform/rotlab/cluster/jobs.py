"""Studies as jobs of a Ray cluster: handed over, found again, followed, cancelled."""

import logging
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import requests
from ray.exceptions import RayError
from ray.job_submission import JobSubmissionClient

from rotnet.errors import UserError

_STUDY, _STORE = "rotlab_study", "rotlab_store"
_TALKATIVE = ("ray.dashboard.modules.dashboard_sdk", "ray._private.runtime_env.packaging")
_OPEN = ("PENDING", "RUNNING")
_LOOK_S = 1.0
_PATIENCE_S = 60.0
_READY_S = 120.0
_NOT_READY = "No available agent"  # what Ray says of a head that has just started
_FAILURES = (ConnectionError, RuntimeError, RayError, requests.RequestException)


class Client(Protocol):
    """What is used of Ray's JobSubmissionClient."""

    def submit_job(  # noqa: D102
        self,
        *,
        entrypoint: str,
        submission_id: str | None = None,
        runtime_env: dict[str, Any] | None = None,
        metadata: dict[str, str] | None = None,
    ) -> str: ...
    def list_jobs(self) -> list[Any]: ...  # noqa: D102
    def get_job_info(self, job_id: str) -> Any: ...  # noqa: ANN401, D102
    def get_job_logs(self, job_id: str) -> str: ...  # noqa: D102
    def stop_job(self, job_id: str) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Handed:
    """A study that a cluster has, or had.

    Args:
        job: identity of the job.
        study: name of the study.
        store: where its results lie, as the cluster sees it; None: as its environment says.
        state: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED.
        status: exit status of its driver, once it has ended.
    """

    job: str
    study: str
    store: str | None
    state: str
    status: int | None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in _OPEN


def connect(address: str) -> Client:
    """Return a client of a cluster's job server.

    Raises:
        UserError: nobody answers there, or the token is not the cluster's.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return JobSubmissionClient(address)
    except (*_FAILURES, ValueError) as error:
        raise UserError(
            f"--address {address}: no job server of Ray's answers: {_first(error)}; open a tunnel "
            "with `ray dashboard cluster.yaml`, and if it asks for a token, set RAY_AUTH_MODE=token"
        ) from error


def find(client: Client, study: str) -> Handed | None:
    """Return the newest job of a study, None where there is none.

    Raises:
        UserError: the cluster does not answer.
    """
    try:
        jobs = [one for job in client.list_jobs() if (one := _handed(job)).study == study]
    except _FAILURES as error:
        raise UserError(f"the cluster does not answer: {_first(error)}") from error
    return max(jobs, key=lambda one: one.job, default=None)  # a job's name ends in its time


def hand_over(
    client: Client,
    study: str,
    words: Sequence[str],
    *,
    store: str | None,
    folder: Path,
    code: Sequence[str],
) -> Handed:
    """Have a cluster's head run a study.

    Args:
        client: of the cluster.
        study: its name.
        words: what `rotlab run` is given.
        store: where results lie, as the cluster sees it.
        folder: what is sent along, the driver's working folder.
        code: folders of packages to be sent along; without, those of the nodes are used.

    Raises:
        UserError: the study is there already, or the cluster refuses.
    """
    last = find(client, study)
    if last is not None and last.is_open:
        raise UserError(
            f"study {study!r} is there already, as {last.job}; follow it with --attach {study}, or "
            f"end it with --cancel {study}"
        )
    try:
        environment: dict[str, Any] = {"working_dir": str(folder)}
        if code:
            environment |= {"py_modules": list(code), "excludes": ["**/__pycache__/"]}
        command = ["python", "-m", "rotlab.cluster.supervise", *words]
        submit = partial(
            client.submit_job,
            entrypoint=shlex.join(command),
            submission_id=f"rotlab-{study}-{int(time.time())}",
            runtime_env=environment,
            metadata={_STUDY: study, _STORE: store or ""},
        )
        job = _when_ready(submit)
    except _FAILURES as error:
        raise UserError(f"the cluster refused the study: {_first(error)}") from error
    return Handed(job, study, store, "PENDING", None)


def _when_ready(submit: Callable[[], str]) -> str:
    """Submit; a head that has just started takes no job for some seconds, and is asked again."""
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            return submit()
        except _FAILURES as error:
            if _NOT_READY not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(1.0)


def follow(
    client: Client,
    job: str,
    write: Callable[[str], None],
    *,
    look_s: float = _LOOK_S,
    patience_s: float = _PATIENCE_S,
) -> Handed:
    """Write what a job says until it has ended, and return how.

    Args:
        client: of the cluster.
        job: identity of the job.
        write: takes its output, a piece at a time.
        look_s: seconds between looks.
        patience_s: for how long the cluster may not answer.

    Raises:
        UserError: the cluster does not answer any more.
    """
    written, answered = 0, time.monotonic()
    while True:
        try:
            found = _handed(client.get_job_info(job))  # before its log, so that nothing is missed
            log = client.get_job_logs(job)
            answered = time.monotonic()
        except _FAILURES as error:
            if time.monotonic() - answered > patience_s:
                raise UserError(
                    f"the cluster has not answered for {patience_s:g} s: {_first(error)}; the "
                    "study goes on if its head does: follow it again with --attach"
                ) from error
        else:
            if len(log) > written:
                write(log[written:])
                written = len(log)
            if not found.is_open:
                return found
        time.sleep(look_s)


def cancel(client: Client, handed: Handed, write: Callable[[str], None]) -> Handed:
    """Have a study end at its last checkpoints, and return how it did.

    Raises:
        UserError: the cluster does not answer any more.
    """
    words = ["python", "-m", "rotlab.cli", "cancel", handed.study]
    words += ["--store", handed.store] if handed.store else []
    try:
        environment = _sent_along(client, handed.job)
        asked = client.submit_job(entrypoint=shlex.join(words), runtime_env=environment)
        if follow(client, asked, write).status != 0:  # it does not drive yet, or does not hear
            client.stop_job(handed.job)
    except _FAILURES as error:
        raise UserError(f"the cluster does not answer: {_first(error)}") from error
    return follow(client, handed.job, lambda _: None)


def _sent_along(client: Client, job: str) -> dict[str, Any]:
    """What a job was sent along with, so that another finds the same code."""
    given = client.get_job_info(job).runtime_env or {}
    return {name: given[name] for name in ("working_dir", "py_modules") if name in given}


def _handed(job: Any) -> Handed:  # noqa: ANN401  # Ray's JobDetails
    metadata = job.metadata or {}
    state = str(getattr(job.status, "value", job.status))
    return Handed(
        job.submission_id,
        metadata.get(_STUDY, ""),
        metadata.get(_STORE) or None,
        state,
        job.driver_exit_code if state not in _OPEN else None,
    )


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
