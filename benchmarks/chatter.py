"""What a report of 20 metrics costs a trial, and the driver's loop: on Ray, with 1 and 16 trials.

    python benchmarks/chatter.py [--reports 200]

Trials report as fast as they can. Measured are how long a report holds up the trial, how long a
result holds up the loop of Ray Tune's driver in what passes it on to MLflow (SQLite), and results a
second until all are there. The peers are Ray's own MLflowLoggerCallback, and a callback that calls
`log_batch` once a result. Ours is a run of rotlab's, with its journal, records and cells' runs.
"""

# ruff: noqa: ANN401, ARG002  (Ray's callbacks are called alike, with values of any sort)

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from chatty import METRICS, ChatConfig, ChatSettings
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune import Callback
from rich.console import Console

from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.message import from_result
from rotlab.execution.on_ray.cluster import cluster
from rotlab.execution.on_ray.searcher import TrialListener
from rotlab.execution.run import run_job
from rotlab.planning.key import stage_key
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Resources, Stage, StageKind
from rotlab.store.store import Store
from rotlab.tracking.client import open_client
from rotnet.config import identity

KIND = StageKind("chat", ChatConfig, 1, "chatty:chat", resources=Resources(1, 0.0))


def trial(config: dict[str, Any]) -> None:
    """Report, and tell at the end how long each report took."""
    taken = []
    for _ in range(config["reports"]):
        start = time.perf_counter()
        tune.report(dict(METRICS))
        taken.append(time.perf_counter() - start)
    Path(config["told"]).write_text(json.dumps(taken))


class LogBatch(Callback):
    """Logs each result with one call."""

    def __init__(self, uri: str) -> None:
        self._client: MlflowClient = open_client(uri)
        self._experiment = self._client.create_experiment("peer")
        self._runs: dict[str, str] = {}

    def on_trial_start(
        self,
        iteration: int,
        trials: list[Any],
        trial: Any,
        **info: object,
    ) -> None:
        """Make its run."""
        run = self._client.create_run(self._experiment)
        self._runs[trial.trial_id] = run.info.run_id

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Any],
        trial: Any,
        result: dict[str, Any],
        **info: object,
    ) -> None:
        """Log it."""
        now_ms, step = round(time.time() * 1000), result["training_iteration"]
        metrics = [Metric(name, result[name], now_ms, step) for name in METRICS]
        self._client.log_batch(self._runs[trial.trial_id], metrics)


def timed(callback: type[Callback], count: Callable[[dict[str, Any]], int]) -> list[float]:
    """Have a class's `on_trial_result` tell its seconds, once for each result that it is given."""
    taken: list[float] = []
    before: Any = callback.on_trial_result

    def on_trial_result(
        self: object,
        iteration: int,
        trials: Any,
        trial: Any,
        result: dict[str, Any],
        **info: Any,
    ) -> None:
        start = time.perf_counter()
        before(self, iteration, trials, trial, result, **info)
        number = count(result)
        taken.extend([(time.perf_counter() - start) / max(number, 1)] * number)

    callback.on_trial_result = on_trial_result  # type: ignore[method-assign]
    return taken


def peer(make: Callable[[str], Callback], kind: type[Callback], trials: int, reports: int) -> Any:
    """Return a trial's seconds a report, the loop's a result, and all seconds, of a peer."""
    loop = timed(kind, lambda result: int("metric_0" in result))
    with tempfile.TemporaryDirectory() as name, cluster(None, trials, 0, verbose=False) as on:
        told = [Path(name) / f"{number}.json" for number in range(trials)]
        start = time.time()
        tune.Tuner(
            tune.with_resources(trial, {"CPU": 1}),
            param_space={
                "reports": reports,
                "told": tune.grid_search([str(path) for path in told]),
            },
            run_config=tune.RunConfig(
                storage_path=str(on.scratch / "tune"),
                verbose=0,
                callbacks=[make(f"sqlite:///{name}/mlflow.db")],
            ),
        ).fit()
        seconds = time.time() - start
        own = [one for path in told for one in json.loads(path.read_text())]
    return own, loop, seconds


def ours(trials: int, reports: int) -> Any:
    """Return the same of a run of ours."""

    def count(result: dict[str, Any]) -> int:
        told = from_result(result)
        return len(told[1].points) if told is not None else 0

    loop = timed(TrialListener, count)
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name) / "store")
        stages = {}
        for number in range(trials):
            config = ChatConfig(chat=ChatSettings(reports=reports, number=number))
            key = stage_key(KIND, identity(config), {}, ())
            stages[key] = Stage(key, KIND.name, config)
        cells = tuple(
            Cell({"n": number}, "none", {"seed": 0}, KIND.name, key, (key,))
            for number, key in enumerate(stages)
        )
        plan = Plan("chatter", "", ("n",), cells, stages)
        resources = {KIND.name: KIND.resources}
        job = Job(plan, {KIND.name: KIND}, resources, "", {}, store, cpus=trials, gpus=0)
        start = time.time()
        if run_job(job, Console(stderr=True, quiet=True), lambda _: None):
            raise SystemExit("error: the run did not end well")
        seconds = time.time() - start
        records = store.records(stages.values()).values()
        own = [
            one
            for record in records
            for one in json.loads((store.result_folder(record) / "told.json").read_text())
        ]
    return own, loop, seconds


WAYS: Mapping[str, Callable[[int, int], Any]] = {
    "MLflowLoggerCallback": lambda trials, reports: peer(
        lambda uri: MLflowLoggerCallback(tracking_uri=uri, experiment_name="peer"),
        MLflowLoggerCallback,
        trials,
        reports,
    ),
    "log_batch": lambda trials, reports: peer(LogBatch, LogBatch, trials, reports),
    "ours": ours,
}


def in_a_process(way: str, trials: int, reports: int) -> tuple[list[float], list[float], float]:
    """Measure one way in a process of its own."""
    words = [sys.executable, __file__, "--way", way, "--trials", str(trials)]
    done = subprocess.run(
        [*words, "--reports", str(reports)],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    own, loop, seconds = json.loads(done.stdout.splitlines()[-1])
    return own, loop, seconds


def shown(seconds: Sequence[float]) -> str:
    """Return the median and the 99th percentile in ms."""
    middle, high = (1000 * float(np.percentile(seconds, share)) for share in (50, 99))
    return f"{middle:8.3f} {high:8.3f}"


def main() -> None:
    """Measure all ways with 1 and 16 trials, and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reports", type=int, default=200, help="of all trials together")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--trials", type=int, default=1, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way:
        print(json.dumps(WAYS[args.way](args.trials, args.reports)))
        return
    for trials in (1, 16):
        each = max(1, args.reports // trials)
        print(f"{trials} trials, {each} reports of {len(METRICS)} metrics each")
        print(f"{'':22}trial, ms a report   loop, ms a result    loop beside ours")
        print(f"{'':22}     p50      p99        p50      p99        p50      p99")
        found = {way: in_a_process(way, trials, each) for way in WAYS}
        base = np.percentile(found["ours"][1], (50, 99))
        for way, (own, loop, seconds) in found.items():
            times = np.percentile(loop, (50, 99)) / base
            print(
                f"{way:22}{shown(own)}  {shown(loop)}   {times[0]:7.1f}x {times[1]:7.1f}x   "
                f"{len(loop)} results in {seconds:.1f} s, start and end of Ray with it",
                flush=True,
            )


if __name__ == "__main__":
    main()
