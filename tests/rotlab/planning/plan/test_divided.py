"""Stages of several processes: what they may ask for, what they cost, where they find room."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rotlab.cluster.fits import fits
from rotlab.cluster.layout import Layout, NodeType
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.on_ray.searcher import request
from rotlab.planning.cost.cost import Machine, Timed, estimate
from rotlab.planning.cost.devices import DEVICES
from rotlab.planning.cost.sizes import Sizes
from rotlab.planning.kinds import PRETRAIN, load_kinds
from rotlab.planning.plan.decisions import Decisions, Proposal
from rotlab.planning.plan.planned import Planned, find_all, plan_file
from rotlab.planning.plan.planner import Planner
from rotlab.planning.release.scenario import Scenario
from rotlab.planning.release.simulate import simulate
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import Resources
from rotnet.errors import UserError

Read = Callable[[str], Spec]
HEAD = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"
FOUR = "pretrain: {accumulate: 4}\n"


def asked(read: Read, words: str) -> Resources:
    return read(f"{HEAD}resources: {{pretrain: {{{words}}}}}\n").resources["pretrain"]


def planned(tmp_path: Path, text: str) -> Planned:
    file = tmp_path / "trial.yaml"
    file.write_text(HEAD + text)
    return plan_file(file, tmp_path / "data")


def refused(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(SpecError) as caught:
        call()
    return [f"{one.line} {one.where}: {one.text}" for one in caught.value.problems]


def test_several_gpus_are_a_process_each_and_a_core_each(read: Read) -> None:
    assert asked(read, "gpus: 8") == Resources(8, 8.0, 8)
    assert asked(read, "gpus: 8, cpus: 32").each == Resources(4, 1.0)
    assert asked(read, "processes: 2") == Resources(2, None, 2)
    assert asked(read, "gpus: 1, cpus: 3") == Resources(3, 1.0, 1)


def test_a_share_may_be_left_to_be_measured(read: Read) -> None:
    assert asked(read, "gpus: auto, cpus: 3") == Resources(3, measured=True)


def test_a_process_gets_a_gpu_where_there_are_any() -> None:
    wanted = Resources(2, None, 2)
    assert Capacity(8, 4).resolve(wanted) == Resources(2, 2.0, 2)
    assert Capacity(8, 0).resolve(wanted) == Resources(2, 0.0, 2)


@pytest.mark.parametrize(
    ("words", "where", "rule"),
    [
        ("pretrain: {processes: 0}", "pretrain.processes", "must be greater than 0, got 0"),
        (
            "pretrain: {processes: 2, cpus: 3}",
            "pretrain.cpus",
            "multiple of the 2 processes, got 3",
        ),
        ("pretrain: {processes: 2, gpus: 4}", "pretrain.gpus", "gpus must be 2"),
        ("pretrain: {processes: 2, gpus: 0.5}", "pretrain.gpus", "gpus must be 2"),
        ("pretrain: {processes: 1, gpus: 4}", "pretrain.gpus", "gpus must be 1"),
        ("pretrain: {gpus: auto, processes: 2}", "pretrain.gpus", "for one process, got 2"),
        ("pretrain: {gpus: aut}", "pretrain.gpus", "must be a number, or auto for a share"),
        ("fuse: {gpus: auto}", "fuse.gpus", "a fuse takes no device"),
        ("linear: {gpus: auto}", "linear.gpus", "the memory of a linear may grow"),
        ("fuse: {processes: 2}", "fuse.processes", "a fuse is computed by one process, got 2"),
    ],
)
def test_uneven_shares_are_refused(read: Read, words: str, where: str, rule: str) -> None:
    (said,) = refused(lambda: read(f"{HEAD}resources: {{{words}}}\n"))
    assert said.startswith(f"4 resources.{where}: ")
    assert rule in said


def test_a_stage_of_other_parts_is_refused_with_the_way_out(tmp_path: Path) -> None:
    text = f"{FOUR}resources: {{pretrain: {{gpus: 3}}}}\n"
    (said,) = refused(lambda: planned(tmp_path, text))
    assert said.startswith("5 resources.pretrain: 3 processes cannot divide a batch evenly")
    assert "take 1 or 2 or 4" in said


def test_how_many_compute_a_stage_is_not_in_its_key(tmp_path: Path) -> None:
    alone = planned(tmp_path, FOUR).plan
    several = planned(tmp_path, f"{FOUR}resources: {{pretrain: {{gpus: 4}}}}\n").plan
    assert alone.stages.keys() == several.stages.keys()


def test_twice_the_processes_take_half_the_time_and_as_many_hours(tmp_path: Path) -> None:
    of = planned(tmp_path, FOUR)
    stages = {key: s for key, s in of.plan.stages.items() if s.kind == "pretrain"}
    plan, sizes = replace(of.plan, stages=stages), Sizes(of.datasets)

    def seconds(resources: Mapping[str, Resources], timed: tuple[Timed, ...] = ()) -> float:
        machine = Machine(DEVICES["A100"], DEVICES["cpu"], resources)
        (found,) = estimate(plan, load_kinds(), sizes, machine, timed).values()
        assert found.seconds is not None
        return found.seconds

    one, four = {"pretrain": Resources(1, 1.0)}, {"pretrain": Resources(4, 4.0, 4)}
    assert seconds(one) == pytest.approx(4 * seconds(four))
    (stage,) = stages.values()
    ran = Timed(replace(stage, key="other"), 10.0, "NVIDIA A100", processes=2)
    assert (seconds(one, (ran,)), seconds(four, (ran,))) == (20.0, 5.0)


def test_in_a_simulation_processes_lie_together_or_on_several_nodes(tmp_path: Path) -> None:
    plan = planned(tmp_path, FOUR).plan
    (key,) = (key for key, stage in plan.stages.items() if stage.kind == "pretrain")
    plan = replace(plan, stages={key: plan.stages[key]}, cells=())
    wanted = {"pretrain": Resources(4, 4.0, 4)}
    for per_node in (1, 2, 3, 4):
        cluster = Scenario(gpus=8, cpus=64, gpus_per_node=per_node, worker_s=5.0)
        found = simulate(plan, wanted, {key: 3600.0}, cluster)
        assert found.makespan_s == 3605.0
        assert found.gpu_hours == pytest.approx(4 * 3605 / 3600)
    with pytest.raises(UserError, match="takes 4 GPUs and 4 cores in 4 processes"):
        simulate(plan, wanted, {key: 1.0}, Scenario(gpus=3, cpus=64, gpus_per_node=1))


def test_a_node_lost_under_one_process_ends_the_stage_and_frees_the_others(tmp_path: Path) -> None:
    plan = planned(tmp_path, FOUR).plan
    (key,) = (key for key, stage in plan.stages.items() if stage.kind == "pretrain")
    plan = replace(plan, stages={key: plan.stages[key]}, cells=())
    cluster = Scenario(
        gpus=4, cpus=32, gpus_per_node=1, spot_mtbf_s=7200.0, checkpoint_s=60.0, startup_s=60.0
    )
    found = simulate(plan, {"pretrain": Resources(4, 4.0, 4)}, {key: 20000.0}, cluster)
    assert found.failures > 0
    assert 20000.0 + found.lost_s <= found.makespan_s < 2 * 20000.0


def test_each_process_has_to_find_a_node_type_and_all_a_bundle() -> None:
    small = NodeType("small", (), "small", 8, 1, 0, 8, "spot", 0, 300.0)
    head = replace(small, name="head", cpus=4, gpus=0)
    layout = Layout("aws", head, (small,), 8, (), {}, (), (), ())
    assert fits(layout, {"pretrain": Resources(8, 8.0, 8)}) == {"pretrain": ("small",)}
    with pytest.raises(UserError, match="gpus 8"):
        fits(layout, {"pretrain": Resources(8, 8.0, 1)})
    with pytest.raises(UserError, match="cpus 1, gpus 1, each of 16 processes"):
        fits(layout, {"pretrain": Resources(16, 16.0, 16)})
    assert PRETRAIN.divides is not None
    bundles = request({"cpus": 4, "gpus": 2.0, "processes": 2, "model": None}).bundles
    assert bundles == [{"CPU": 2.0, "GPU": 1.0}] * 2


def test_a_try_that_cannot_be_divided_is_one_that_failed(read: Read, tmp_path: Path) -> None:
    """Else the search, whose proposals are kept, could never be planned again."""
    spec = read(
        HEAD + "finetune: {val_fraction: 0.25, final: train+val, accumulate: 2}\n"
        "resources: {finetune: {gpus: 2}}\n"
        "search: {settings: {finetune.batch_size: [8, 16, 15]}, proposals: 2}\n"
    )
    planner = Planner(spec, load_kinds(), find_all(spec, tmp_path / "none"))
    (tuning,) = planner.tunings
    tries = [Proposal(tuning, 1, {"finetune.batch_size": size}) for size in (8, 15)]
    assert [bool(planner.as_stages(one).results) for one in tries] == [True, False]
    planner.plan(Decisions({tuning: (tries[1],)}))  # refused nothing
