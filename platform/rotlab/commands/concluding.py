"""A study run from the command line, and its report put into MLflow once it has ended."""

import argparse
import os
import subprocess
import sys

from rich.console import Console

from rotlab.execution.conduct.job import Job
from rotlab.execution.on_ray.conclude import DONE, INCOMPLETE
from rotlab.execution.run import run_job
from rotlab.store.shelf import tracking_uri_of
from rotlab.tracking.journal import Journal

_LONGEST_S = 300.0


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add --no-report."""
    parser.add_argument(
        "--no-report",
        dest="report",
        action="store_false",
        help="do not put the report page (5 MB) into MLflow when the study has ended",
    )


def run_to_end(job: Job, *, report: bool) -> int:
    """Run a study; return the exit status. That there is no page in MLflow is a warning only.

    Args:
        job: the study.
        report: whether its page is to go into MLflow, if it ends and anything has happened.
    """
    journal = Journal(job.store.journal_path(job.plan.name))
    before = journal.size()
    status = run_job(job, Console(stderr=True), print)
    if report and status in (DONE, INCOMPLETE) and journal.size() > before and job.smoke != "only":
        problem = _report(job)
        if problem:
            print(f"warning: MLflow has no report of {job.plan.name}: {problem}")
    return status


def _report(job: Job) -> str:
    """Have another process make the page, as this one loads no MLflow; return what went wrong."""
    uri = tracking_uri_of(job.store, job.tracking_uri)
    command = [sys.executable, "-P", "-m", "rotlab.cli", "report", job.plan.name, "--to-mlflow"]
    command += ["--store", job.store.name, "--tracking-uri", uri]
    command += ["--no-attention"] if job.artifacts == "none" else []  # it shows frames of videos
    path = os.pathsep.join(os.path.abspath(each) for each in sys.path)  # noqa: PTH100
    try:
        done = subprocess.run(  # noqa: S603  (our own command)
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_S,
            env={**os.environ, "PYTHONPATH": path},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else said[-1] if said else f"status {done.returncode}"
