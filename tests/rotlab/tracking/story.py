"""What a study without trouble journals, and what MLflow then holds of it."""

from collections import Counter
from typing import Any

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from rotlab.planning.plan.plan import Plan
from rotlab.tracking.client import find_runs, open_client
from rotlab.tracking.journal import Event


def events_of(plan: Plan, start: float = 1000.0) -> list[Event]:
    """Return what a study without trouble would journal."""
    events: list[Event] = [{"event": "study_started", "time": start}]
    for number, (key, stage) in enumerate(plan.stages.items()):
        name = "val_accuracy" if stage.kind == "pretrain" else "accuracy"
        now = start + number
        events += [
            {"event": "stage_started", "time": now, "key": key, "attempt": "a"},
            {
                "event": "stage_metrics",
                "time": now + 0.2,
                "key": key,
                "step": 1,
                "metrics": {"loss": 1},
            },
            {
                "event": "stage_metrics",
                "time": now + 0.3,
                "key": key,
                "step": 2,
                "metrics": {"loss": 2},
            },
            {
                "event": "stage_ended",
                "time": now + 0.5,
                "key": key,
                "state": "FINISHED",
                "metrics": {name: number / 100},
                "seconds": 0.5,
            },
        ]
    events.append({"event": "study_ended", "time": start + 50, "state": "FINISHED"})
    return events


def runs_of(uri: str, study: str = "small") -> dict[str, Run]:
    client = open_client(uri)
    experiment = client.get_experiment_by_name(study)
    assert experiment is not None
    runs = list(find_runs(client, experiment.experiment_id))
    counts = Counter(run.data.tags["rotlab.key"] for run in runs)
    assert set(counts.values()) == {1}, f"doubled: {counts}"
    return {run.data.tags["rotlab.key"]: run for run in runs}


def held(uri: str, study: str = "small") -> dict[str, Any]:
    """Return all that MLflow holds of a study, by key, without the ids that it gave."""
    client = MlflowClient(tracking_uri=uri)
    return {
        key: (
            run.info.status,
            run.info.start_time,
            run.info.end_time,
            run.data.params,
            {name: value for name, value in run.data.tags.items() if name != "mlflow.parentRunId"},
            {
                name: sorted(
                    (point.step, point.timestamp, point.value)
                    for point in client.get_metric_history(run.info.run_id, name)
                )
                for name in run.data.metrics
            },
        )
        for key, run in runs_of(uri, study).items()
    }
