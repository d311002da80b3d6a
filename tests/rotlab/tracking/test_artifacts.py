"""Small files of results go into MLflow once; networks are named by where they lie."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from rotlab.planning.plan.plan import Plan
from rotlab.store.layout import Layout
from rotlab.tracking.artifacts import MOST_BYTES, Artifacts
from rotlab.tracking.attentions import read_attention
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Journal
from rotlab.tracking.rebuild import rebuild
from rotnet.pictures.strip import FILE
from tests.rotlab.tracking.story import events_of, runs_of
from tests.rotlab.tracking.strips import make_strip

KEY = "finetune-rotation-rgb-0"


@pytest.fixture
def plan(study: Callable[..., Plan]) -> Plan:
    return study(fusion=False)


class Shop:
    """A store with one result, and an MLflow to bring it to."""

    def __init__(self, plan: Plan, root: Path, uri: str) -> None:
        self.plan, self.root, self.uri = plan, root, uri
        self.folder = Layout(root).attempts(KEY, "finetune") / "a"
        (self.folder / "deep").mkdir(parents=True)
        (self.folder / "confusion.csv").write_text("class,a\na,1\n")
        (self.folder / "deep" / "history.json").write_text("[]")
        (self.folder / "scores.npz").write_bytes(bytes(MOST_BYTES + 1))
        (self.folder / "network.pt").write_text("small, and a network")
        (self.folder / "checkpoint.pt").write_text("good for continuing")
        journal = Journal(root / "studies" / "small" / "journal.jsonl")
        for event in events_of(plan):
            journal.append({**event, "attempt": "a"} if "key" in event else event)
        journal.close()
        self.journal = journal

    def bring(self, artifacts: Artifacts = "small", place: str | None = None) -> None:
        place = place or str(self.root / "artifacts")
        shelf, path = Layout(self.root), self.journal.path
        rebuild(Errand(self.plan, path, self.uri, place, shelf=shelf, artifacts=artifacts))

    def run(self) -> Any:
        return runs_of(self.uri)[f"stage:{KEY}"]

    def files(self) -> dict[str, int | None]:
        client, run_id = MlflowClient(tracking_uri=self.uri), self.run().info.run_id
        found: dict[str, int | None] = {}
        folders = [""]
        while folders:
            for one in client.list_artifacts(run_id, folders.pop()):
                if one.is_dir:
                    folders.append(one.path)
                else:
                    found[one.path] = one.file_size
        return found


@pytest.fixture
def shop(plan: Plan, tmp_path: Path, uri: str) -> Shop:
    return Shop(plan, tmp_path / "store", uri)


def test_small_files_go_there_and_others_are_named(shop: Shop) -> None:
    shop.bring()
    assert set(shop.files()) == {"config.json", "confusion.csv", "deep/history.json"}
    tags = shop.run().data.tags
    assert tags["rotlab.folder"] == str(shop.folder)
    assert tags["rotlab.only_there"] == "network.pt (0.0 MB), scores.npz (1.0 MB)"
    assert "rotlab.folder" not in runs_of(shop.uri)["stage:evaluate-rotation-rgb-0"].data.tags


def test_what_is_there_is_not_brought_again_and_more_is_when_asked(shop: Shop) -> None:
    shop.bring()
    (shop.folder / "confusion.csv").write_text("changed by somebody, and longer\n")
    before = shop.files()
    shop.bring()
    assert shop.files() == before
    shop.bring("all")
    assert {"network.pt", "scores.npz"} < set(shop.files())
    assert "checkpoint.pt" not in shop.files()
    assert shop.run().data.tags["rotlab.artifacts"] == "a all"
    shop.bring("small")
    assert shop.run().data.tags["rotlab.artifacts"] == "a all"


def test_none_go_where_none_are_wanted(shop: Shop) -> None:
    shop.bring("none")
    assert shop.files() == {}


def test_a_place_that_takes_no_files_holds_up_nothing(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    shop.bring(place=f"{tmp_path}/file")
    run = shop.run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["rotlab.artifacts"].startswith("not taken: ")
    assert run.data.tags["rotlab.folder"] == str(shop.folder)
    (tmp_path / "file").unlink()
    shop.bring(place=f"{tmp_path}/file")
    assert shop.run().data.tags["rotlab.artifacts"] == "a small"


def test_attention_maps_go_there_too_and_into_a_new_mlflow_again(
    shop: Shop, empty_database: Path
) -> None:
    make_strip().save(shop.folder / FILE)
    for _ in range(2):
        shop.bring()
        run = shop.run().info.run_id
        assert read_attention(shop.uri, [run])[run].videos == make_strip().videos
        Path(shop.uri.removeprefix("sqlite:///")).write_bytes(empty_database.read_bytes())
    shop.bring("none")
    assert read_attention(shop.uri, [shop.run().info.run_id]) == {}
