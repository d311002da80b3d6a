"""Every question that is shipped can be asked, and every init be used: in small, without Ray."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rotlab.execution.on_ray.halfway import Halfway
from rotlab.execution.smoke import FEW
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.inits import inits
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.imagined import imagine
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import find_all
from rotlab.planning.plan.planner import Planner, make_plan
from rotlab.planning.release.smoke import smoke_of
from rotlab.planning.space.factors import Factor
from rotlab.planning.space.replicates import Replicates
from rotlab.planning.space.spec import Spec, load_spec
from rotlab.store.store import Store
from rotnet.config import ClipConfig, ModelConfig, PretrainConfig
from rotnet.data.manifest import Manifest
from rotnet.evaluation.fuse import fitted_weights, weighted_softmax
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.learning.adopt import adopt
from rotnet.learning.checkpoint import save_network
from rotnet.learning.watch import Stopped, Unwatched
from rotnet.models.net import build

SPACES = Path(__file__).parents[3] / "search_spaces"
ELSEWHERE = (  # `make demo`; the same kinds of arms
    "demo",
    "demo_controls",
    "paper",
    "population",
    "weizmann",
)
NAMES = sorted(path.stem for path in SPACES.glob("*.yaml") if path.stem not in ELSEWHERE)
TRAINING = {"epochs": 1, "steps_per_epoch": 1, "warmup_epochs": 0.0, "val_fraction": 0.25}
SMALL: Mapping[str, Mapping[str, Any]] = {
    "clip": {"frames": 4, "stride": 1, "resize": 24, "size": 10},
    "model": {"width": 2, "hidden": 4},
    "pretrain": TRAINING,
    "finetune": {**TRAINING, "batch_size": 4},
    "evaluate": {"clips": 1},
    "linear": {"clips": 1, "pools": [1], "l2": [0.1], "val_fraction": 0.4},
    "retrieval": {"clips": 1},
    "runtime": {"workers": 0},
}
FEWER = {
    "finetune.shots": (1, 2, None),
    "finetune.epochs": (1, 2),
}  # in place of an axis's values
MAIN = {"retrieval": "recall_at_1"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, actions: Manifest, pool: Manifest) -> Path:
    """A folder in which the data sets of all files lie, synthetic ones in their place."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "hockey").symlink_to(pool.folder)
    for name in ("ucf101", "ut-interaction", "weizmann"):
        (folder / name).symlink_to(actions.folder)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for all files, which share what they have in common."""
    return tmp_path_factory.mktemp("store")


def shrunk(spec: Spec) -> Spec:
    """A search space of as good as the same arms, for one replicate, whose stages take no time."""
    axes = {axis: FEWER.get(axis, values) for axis, values in spec.axes.items()}
    settings = {
        section: {
            **spec.settings.get(section, {}),
            **{
                field: value
                for field, value in SMALL.get(section, {}).items()
                if f"{section}.{field}" not in axes
            },
        }
        for section in {*spec.settings, *SMALL}
    }
    return replace(
        spec,
        axes=axes,
        factors=spec.factors and tuple(_shorter(one, axes) for one in spec.factors),
        settings=settings,
        exclude=tuple(
            replace(
                one,
                when={
                    axis: tuple(_fewer(spec, axis, value) for value in values)
                    for axis, values in one.when.items()
                },
            )
            for one in spec.exclude
        ),
        targets=spec.targets[:1],
        replicates=Replicates(),
    )


def _shorter(factor: Factor, axes: Mapping[str, tuple[Any, ...]]) -> Factor:
    """A factor without the steps for which its axes have no values any more."""
    branches = []
    for branch in factor.branches:
        steps = [
            step
            for step in branch.steps
            if all(index < len(axes[axis]) for axis, index in zip(factor.axes, step, strict=True))
        ]
        branches.append(replace(branch, steps=tuple(steps)))
    return replace(factor, branches=tuple(branches))


def _fewer(spec: Spec, axis: str, value: object) -> object:
    """What stands in place of an axis's value."""
    values = spec.axes[axis]
    return FEWER.get(axis, values)[values.index(value)]


def run_in_process(plan: Plan, root: Path, store: Path) -> dict[str, Mapping[str, float]]:
    """Do all stages, parents first, and return their metrics by key."""
    kinds = load_kinds()
    data = {ref.name: root / ref.name for stage in plan.stages.values() for ref in stage.data}
    work = Work(plan.stages, kinds, data, store, dict.fromkeys(kinds, 1))
    return {key: perform(key, work, Unwatched()).metrics for key in plan.stages}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_arm_of_a_shipped_question_runs(name: str, root: Path, store: Path) -> None:
    spec = shrunk(load_spec(SPACES / f"{name}.yaml"))
    planner = Planner(spec, load_kinds(), find_all(spec, root))
    decisions = Decisions()
    if spec.search is not None:
        search = replace(spec.search, proposals=2)
        few = {key: replace(one, proposals=2) for key, one in planner.tunings.items()}
        decisions = imagine(few, search, decisions, planner.fits)
    plan = planner.plan(decisions)
    assert plan.absent == ()
    assert not plan.warnings
    found = run_in_process(plan, root, store)
    for cell in plan.cells:
        assert 0 <= found[cell.result][MAIN.get(cell.measure, "accuracy")] <= 1
    assert {cell.measure for cell in plan.cells} == set(spec.measure)


@pytest.mark.slow
def test_every_init_runs_for_every_measure_that_has_it(
    root: Path, store: Path, tmp_path: Path
) -> None:
    plan = all_inits(root, tmp_path)
    found = run_in_process(plan, root, store)
    assert {(cell.measure, cell.arm["init"]) for cell in plan.cells} == {
        *(("pretrain", init) for init in ("rotation", "pace")),
        *(("finetune", init) for init in inits() if init != "target"),
        *(("linear", init) for init in inits() if init != "random-frozen"),
        *(("retrieval", init) for init in inits() if init != "random-frozen"),
    }
    assert all(found[cell.result] for cell in plan.cells)


@pytest.mark.slow
def test_networks_that_learnt_from_all_videos_are_weighed_by_others_that_did_not(
    root: Path, store: Path, tmp_path: Path
) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(
        "name: fitted\nbase: tiny\ndata: {target: ucf101}\ninit: scratch\nmodality: fusion\n"
        "finetune: {final: train+val}\nfuse: {rule: fitted}\n"
    )
    plan = make_plan(spec := shrunk(load_spec(file)), load_kinds(), find_all(spec, root))
    run_in_process(plan, root, store)
    (fused,) = (stage for stage in plan.stages.values() if stage.kind == "fuse")

    def folder(key: str) -> Path:
        record = Store(store).record(key, plan.stages[key].kind)
        assert record is not None
        return Store(store).result_folder(record)

    parts = {name: folder(key) for name, key in fused.inputs.items()}
    assert not (parts["rgb"] / VAL_SCORES).exists()  # it has learnt from all of them
    held_out = {name: Scores.load(parts[f"{name}-held-out"], VAL_SCORES) for name in ("dif", "rgb")}
    test = {name: Scores.load(parts[name]) for name in held_out}
    train = Manifest.load(root / "ucf101").select("train", 1).videos
    assert {*held_out["rgb"].videos} < {video.path for video in train}
    weights = fitted_weights(held_out, test)
    found = Scores.load(folder(fused.key)).probabilities
    assert np.array_equal(found, weighted_softmax(test, list(weights.values())).probabilities)


@pytest.mark.slow
def test_every_sort_of_stage_runs_in_brief_on_a_few_videos_and_goes_on_halfway(
    root: Path, tmp_path: Path
) -> None:
    plan, store = all_inits(root, tmp_path), Store(tmp_path / "store")
    kinds = load_kinds()
    smoke = smoke_of(plan, kinds, plan.stages.keys())
    assert len(smoke.plan.stages) < len(plan.stages)
    data = {ref.name: root / ref.name for stage in plan.stages.values() for ref in stage.data}
    work = Work(smoke.plan.stages, kinds, data, store.root, dict.fromkeys(kinds, 1), few=FEW)
    went_on = set()
    for key, stage in smoke.plan.stages.items():
        note = store.halfway_path(stage)
        note.parent.mkdir(parents=True)
        try:
            record = perform(key, work, Halfway(Unwatched(), note))
        except Stopped:
            went_on.add(stage.kind)
            record = perform(key, work, Halfway(Unwatched(), note))
        assert record.metrics.get("videos", 0) <= FEW
    assert went_on == {"pretrain", "finetune"}


def all_inits(root: Path, folder: Path) -> Plan:
    """Return a plan of every init, by every measure that has it."""
    file = folder / "space.yaml"
    file.write_text(
        "name: inits\nbase: tiny\ndata: {pretrain: hockey, target: ucf101, weights: others}\n"
        "measure: [pretrain, finetune, linear, retrieval]\n"
        f"axes: {{init: [{', '.join(inits())}], modality: [rgb, rgb+rgb]}}\n"
        "finetune: {final: train+val}\nfuse: {rule: fitted}\n"
    )
    if not (root / "others").exists():
        leave_converted_network(root / "others")
    spec = shrunk(load_spec(file))
    return make_plan(spec, load_kinds(), find_all(spec, root))


def leave_converted_network(folder: Path) -> None:
    """Put a network there as `rotnet convert` leaves one."""
    folder.mkdir()
    config = PretrainConfig.model_validate(
        {"clip": ClipConfig(**SMALL["clip"]), "model": ModelConfig(**SMALL["model"])}
    )
    weights = build(config.model, 3, seed=7).state_dict()
    save_network(adopt(weights, config, origin={"file": "others.pth"}).network, folder)
