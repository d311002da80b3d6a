"""Networks of the real kinds, reached through shorter trainings, are those trained at once."""

from pathlib import Path

import torch

from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.plan.planned import plan_file
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotnet.data.manifest import Manifest
from rotnet.learning.checkpoint import load_network
from rotnet.learning.watch import Unwatched

SPACE = """
name: lengths
question: How long?
base: tiny
data: {{pretrain: hockey, target: weizmann}}
clip: {{frames: 4, stride: 1, resize: 24, size: 10}}
model: {{width: 2, hidden: 4}}
pretrain: {{schedule: step, milestones: [1], steps_per_epoch: 2, warmup_epochs: 0.5}}
finetune: {{schedule: constant, steps_per_epoch: 2, warmup_epochs: 0.5, val_fraction: 0.25}}
evaluate: {{clips: 1}}
runtime: {{workers: 0}}
axes:
  pretrain.epochs: {lengths}
  finetune.epochs: {lengths}
"""


def run_space(lengths: list[int], root: Path, data: Path) -> dict[str, Record]:
    """Plan and do a study of our own kinds; return its records."""
    root.mkdir()
    (root / "space.yaml").write_text(SPACE.format(lengths=lengths))
    planned = plan_file(root / "space.yaml", data)
    plan, kinds = planned.plan, planned.kinds
    folders = {name: data / name for name in ("hockey", "weizmann")}
    work = Work(
        plan.stages, kinds, folders, root, dict.fromkeys(kinds, 1), continues=plan.continues
    )
    return {key: perform(key, work, Unwatched()) for key in plan.stages}


def test_networks_reached_through_shorter_trainings_are_the_same(
    tmp_path: Path, actions: Manifest, pool: Manifest
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "hockey").symlink_to(pool.folder)
    (data / "weizmann").symlink_to(actions.folder)
    straight = run_space([4], tmp_path / "straight", data)
    through = run_space([1, 2, 4], tmp_path / "through", data)
    assert set(straight) < set(through)
    kinds = [record.kind for record in through.values() if record.continued is not None]
    assert (kinds.count("pretrain"), kinds.count("finetune")) == (2, 6)
    assert {record.not_continued for record in through.values()} == {None}
    for key, record in straight.items():
        assert record.continued is None
        assert through[key].metrics == record.metrics
        if record.kind != "evaluate":
            expected, found = (
                load_network(Store(tmp_path / name).result_folder(each))
                for name, each in (("straight", record), ("through", through[key]))
            )
            assert all(
                torch.equal(found.weights[name], value) for name, value in expected.weights.items()
            )
