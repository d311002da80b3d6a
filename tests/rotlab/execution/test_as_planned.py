"""A grid of real trainings: what a run does, counted in its journal, is what the plan says."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from rotlab.planning.plan.planned import plan_file
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotnet.data.manifest import Manifest

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
TRAINING = "{epochs: 1, steps_per_epoch: 1, warmup_epochs: 0.0, val_fraction: 0.25, batch_size: 4}"
GRID = f"""
name: grid
base: tiny
data: {{pretrain: pool, target: actions}}
clip: {{frames: 4, stride: 1, resize: 24, size: 10}}
model: {{width: 2, hidden: 4}}
pretrain: {TRAINING}
finetune: {TRAINING}
evaluate: {{clips: 1}}
runtime: {{workers: 0}}
axes: {{pretext.rotations: [2, 4], modality: [rgb, dif, fusion], init: [rotation, scratch]}}
replicates: {{split: [1, 2]}}
"""
ROTLAB = (sys.executable, "-m", "rotlab.cli")


@pytest.fixture
def file(tmp_path: Path, actions: Manifest, pool: Manifest) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "actions").symlink_to(actions.folder)
    (tmp_path / "data" / "pool").symlink_to(pool.folder)
    path = tmp_path / "grid.yaml"
    path.write_text(GRID)
    return path


def rotlab(command: str, file: Path, *options: str) -> str:
    given = ("--data", str(file.parent / "data"), "--store", str(file.parent / "store"), *options)
    done = subprocess.run(  # noqa: S603  (our own command)
        (*ROTLAB, command, str(file), *given),
        stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
    )
    return done.stdout.decode()


def test_every_planned_stage_is_begun_once_and_no_other(file: Path) -> None:
    said = json.loads(rotlab("plan", file, "--json"))
    assert said["stages"] == {"pretrain": 4, "finetune": 12, "evaluate": 12, "fuse": 6}
    # Twelve cells start from rotations, four of them fusions of two networks; six from scratch.
    assert said["stages_unshared"] == {"pretrain": 16, "finetune": 24, "evaluate": 24, "fuse": 6}
    rotlab("run", file, "--cpus", "2", "--gpus", "0")
    plan = plan_file(file, file.parent / "data").plan
    events = Journal(Store(file.parent / "store").journal_path("grid")).read()
    begun = Counter(event["key"] for event in events if event["event"] == "stage_started")
    assert begun == Counter(plan.stages.keys())
    assert Counter(plan.stages[key].kind for key in begun) == said["stages"]
    assert "nothing to do: all 34 stages are in the store" in rotlab("run", file)
