"""MLflow's model registry: a network is put there once, as a program that needs no code of ours.

What is stored is torch's own exported program, which MLflow calls pt2: no pickle of our modules, so
that torch and MLflow are all that loading it takes.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow.pytorch
import numpy as np
from mlflow.entities import LoggedModelOutput
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.models.signature import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import Schema, TensorSpec
from torch import nn

from rotlab.tracking.client import UNREACHABLE, find_runs, open_client, reason
from rotlab.tracking.guarded import Guarded
from rotlab.tracking.uri import TrackingError

_KEY = "rotlab.key"
_VARIABLE = "MLFLOW_TRACKING_URI"
_EXAMPLES = 2  # in a batch; of a single one, a program would take no other number


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be registered.

    Args:
        name: of the registered model.
        study: whose experiment the network is of.
        key: of the stage that made it.
        module: (B, frames, size, size, 3) uint8 or float32 -> (B, K) float32.
        clip: frames, height, width and 3.
        outputs: K.
        metadata: for whoever loads it: plain values.
        tags: of the version.
    """

    name: str
    study: str
    key: str
    module: nn.Module
    clip: tuple[int, int, int, int]
    outputs: int
    metadata: Mapping[str, Any]
    tags: Mapping[str, str]


def registered(uri: str, name: str, key: str) -> str | None:
    """Return the version under which a stage's network is registered, None if it is not.

    Raises:
        TrackingError: if MLflow cannot be read.
    """
    with _told(uri):
        found = _versions(open_client(uri), name)
        return next((str(one.version) for one in found if one.tags.get(_KEY) == key), None)


def register(uri: str, entry: Entry) -> str:
    """Put a network into the registry, as made by its stage's run; return the new version.

    Raises:
        TrackingError: if MLflow has no run of the stage, or does not take the network.
    """
    with _told(uri), _everywhere(uri):
        client = open_client(uri)
        run_id, experiment_id = _run_of(client, uri, entry)
        logged = client.create_logged_model(
            experiment_id, entry.name, source_run_id=run_id, tags=dict(entry.tags)
        )
        try:
            with TemporaryDirectory(prefix="rotlab-") as folder:
                place = Path(folder) / "model"
                _save(entry, place, run_id, logged.model_id, logged.artifact_location)
                client.log_model_artifacts(logged.model_id, str(place))
            client.finalize_logged_model(logged.model_id, "READY")
            client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 0)])
            _make_name(client, entry.name)
            made = client.create_model_version(
                entry.name,
                f"models:/{logged.model_id}",
                run_id,
                {**entry.tags, _KEY: entry.key},
                model_id=logged.model_id,
            )
        except BaseException:
            client.delete_logged_model(logged.model_id)
            raise
        return str(made.version)


def _save(entry: Entry, place: Path, run_id: str, model_id: str, location: str) -> None:
    output = Schema([TensorSpec(np.dtype(np.float32), (-1, entry.outputs))])
    open_, whole = (
        ModelSignature(Schema([TensorSpec(np.dtype(np.uint8), (-1, *sizes))]), output)
        for sizes in ((-1,) * len(entry.clip), entry.clip)
    )
    model = Model(
        artifact_path=location,
        run_id=run_id,
        model_uuid=model_id,
        model_id=model_id,
        metadata=dict(entry.metadata),
    )
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        mlflow.pytorch.save_model(
            Guarded(entry.module, entry.clip),
            str(place),
            mlflow_model=model,
            signature=open_,  # what is not open is a guard of the program
            input_example=np.zeros((_EXAMPLES, *entry.clip), dtype=np.uint8),
            pip_requirements=_requirements(),
            serialization_format="pt2",
        )
    model.signature = whole
    model.save(str(place / MLMODEL_FILE_NAME))
    _compact(place / "serving_input_example.json")


def _compact(path: Path) -> None:
    """Write a file of JSON anew, without the line that MLflow gives to every number."""
    if path.exists():
        held = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(held, separators=(",", ":")), encoding="utf-8")


def _requirements() -> list[str]:
    """What loading takes, as it is here; told, so that MLflow need not find it out by trying."""
    return [f"{name}=={version(name).partition('+')[0]}" for name in ("mlflow", "numpy", "torch")]


def _run_of(client: MlflowClient, uri: str, entry: Entry) -> tuple[str, str]:
    experiment = client.get_experiment_by_name(entry.study)
    wanted = f"tags.`{_KEY}` = 'stage:{entry.key}'"
    runs = [] if experiment is None else list(find_runs(client, experiment.experiment_id, wanted))
    if experiment is None or not runs:
        raise TrackingError(
            f"MLflow at {uri} has no run of stage {entry.key[:12]} of study {entry.study!r}; "
            f"`rotlab sync {entry.study}` brings it there"
        )
    return runs[0].info.run_id, experiment.experiment_id


def _versions(client: MlflowClient, name: str) -> Iterator[ModelVersion]:
    token: str | None = None
    quoted = name.replace("'", "''")
    while True:
        page = client.search_model_versions(f"name = '{quoted}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _make_name(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def _everywhere(uri: str) -> Iterator[None]:
    """Have MLflow's registry look the network up there, too: it goes by the environment."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = uri
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE)
        if before is not None:
            os.environ[_VARIABLE] = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what MLflow remarks while it saves."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    try:
        yield
    except UNREACHABLE as error:
        raise TrackingError(f"MLflow at {uri} did not take it: {reason(error)}") from error
