"""Clusters as an option names them."""

import pytest

from rotlab.execution.conduct.capacity import Capacity
from rotlab.planning.release.scenario import Scenario, duration, parse_scenario
from rotnet.errors import UserError


def test_a_cluster_is_read_with_its_units() -> None:
    text = "gpus=64 spot_mtbf=6h checkpoint=1.5m, startup=30s gpus_per_node=8 seed=3 "
    text += "worker=8s overhead=0.5s"
    assert parse_scenario(text) == Scenario(
        gpus=64,
        cpus=512,
        gpus_per_node=8,
        spot_mtbf_s=21600,
        checkpoint_s=90,
        startup_s=30,
        worker_s=8,
        overhead_s=0.5,
        seed=3,
    )
    assert parse_scenario("cpus=2") == Scenario(cpus=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs gpus or cpus; it may have gpus, cpus,"),
        ("gpus=0", "needs gpus or cpus"),
        ("gpu=4", r"unknown option 'gpu'; did you mean 'gpus'\? \(gpus, cpus,"),
        ("gpus", "gpus needs a value, such as gpus=64"),
        ("gpus=4 gpus=5", "gpus stands there twice"),
        ("gpus=four", "gpus=four: must be a whole number, such as 64"),
        ("gpus=4 spot_mtbf=6", "spot_mtbf=6: must be a time above 0 in s, m or h, such as 6h"),
        ("gpus=4 spot_mtbf=0h", "must be a time above 0"),
        ("gpus=4 startup=3d", "startup=3d: must be a time in s, m or h, such as 3m"),
        ("gpus=4 gpus_per_node=0", "must be a whole number above 0"),
    ],
)
def test_what_is_not_understood_is_one_line_with_what_is(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        parse_scenario(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("gpus", [1, 7, 64])
def test_as_many_stages_wait_as_in_a_run(gpus: int) -> None:
    scenario = parse_scenario(f"gpus={gpus}")
    assert scenario.margin == Capacity(scenario.cpus, scenario.gpus).margin


def test_times_are_told_in_the_largest_unit() -> None:
    assert [duration(each) for each in (5, 90, 5400, 7.2e6)] == ["5 s", "1.5 m", "1.5 h", "2,000 h"]
