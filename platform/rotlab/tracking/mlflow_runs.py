"""The runs of one study in MLflow. The only module that writes there; it is given what to write."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, zip_longest
from typing import TypeVar

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from rotlab.tracking.artifacts import Artifacts, Result, Shelf, gathered, sort_files
from rotlab.tracking.client import find_runs, open_client, reason
from rotlab.tracking.run_write import DataUse, Point, RunWrite
from rotlab.tracking.uri import TrackingError

Item = TypeVar("Item")

_METRICS_PER_CALL = 1000
_PARAMS_PER_CALL = 100
_TAGS_PER_CALL = 100
_KEPT = "rotlab.artifacts"  # attempt and choice of what was brought
_MOST_REFUSALS = 3  # in a row; then no more files are tried
_TAG_CHARS = 5000
_DIGEST_CHARS = 36  # the most that MLflow takes
_KIND = {"mlflow.experimentKind": "custom_model_development"}  # the view that its pages open in


class StudyRuns:
    """The runs of a study's experiment, by the key in their tag `rotlab.key`.

    All runs that exist are loaded once, so that a run is made only where there is none: also where
    an earlier process made it and died before it could say so.

    Attributes:
        made: how many were made here.

    Args:
        uri: MLflow's tracking URI.
        study: name of the study, and of its experiment.
        artifact_root: where the experiment's artifacts are to lie, should it have to be made; None
            leaves that to MLflow.
        shelf: where results lie, whose files are to go there; None: no files go.
        artifacts: which of them.

    Raises:
        TrackingError: if the experiment exists but has been deleted.
        MlflowException, SQLAlchemyError, OSError: if MLflow cannot be reached.
    """

    def __init__(
        self,
        uri: str,
        study: str,
        artifact_root: str | None = None,
        shelf: Shelf | None = None,
        artifacts: Artifacts = "small",
    ) -> None:
        self._client = open_client(uri)
        self._experiment_id = _find_or_make_experiment(self._client, study, artifact_root)
        self._shelf, self._artifacts = shelf, artifacts
        self._refusals = 0
        self._study_key = f"study:{study}"
        self._ids: dict[str, str] = {}
        self._results: dict[str, str | None] = {}
        self._described: set[str] = set()
        self._running: set[str] = set()
        self._kept: dict[str, str] = {}
        self.made = 0
        for run in find_runs(self._client, self._experiment_id):
            key = run.data.tags.get("rotlab.key")
            if key is not None:
                self._ids[key] = run.info.run_id
                self._kept[key] = run.data.tags.get(_KEPT, "")
                if run.info.status == "RUNNING":
                    self._running.add(key)
                self._results[key] = (
                    run.data.tags.get("rotlab.result") if run.info.status == "FINISHED" else None
                )

    def __len__(self) -> int:
        """Return how many runs are known."""
        return len(self._ids)

    def __contains__(self, key: object) -> bool:
        """Tell whether a run with this key exists."""
        return key in self._ids

    def holds_result(self, write: RunWrite) -> bool:
        """Tell whether a cell's run had ended with this very result when runs were loaded."""
        return self._results.get(write.key) == write.tags["rotlab.result"]

    def apply(self, write: RunWrite) -> None:
        """Bring a run to what it is to hold: one call for its values, one for its status.

        Raises:
            MlflowException, SQLAlchemyError, OSError: if MLflow cannot be reached; apply the same
                again later.
        """
        tags = write.tags
        if write.key not in self._ids:
            self._make(write)
            tags = {}
        run_id = self._ids[write.key]
        params = {} if write.key in self._described else write.params
        for batch in _batches(write.points, params, tags):
            self._client.log_batch(run_id, *batch)
        if write.data and write.key not in self._described:
            self._client.log_inputs(run_id, [_dataset(each) for each in write.data])
        self._described.add(write.key)
        if write.status == "RUNNING" and write.key not in self._running:
            self._client.update_run(run_id, status="RUNNING")
            self._running.add(write.key)
        elif write.status not in (None, "RUNNING"):
            self._client.set_terminated(run_id, write.status, write.end_ms)
            self._running.discard(write.key)
        if write.result is not None and self._shelf is not None and self._artifacts != "none":
            self._keep(run_id, write.key, write.result, self._shelf)

    def _keep(self, run_id: str, key: str, result: Result, shelf: Shelf) -> None:
        """Bring a result's files there; that they are not taken is told by a tag, and no more."""
        kept = {f"{result.attempt} {which}" for which in (self._artifacts, "all")}
        files = sort_files(result, shelf, self._artifacts)
        if files is None or self._kept.get(key) in kept or self._refusals >= _MOST_REFUSALS:
            return
        said = f"{result.attempt} {self._artifacts}"
        try:
            with gathered(result, files) as folder:
                self._client.log_artifacts(run_id, str(folder))
            self._refusals = 0
        except Exception as error:  # noqa: BLE001  (of whatever store they were to go to)
            self._refusals += 1
            said = f"not taken: {reason(error)}"[:_TAG_CHARS]
        self._kept[key] = said
        tags = [RunTag(name, value[:_TAG_CHARS]) for name, value in files.tags.items()]
        self._client.log_batch(run_id, tags=[RunTag(_KEPT, said), *tags])

    def _make(self, write: RunWrite) -> None:
        tags = {"rotlab.key": write.key, **write.tags}
        if write.key != self._study_key:
            tags["mlflow.parentRunId"] = self._ids[self._study_key]
        run = self._client.create_run(
            self._experiment_id, start_time=write.start_ms, tags=tags, run_name=write.name
        )
        self._ids[write.key] = run.info.run_id
        self._running.add(write.key)
        self.made += 1


def _find_or_make_experiment(client: MlflowClient, study: str, artifact_root: str | None) -> str:
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        location = f"{artifact_root.rstrip('/')}/{study}" if artifact_root else None
        try:
            return client.create_experiment(study, artifact_location=location, tags=_KIND)
        except MlflowException:
            experiment = client.get_experiment_by_name(study)
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise TrackingError(
            f"MLflow's experiment {study!r} has been deleted; restore it with "
            f"`mlflow experiments restore --experiment-id {experiment.experiment_id}`, "
            "or give the study another name"
        )
    return experiment.experiment_id


def _dataset(use: DataUse) -> DatasetInput:
    """Return a data set by the start of its fingerprint; logged twice, it is there once."""
    source = {"name": use.name, "split": use.split, "fingerprint": use.fingerprint}
    return DatasetInput(
        Dataset(use.name, use.fingerprint[:_DIGEST_CHARS], "rotnet", json.dumps(source)),
        [InputTag("mlflow.data.context", use.role)],
    )


def _batches(
    points: Iterable[Point], params: Mapping[str, str], tags: Mapping[str, str]
) -> Iterator[tuple[tuple[Metric, ...], tuple[Param, ...], tuple[RunTag, ...]]]:
    """Yield the arguments of as few log_batch calls as MLflow allows: of one, or of none."""
    return zip_longest(
        _batched(
            (Metric(point.name, point.value, point.time_ms, point.step) for point in points),
            _METRICS_PER_CALL,
        ),
        _batched((Param(name, value) for name, value in params.items()), _PARAMS_PER_CALL),
        _batched((RunTag(name, value) for name, value in tags.items()), _TAGS_PER_CALL),
        fillvalue=(),
    )


def _batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    iterator = iter(items)
    while batch := tuple(islice(iterator, size)):
        yield batch
