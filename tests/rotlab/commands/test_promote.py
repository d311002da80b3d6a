"""`rotlab promote`: the arm's best network by held-out videos, once, loadable without our code."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rotlab.cli import main
from rotlab.execution.conduct.replay import tell_rest
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, DataRef, Resources, Stage
from rotlab.store.bucket import Bucket
from rotlab.store.candidates import candidate_of
from rotlab.store.layout import Layout
from rotlab.store.store import Store, checksums
from rotlab.store.study import next_revision
from rotlab.tracking.client import open_client
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Journal
from rotlab.tracking.rebuild import rebuild
from rotlab.tracking.tracker import JournalOnly
from rotnet.config import (
    ClipConfig,
    FinetuneConfig,
    FusionConfig,
    Modality,
    ModelConfig,
    PretrainConfig,
    RetrieveConfig,
    ScoreConfig,
)
from rotnet.errors import UserError
from rotnet.evaluation.classifier import open_classifier
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.learning.checkpoint import Network, save_network
from rotnet.models.net import build
from tests.rotlab.execution.lab import make_record
from tests.rotlab.tracking.servers import MlflowServer

SMALL = ModelConfig(width=4, hidden=8)
CLIP = ClipConfig(frames=4, stride=2, resize=16, size=16)
CLASSES = ("a", "b", "c")
VALUES = {("rgb", 0): (0.5, 0.9), ("rgb", 1): (0.75, 0.1), ("dif", 0): (0.6, 0.6)}
Ask = Callable[..., tuple[int, str, str]]


def settings(modality: Modality, seed: int) -> FinetuneConfig:
    return FinetuneConfig(modality=modality, seed=seed, clip=CLIP, model=SMALL)


def make_plan() -> Plan:
    """A network of RGB for each of two seeds, one of DIF, and a fusion of the first of either.

    Neighbours are sought, too, which is no network.
    """
    stages: dict[str, Stage] = {"pre0": Stage("pre0", "pretrain", PretrainConfig())}
    cells = []
    for modality, seed in VALUES:
        tuned, scored = f"tuned-{modality}-{seed}", f"scored-{modality}-{seed}"
        config = settings(modality, seed)  # type: ignore[arg-type]
        data = (DataRef("demo", "train", 1, "f"),)
        stages[tuned] = Stage(tuned, "finetune", config, data=data)
        stages[scored] = Stage(scored, "evaluate", ScoreConfig(), {"network": tuned})
        cells.append(cell(modality, seed, (tuned, scored)))
    members = {"rgb": "scored-rgb-0", "dif": "scored-dif-0"}
    stages["fused"] = Stage("fused", "fuse", FusionConfig(), members)
    cells.append(cell("fusion", 0, (*members.values(), "fused")))
    stages["found"] = Stage("found", "retrieval", RetrieveConfig(), {"init": "pre0"})
    cells.append(cell("rgb", 0, ("pre0", "found"), "retrieval"))
    return Plan("mine", "Which?", ("modality",), tuple(cells), stages)


def cell(modality: str, seed: int, stages: tuple[str, ...], measure: str = "finetune") -> Cell:
    replicate = {"seed": seed, "split": 1}
    return Cell({"modality": modality}, "demo", replicate, measure, stages[-1], stages)


PLAN = make_plan()


def fill(store: Store, stage: Stage) -> None:
    folder = store.new_attempt(stage)
    metrics = {"accuracy": 0.5}
    if isinstance(stage.config, FinetuneConfig):
        place = (stage.config.modality, stage.config.seed)
        metrics = {"val_accuracy": VALUES[place][0]}
        weights = build(SMALL, len(CLASSES), seed=hash(stage.key) % 1000).state_dict()
        values = stage.config.model_dump(mode="json")
        save_network(Network("finetune", values, CLASSES, None, None, weights), folder)
    elif stage.kind == "evaluate":
        held_out(0.75 if "rgb" in stage.key else 0.25).save(folder, VAL_SCORES)
        _, modality, seed = stage.key.split("-")
        metrics = {"accuracy": VALUES[modality, int(seed)][1]}
    record = replace(
        make_record(stage),
        attempt=folder.name,
        files=checksums(folder),
        metrics=metrics,
        config=stage.config.model_dump(mode="json"),
    )
    store.commit(stage, folder, record)


def held_out(right: float) -> Scores:
    """Four videos of class 0, of which a share is right."""
    said = np.full((4, 3), 0.1)
    for row in range(4):
        said[row, 0 if row < 4 * right else 1] = 0.8
    return Scores(tuple("wxyz"), CLASSES, np.zeros(4, dtype=np.int64), said)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Store:
    store = Store(tmp_path_factory.mktemp("made") / "store")
    kinds = dict.fromkeys(load_kinds(), Resources())
    study = next_revision(None, PLAN, "name: mine\n", kinds)
    store.save_study(study)
    for stage in PLAN.stages.values():
        fill(store, stage)
    shutil.copy(empty_database, store.root / "mlflow.db")
    track(store, f"sqlite:///{store.root}/mlflow.db", str(store.root / "artifacts"))
    return store


def track(store: Store, uri: str, artifacts: str | None) -> None:
    study = store.study("mine")
    assert study is not None
    journal = Journal(store.journal_path("mine"))
    tell_rest(JournalOnly(journal), store, study, PLAN)
    journal.close()
    rebuild(Errand(PLAN, journal.path, uri, artifacts, 1, shelf=Layout(store.root)))


@pytest.fixture
def store(made: Store, tmp_path: Path) -> Store:
    """A study of its own for each test, in MLflow."""
    shutil.copytree(made.root, tmp_path / "store")
    return Store(tmp_path / "store")


@pytest.fixture
def ask(store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        status = main(["promote", *words, "--store", str(store.root)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


_LOAD = """
import json, sys
import mlflow, numpy, torch
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pytorch.load_model(sys.argv[2])
clips = torch.from_numpy(numpy.load(sys.argv[3]))
with torch.inference_mode():
    said = [model(clips).tolist(), model(clips.float()).tolist(), model(clips[:1]).tolist()]
served = mlflow.pyfunc.load_model(sys.argv[2], model_config={"device": "cpu"})
said.append(served.predict(clips.numpy()).tolist())
print(json.dumps({"said": said, "ours": [name for name in sys.modules if "rotnet" in name]}))
"""


def load(uri: str, model: str, clips: torch.Tensor, folder: Path) -> dict[str, Any]:
    """What a process that has none of our code gets from the registry."""
    np.save(folder / "clips.npy", clips.numpy())
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-P", "-c", _LOAD, uri, model, str(folder / "clips.npy")],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "", "HOME": str(folder)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def clips_of(frames: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (3, frames, 16, 16, 3), dtype=torch.uint8, generator=chance)


def own(store: Store, key: str, clips: torch.Tensor) -> torch.Tensor:
    chosen = candidate_of(key, PLAN, store)
    network = open_classifier(chosen.folders, chosen.weights, of_logits=chosen.of_logits)
    with torch.inference_mode():
        return network(clips)


@pytest.mark.slow
def test_the_best_by_held_out_videos_is_registered_once_and_says_the_same_elsewhere(
    ask: Ask, store: Store, tmp_path: Path
) -> None:
    status, out, err = ask("mine", "--where", "modality == 'rgb'")
    assert (status, err) == (0, "")
    assert "finetune tuned-rgb-1: val_accuracy 0.75, the best of 2" in out
    assert "registered: models:/mine/1" in out
    again = ask("mine", "--where", "modality == 'rgb'")
    assert again[0] == 0, again[2]
    assert "it is registered: models:/mine/1" in again[1]
    uri = f"sqlite:///{store.root}/mlflow.db"
    client = open_client(uri)
    [version] = client.search_model_versions("name = 'mine'")
    assert version.tags["rotlab.key"] == "tuned-rgb-1"
    assert version.tags["rotlab.arms"] == '[{"modality":"rgb","target":"demo"}]'
    assert (version.tags["metric.held_out"], version.tags["metric.test.accuracy"]) == (
        "0.75",
        "0.1",
    )
    assert version.run_id is not None
    run = client.get_run(version.run_id)
    assert run.data.tags["rotlab.key"] == "stage:tuned-rgb-1"
    clips = clips_of(4)
    found = load(uri, "models:/mine/1", clips, tmp_path)
    assert found["ours"] == []
    expected = own(store, "tuned-rgb-1", clips)
    for said in found["said"]:
        torch.testing.assert_close(torch.tensor(said), expected[: len(said)])
    kept = [path for path in store.root.glob("artifacts/**/*") if path.is_file()]
    assert not [path for path in kept if path.suffix in (".pkl", ".pth")]


@pytest.mark.slow
def test_a_fusion_is_registered_whole_through_a_server(store: Store, tmp_path: Path) -> None:
    server = MlflowServer(f"sqlite:///{tmp_path}/served.db", tmp_path)
    server.start()
    try:
        track(store, server.uri, None)
        where = ("--store", str(store.root), "--tracking-uri", server.uri)
        assert main(["promote", "fused", "--name", "both", *where]) == 0
        clips = clips_of(5)
        found = load(server.uri, "models:/both/1", clips, tmp_path)
        expected = own(store, "fused", clips)
        torch.testing.assert_close(torch.tensor(found["said"][0]), expected)
        torch.testing.assert_close(expected.exp().sum(1), torch.ones(3))
    finally:
        server.kill()


def test_a_fusion_is_judged_by_its_members_scores_of_held_out_videos(store: Store) -> None:
    found = candidate_of("fused", PLAN, store)
    assert found.weights == {"rgb": 0.5, "dif": 0.5}
    assert set(found.folders) == {"rgb", "dif"}
    # Of four videos both are right about the first; of the others a tie goes to the first class.
    assert found.value == 0.75


def test_what_a_fusion_was_fitted_on_is_no_part_of_it(store: Store) -> None:
    members = {**PLAN.stages["fused"].inputs, "rgb-held-out": "tuned-rgb-1"}
    fused = replace(PLAN.stages["fused"], inputs=members)
    plan = replace(PLAN, stages={**PLAN.stages, "fused": fused})
    assert set(candidate_of("fused", plan, store).folders) == {"rgb", "dif"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mine",), "are judged by different scores of held-out videos: choose between them"),
        (("mine", "--where", "modality == 'flow'"), "unknown value of modality: 'flow'"),
        (("mine", "--where", "measure == 'retrieval'"), "retrieval found has no network that"),
        (("mine", "--where", "seed == 7"), "no cell that is meant has a result"),
        (("pre0",), "pretrain pre0 has no network that names actions: promote a fine-tuning"),
        (("tuned",), "3 stages have a key that begins with 'tuned'"),
        (("min", "--where", "seed == 0"), "--where is for a study, and 'min' is none (mine)"),
        (("nope",), "unknown study 'nope' (mine), and no stage's key begins so; looked in"),
        (("mini",), "unknown study 'mini'; did you mean 'mine'? (mine), and no stage's key begins"),
        (("mine", "--name", "a/b"), "--name: a model's name is not empty and has no / or :"),
    ],
)
def test_what_cannot_be_promoted_is_one_line_with_the_way_out(
    ask: Ask, words: tuple[str, ...], said: str
) -> None:
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_without_held_out_videos_none_is_chosen_by_test_videos(ask: Ask, store: Store) -> None:
    for key in ("tuned-rgb-0", "tuned-rgb-1"):
        path = store.home(key, "finetune") / "record.json"
        values = json.loads(path.read_text())
        values["metrics"] = {"train_accuracy": 1.0}
        path.write_text(json.dumps(values))
    status, _, err = ask("mine", "--where", "modality == 'rgb'")
    assert status == 2
    assert "2 of 2 networks have learnt from all training videos" in err
    assert "name one by its KEY (tuned-rgb-0, tuned-rgb-1)" in err
    assert candidate_of("scored-rgb-0", PLAN, store).value is None


def test_a_network_that_is_not_there_is_said(store: Store) -> None:
    shutil.rmtree(store.home("tuned-rgb-0", "finetune"))
    with pytest.raises(UserError, match=r"finetune tuned-rgb-0 is not in .*: run the study first"):
        candidate_of("fused", PLAN, store)


def test_of_a_store_in_a_bucket_the_network_is_fetched(
    made: Store, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = Bucket(url)
    for path in made.root.rglob("*"):
        if path.is_file() and not path.is_relative_to(made.root / "artifacts"):
            bucket.upload(path, path.relative_to(made.root).as_posix())
    where = ("--store", url, "--tracking-uri", f"sqlite:///{made.root}/mlflow.db")
    assert main(["promote", "tuned-rgb-1", "--name", "fetched", *where]) == 0
    assert "registered: models:/fetched/1" in capsys.readouterr().out
