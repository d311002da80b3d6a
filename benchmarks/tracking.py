"""How long results take to reach MLflow: our writer beside plain ways to log them, on SQLite.

    python benchmarks/tracking.py

The work is a finished study: every stage reports metrics at some steps and then ends. All ways
start from an empty database and make one run for each stage with as many params. The peers are one
`log_metric` call for each metric, as logger callbacks do, and one `log_batch` call for each report.
Ours keeps more (tags, the study's run, a run for each cell), journals first, and lets the driver go
on meanwhile.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.client import open_client
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import Tracker
from rotnet.config import FinetuneConfig

STAGES = 20
STEPS = 5
METRICS = {f"metric_{number}": number / 20 for number in range(20)}
PARAMS = {f"param_{number}": str(number) for number in range(30)}
RESULTS = STAGES * STEPS
CLOSE_S = 600.0

Report = Callable[[MlflowClient, str, int], None]


def metric_by_metric(client: MlflowClient, run_id: str, step: int) -> None:
    """Log a report with one call for each metric."""
    for name, value in METRICS.items():
        client.log_metric(run_id, name, value, step=step)


def report_by_report(client: MlflowClient, run_id: str, step: int) -> None:
    """Log a report with one call."""
    now_ms = round(time.time() * 1000)
    client.log_batch(run_id, [Metric(name, value, now_ms, step) for name, value in METRICS.items()])


def peer_seconds(uri: str, report: Report) -> float:
    """Return the seconds that a plain way takes."""
    client = open_client(uri)
    start = time.perf_counter()
    experiment = client.create_experiment("peer")
    for _ in range(STAGES):
        run_id = client.create_run(experiment).info.run_id
        client.log_batch(run_id, params=[Param(name, value) for name, value in PARAMS.items()])
        for step in range(1, STEPS + 1):
            report(client, run_id, step)
        client.set_terminated(run_id)
    return time.perf_counter() - start


def our_seconds(uri: str, folder: Path) -> tuple[float, float]:
    """Return the seconds that the driver is held up, and those until MLflow has everything."""
    plan = study()
    open_client(uri)
    journal = Journal(folder / "journal.jsonl")
    start = time.perf_counter()
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    tracker.record({"event": "study_started", "time": time.time()})
    for key in plan.stages:
        tracker.record({"event": "stage_started", "time": time.time(), "key": key})
        for step in range(1, STEPS + 1):
            tracker.record(
                {
                    "event": "stage_metrics",
                    "time": time.time(),
                    "key": key,
                    "step": step,
                    "metrics": METRICS,
                }
            )
        tracker.record(
            {"event": "stage_ended", "time": time.time(), "key": key, "state": "FINISHED"}
        )
    tracker.record({"event": "study_ended", "time": time.time(), "state": "FINISHED"})
    held_up = time.perf_counter() - start
    unsent = tracker.close(CLOSE_S)
    taken = time.perf_counter() - start
    journal.close()
    if unsent:
        raise SystemExit(f"error: {unsent} events have not reached MLflow: {tracker.problem}")
    return held_up, taken


def study() -> Plan:
    """Return a study in which every stage is a cell's result."""
    stages = {
        f"{number:064x}": Stage(f"{number:064x}", "finetune", FinetuneConfig(seed=number))
        for number in range(STAGES)
    }
    cells = tuple(
        Cell({"init": "scratch"}, "demo", {"seed": number}, "finetune", key, (key,))
        for number, key in enumerate(stages)
    )
    return Plan("ours", "", ("init",), cells, stages)


def main() -> None:
    """Print a line for each way: seconds, and how many times as long as ours."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        each = peer_seconds(f"sqlite:///{folder}/each.db", metric_by_metric)
        batch = peer_seconds(f"sqlite:///{folder}/batch.db", report_by_report)
        held_up, ours = our_seconds(f"sqlite:///{folder}/ours.db", folder)
    print(f"{STAGES} stages with {STEPS} reports of {len(METRICS)} metrics")
    for said, taken in {
        "log_metric for each metric": each,
        "log_batch for each report": batch,
        "ours, until all is in MLflow": ours,
        "ours, what the driver waits": held_up,
    }.items():
        per_report = 1000 * taken / RESULTS
        print(
            f"{said:<30} {taken:7.3f} s  {per_report:7.2f} ms a report  {taken / ours:6.2f} x ours"
        )


if __name__ == "__main__":
    main()
