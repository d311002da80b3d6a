"""What a page shows of stages comes from the store where it is at hand, else from MLflow alone."""

from pathlib import Path

import pandas as pd
import pytest

from rotlab.commands.kept import attention_of
from rotlab.planning.stage import Stage
from rotlab.store.store import Store, checksums
from rotlab.tracking.client import open_client
from rotlab.tracking.stage_runs import StageRun
from rotnet.config import ScoreConfig
from rotnet.pictures.strip import FILE
from tests.rotlab.store.made import make_record
from tests.rotlab.tracking.strips import make_strip

KEYS = ("e-scratch", "e-rotation")


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two arms, each with a scoring."""
    frame = pd.DataFrame(
        {
            "init": ["scratch", "rotation"],
            "target": "demo",
            "seed": pd.array([0, 0], dtype="Int64"),
            "split": pd.array([1, 1], dtype="Int64"),
            "measure": "finetune",
            "state": "FINISHED",
            "stages": pd.Series([(key,) for key in KEYS], dtype=object),
        }
    )
    frame.attrs = {"axes": ["init"], "metrics": [], "question": ""}
    return frame


def runs(ids: dict[str, str]) -> list[StageRun]:
    return [
        StageRun(key, "evaluate", "FINISHED", 1.0, 0, 1, "", ("test:demo:1",), run, {}, {})
        for key, run in ids.items()
    ]


def test_maps_come_from_the_store_else_from_mlflow(
    uri: str, tmp_path: Path, frame: pd.DataFrame
) -> None:
    client = open_client(uri)
    experiment = client.create_experiment("x", str(tmp_path / "artifacts"))
    ids = {key: client.create_run(experiment).info.run_id for key in KEYS}
    make_strip(modality="dif").save(tmp_path / FILE)
    for run in ids.values():
        client.log_artifact(run, str(tmp_path / FILE))
    empty = Store(tmp_path / "nowhere")
    found = attention_of(empty, uri, frame, runs(ids))
    assert {key: strip.modality for key, strip in found.items()} == dict.fromkeys(KEYS, "dif")

    store = Store(tmp_path / "store")
    stage = Stage(KEYS[0], "evaluate", ScoreConfig())
    attempt = store.new_attempt(stage)
    make_strip(modality="rgb").save(attempt / FILE)
    record = make_record(attempt, key=KEYS[0], kind="evaluate", files=checksums(attempt))
    store.commit(stage, attempt, record)
    found = attention_of(store, uri, frame, runs(ids))
    assert {key: strip.modality for key, strip in found.items()} == {
        KEYS[0]: "rgb",
        KEYS[1]: "dif",
    }
    (store.result_place(record) / FILE).write_bytes(b"damaged")
    assert set(attention_of(store, uri, frame, runs(ids))) == {KEYS[1]}


def test_what_was_made_before_there_were_maps_has_none(
    uri: str, tmp_path: Path, frame: pd.DataFrame
) -> None:
    client = open_client(uri)
    experiment = client.create_experiment("x", str(tmp_path / "artifacts"))
    ids = {key: client.create_run(experiment).info.run_id for key in KEYS}
    assert attention_of(Store(tmp_path / "nowhere"), uri, frame, runs(ids)) == {}
