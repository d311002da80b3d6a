"""Runs in virtual time whose length is known by construction."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from rotlab.planning.plan.plan import Plan
from rotlab.planning.release.outcome import Outcome
from rotlab.planning.release.scenario import Scenario
from rotlab.planning.release.simulate import simulate
from rotlab.planning.stage import Cell, Resources, Stage
from rotnet.errors import UserError

HOUR = 3600.0
ONE_GPU = {"work": Resources(1, 1.0), "join": Resources(1, 0.0)}


class Nothing(BaseModel):
    """Settings of a stage that has none."""


def plan_of(parents: dict[str, list[str]], kinds: dict[str, str] | None = None) -> Plan:
    """A plan of these stages, each a cell of its own."""
    stages = {
        key: Stage(key, (kinds or {}).get(key, "work"), Nothing(), {p: p for p in above})
        for key, above in parents.items()
    }
    cells = tuple(Cell({"of": key}, "none", {"seed": 0}, "work", key, (key,)) for key in stages)
    return Plan("graph", "", ("of",), cells, stages)


def chain(length: int) -> Plan:
    return plan_of({f"s{i}": [f"s{i - 1}"] if i else [] for i in range(length)})


def apart(count: int) -> Plan:
    return plan_of({f"s{i}": [] for i in range(count)})


def run(plan: Plan, scenario: Scenario, seconds: float = HOUR) -> Outcome:
    return simulate(plan, ONE_GPU, dict.fromkeys(plan.stages, seconds), scenario)


@given(length=st.integers(1, 9), gpus=st.integers(1, 4))
@settings(deadline=None, max_examples=20)
def test_a_chain_of_n_hours_takes_n_hours_on_any_number_of_gpus(length: int, gpus: int) -> None:
    found = run(chain(length), Scenario(gpus=gpus, cpus=gpus))
    assert found.makespan_s == pytest.approx(length * HOUR)
    assert found.critical_path_s == found.lower_bound_s == found.makespan_s
    assert found.utilisation == pytest.approx(1 / gpus)


@given(count=st.integers(1, 30), gpus=st.integers(1, 8), per_node=st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_k_stages_apart_take_k_over_m_rounds_on_m_gpus(
    count: int, gpus: int, per_node: int
) -> None:
    found = run(apart(count), Scenario(gpus=gpus, cpus=8 * gpus, gpus_per_node=per_node))
    assert found.makespan_s == pytest.approx(-(-count // gpus) * HOUR)
    assert found.work_bound_s == pytest.approx(count / gpus * HOUR)
    assert found.gpu_hours == pytest.approx(count)


def test_nothing_begins_before_nodes_are_there() -> None:
    found = run(chain(2), Scenario(gpus=1, cpus=1, startup_s=180))
    assert found.makespan_s == pytest.approx(2 * HOUR + 180)
    assert found.held_gpu_hours == pytest.approx(2)


def test_a_process_starts_once_for_stages_of_one_request_and_every_stage_has_its_overhead() -> None:
    scenario = Scenario(gpus=1, cpus=1, worker_s=100, overhead_s=10)
    assert run(chain(3), scenario).makespan_s == pytest.approx(3 * HOUR + 100 + 3 * 10)
    two_requests = plan_of({"a": [], "b": ["a"], "c": ["b"]}, {"b": "join"})
    assert run(two_requests, scenario).makespan_s == pytest.approx(3 * HOUR + 2 * 100 + 3 * 10)
    side_by_side = Scenario(gpus=2, cpus=2, gpus_per_node=2, worker_s=100)
    assert run(apart(4), side_by_side).makespan_s == pytest.approx(2 * HOUR + 100)


def test_a_node_that_comes_again_starts_its_processes_again_and_only_work_is_lost() -> None:
    calm = Scenario(gpus=1, cpus=1, checkpoint_s=0, worker_s=100)
    stormy = replace(calm, spot_mtbf_s=HOUR, seed=1)
    found = run(chain(4), stormy)
    assert found.failures > 0
    assert found.lost_s == 0
    most = 4 * HOUR + 100 * (1 + found.failures)
    assert most - 100 * found.failures < found.makespan_s <= most


def test_two_halves_of_a_gpu_work_side_by_side() -> None:
    plan = apart(4)
    half = {"work": Resources(1, 0.5)}
    found = simulate(plan, half, dict.fromkeys(plan.stages, HOUR), Scenario(gpus=1, cpus=8))
    assert found.makespan_s == pytest.approx(2 * HOUR)
    assert found.utilisation == pytest.approx(1)


def test_cores_run_stages_without_a_gpu_beside_those_with_one() -> None:
    plan = plan_of({"a": [], "b": []}, {"b": "join"})
    found = run(plan, Scenario(gpus=1, cpus=2))
    assert found.makespan_s == pytest.approx(HOUR)
    assert (found.gpu_hours, found.cpu_hours) == pytest.approx((1, 2))


def test_the_longest_chain_in_time_is_begun_first() -> None:
    #  long (3 h)  and  first -> second (1 h each): two stages are the longer chain, but not in time
    plan = plan_of({"first": [], "second": ["first"], "long": []})
    seconds = {"first": HOUR, "second": HOUR, "long": 3 * HOUR}
    one = simulate(plan, ONE_GPU, seconds, Scenario(gpus=1, cpus=1))
    assert one.makespan_s == pytest.approx(5 * HOUR)
    two = simulate(plan, ONE_GPU, seconds, Scenario(gpus=2, cpus=2))
    assert two.makespan_s == pytest.approx(3 * HOUR)


def test_what_is_done_is_not_run() -> None:
    plan = chain(3)
    seconds = dict.fromkeys(plan.stages, HOUR)
    found = simulate(plan, ONE_GPU, seconds, Scenario(gpus=1, cpus=1), done=["s0", "s1"])
    assert found.stages == 1
    assert found.makespan_s == pytest.approx(HOUR)
    assert simulate(plan, ONE_GPU, {}, Scenario(gpus=1, cpus=1), plan.stages).makespan_s == 0


SPOT = Scenario(gpus=4, cpus=4, spot_mtbf_s=HOUR, checkpoint_s=600, startup_s=60)


def test_with_failures_nothing_is_lost_but_time() -> None:
    found = run(apart(20), SPOT, 2 * HOUR)
    assert found.failures > 0
    assert 0 < found.lost_s <= found.failures * SPOT.checkpoint_s
    assert found.gpu_hours == pytest.approx(40 + found.lost_s / HOUR)
    assert found.makespan_s > found.lower_bound_s == pytest.approx(10 * HOUR + 60)


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    plan = apart(20)
    assert run(plan, SPOT) == run(plan, SPOT)
    other = Scenario(gpus=4, cpus=4, spot_mtbf_s=HOUR, checkpoint_s=600, startup_s=60, seed=1)
    assert run(plan, other) != run(plan, SPOT)


def test_work_that_is_saved_all_the_time_is_never_lost() -> None:
    always = Scenario(gpus=1, cpus=1, spot_mtbf_s=HOUR, checkpoint_s=0)
    found = run(apart(5), always, 2 * HOUR)
    assert found.failures > 0
    assert found.lost_s == 0
    assert found.makespan_s == pytest.approx(10 * HOUR)  # nodes are back at once


def test_failures_cost_more_the_rarer_the_checkpoints() -> None:
    lost = [
        run(apart(50), Scenario(gpus=4, cpus=4, spot_mtbf_s=HOUR, checkpoint_s=each)).lost_s
        for each in (60, 600, 3600)
    ]
    assert lost == sorted(lost)
    assert lost[0] < lost[2]


def test_a_run_that_would_hardly_ever_end_is_refused() -> None:
    rare = Scenario(gpus=1, cpus=1, spot_mtbf_s=HOUR, checkpoint_s=100 * HOUR)
    with pytest.raises(UserError, match="works for 20 h without a checkpoint"):
        run(apart(1), rare, 20 * HOUR)


def test_what_fits_on_no_node_or_takes_unknown_time_is_refused() -> None:
    plan = apart(2)
    with pytest.raises(UserError, match="a work takes 1 GPUs and 1 cores, a node has 0 and 4"):
        run(plan, Scenario(cpus=4))
    with pytest.raises(UserError, match=r"how long 1 stages take is not known \(work\)"):
        simulate(plan, ONE_GPU, {"s0": 1.0}, Scenario(gpus=1, cpus=1))


def test_a_longer_training_waits_for_the_shorter_one_that_it_goes_on_from() -> None:
    plan = replace(apart(3), continues={"s0": "s1", "s1": "s2"})  # the longest comes first
    found = run(plan, Scenario(gpus=3, cpus=3))
    assert found.critical_path_s == found.makespan_s == pytest.approx(3 * HOUR)


def test_small_stages_fill_what_a_large_one_leaves_and_an_urgent_large_one_is_not_passed() -> None:
    """Four cores: 20 hours of small stages, and a large one that three hours of others wait for.

    It becomes ready after an hour, when small stages are at hand for five more; passed by all of
    them it would start after 6 hours, and the study take 9.
    """
    kinds = {"first": "small", "large": "large", "next": "small", "last": "small"}
    graph: dict[str, list[str]] = {
        "first": [],
        "large": ["first"],
        "next": ["large"],
        "last": ["next"],
    }
    small = [f"s{i}" for i in range(20)]
    plan = plan_of(graph | {key: [] for key in small}, dict.fromkeys(small, "small") | kinds)
    resources = {"small": Resources(1, 0.0), "large": Resources(4, 0.0)}
    found = simulate(plan, resources, dict.fromkeys(plan.stages, HOUR), Scenario(cpus=4))
    assert found.makespan_s == pytest.approx(8 * HOUR)
