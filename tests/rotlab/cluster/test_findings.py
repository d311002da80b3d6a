"""What surveys mean: verdicts, and ways out."""

from dataclasses import replace

import pytest

from rotlab.cluster.findings import Clock, Finding, exit_status, judge, judge_node
from rotlab.cluster.survey import Room, Survey

GB = 10**9
VERSIONS = {"python": "3.11.7", "ray": "2.60.0", "torch": "2.15.0", "mlflow": "3", "rotlab": "1"}
ROOMS = {"cache": Room("/cache", 500 * GB), "temporary": Room("/tmp", 50 * GB)}  # noqa: S108
SOUND = Survey("a", VERSIONS, "c1", 8, (13, 1), (13, 0), ROOMS, None)
EXACT = Clock(0.001, 0.002)


def of(node: Survey, what: str, clock: Clock = EXACT) -> Finding:
    found = [one for one in judge_node(node, SOUND, clock, "node b") if one.what == what]
    assert len(found) == 1, found
    return found[0]


def test_a_sound_cluster_is_ok_throughout() -> None:
    findings = [*judge(SOUND), *judge_node(SOUND, SOUND, EXACT, "node b")]
    assert {finding.verdict for finding in findings} == {"ok"}
    assert exit_status(findings) == 0


def test_a_node_of_another_torch_is_bad_and_of_another_numpy_worth_a_thought() -> None:
    found = of(replace(SOUND, versions={**VERSIONS, "torch": "2.14.0"}), "versions")
    assert found.verdict == "bad"
    assert "torch 2.14.0, but the driver has 2.15.0; run the driver and the nodes" in found.text
    assert exit_status([found]) == 1
    found = of(replace(SOUND, versions={**VERSIONS, "numpy": "1"}), "versions")
    assert (found.verdict, exit_status([found])) == ("warn", 0)
    assert of(replace(SOUND, commit="c2"), "code").verdict == "warn"


def test_a_driver_without_mlflow_is_told_what_to_install() -> None:
    lacking = replace(SOUND, versions={"python": "3", "ray": "2", "torch": "2"})
    found = next(iter(judge(lacking)))
    assert found.verdict == "bad"
    assert "install rotlab[platform], mlflow is missing" in found.text


@pytest.mark.parametrize(
    ("changed", "verdict", "text"),
    [
        (
            {"driver": (12, 8)},
            "bad",
            "torch needs CUDA 13.0, and the driver knows no newer",
        ),
        ({"driver": (13, 0), "cuda": (13, 2)}, "ok", "CUDA 13.2"),  # minor versions get along
        ({"driver": None}, "bad", "no driver's library"),
        ({"cuda": None}, "bad", "torch is built for cores only"),
        ({"gpus": 0, "driver": None}, "ok", "none"),
    ],
)
def test_gpus_need_a_driver_that_knows_torchs_cuda(
    changed: dict[str, object], verdict: str, text: str
) -> None:
    found = of(replace(SOUND, **changed), "GPUs")  # type: ignore[arg-type]  # of several fields
    assert found.verdict == verdict
    assert text in found.text


@pytest.mark.parametrize(
    ("free", "verdict"), [(0.5 * GB, "bad"), (5 * GB, "warn"), (50 * GB, "ok")]
)
def test_a_full_disk_is_found(free: float, verdict: str) -> None:
    rooms = {"cache": Room("/cache", int(free))}
    assert of(replace(SOUND, rooms=rooms), "cache disk").verdict == verdict


@pytest.mark.parametrize(
    ("clock", "verdict"),
    [
        (Clock(-1.0, 0.01), "ok"),
        (Clock(-5.0, 0.01), "warn"),
        (Clock(-5.0, 4.0), "ok"),  # the question took so long that nothing is known
        (Clock(3600.0, 0.01), "bad"),
    ],
)
def test_a_clock_that_is_surely_off_is_found(clock: Clock, verdict: str) -> None:
    assert of(SOUND, "clock", clock).verdict == verdict


def test_a_store_that_is_not_shared_is_bad() -> None:
    found = of(replace(SOUND, store="/x is not the folder"), "store")
    assert (found.verdict, found.text) == ("bad", "/x is not the folder")
