"""Where a stage's time comes from: records before arithmetic, and always said."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import BaseModel, ConfigDict

from rotlab.planning.cost.cost import Estimate, Machine, Timed, estimate, seconds_of
from rotlab.planning.cost.devices import CPU, DEVICES, Device
from rotlab.planning.cost.sizes import Sizes
from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import DataRef, Resources, Role, Stage, StageKind
from rotlab.planning.work import Size, Work


class Settings(BaseModel):
    """Of a made-up kind."""

    model_config = ConfigDict(frozen=True)

    epochs: int = 1
    width: int = 1
    seed: int = 0


def work(config: Settings, sizes: Mapping[Role, Size], behind: object) -> Work:
    del behind
    return Work(1e12 * config.epochs * sizes["train"].videos, like=config.width, result_bytes=5)


KIND = StageKind("work", Settings, 1, "none:none", roles=("train",), cost=work)
BLIND = replace(KIND, name="blind", cost=None)
LOST = replace(KIND, name="lost", cost=lambda *_: None)
SLEEP = replace(KIND, name="sleep", cost=lambda *_: Work(30, "second"))
ON_CORES = replace(KIND, name="on-cores", resources=Resources(cpus=2, gpus=0.0))
KINDS = {kind.name: kind for kind in (KIND, BLIND, LOST, SLEEP, ON_CORES)}
UCF = DataRef("ucf101", "train", 1, "absent:ucf101")
SIZES = Sizes({"ucf101": DatasetInfo("ucf101", None, None, "absent:ucf101", 3, 101)})
GPU = Device("A100", {"fp32": 1e13}, "made up")
MACHINE = Machine(GPU, Device(CPU, {"fp32": 1e11}, "made up"), {})
SECONDS = 9537 * 1e12 / 1e13  # of one epoch


def stage(key: str, kind: str = "work", data: tuple[DataRef, ...] = (UCF,), **values: int) -> Stage:
    return Stage(key, kind, Settings(**values), {}, data)


def estimated(one: Stage, timed: list[Timed] | None = None, machine: Machine = MACHINE) -> Estimate:
    plan = Plan("p", "", (), (), {one.key: one})
    return estimate(plan, KINDS, SIZES, machine, timed or [])[one.key]


def test_without_records_a_stage_takes_its_flops_over_the_devices_rate() -> None:
    found = estimated(stage("a"))
    assert found.seconds == pytest.approx(SECONDS)
    assert found.why == "FLOPs over 10 TFLOP/s of A100 in fp32"
    assert found.result_bytes == 5
    assert estimated(stage("a", epochs=7)).seconds == pytest.approx(7 * SECONDS)


def test_records_of_like_stages_come_before_flops_scaled_by_work() -> None:
    ran = [Timed(stage("b", epochs=2, seed=5), 100.0, "NVIDIA A100-SXM4-80GB")]
    found = estimated(stage("a", epochs=6), ran)
    assert (found.seconds, found.source, found.why) == (300.0, "like", "1 like stage that ran")
    ran.append(Timed(stage("c", epochs=2), 200.0, "NVIDIA A100-SXM4-80GB"))
    found = estimated(stage("a", epochs=6), ran)
    assert (found.seconds, found.why) == (450.0, "2 like stages that ran")


def test_a_stage_that_ran_takes_what_it_took() -> None:
    ran = [Timed(stage("a"), 7.0, "A100"), Timed(stage("b"), 900.0, "A100")]
    found = estimated(stage("a"), ran)
    assert (found.seconds, found.source, found.why) == (7.0, "record", "its own record")


def test_unlike_stages_and_other_devices_tell_nothing() -> None:
    plain = estimated(stage("a"))
    assert estimated(stage("a"), [Timed(stage("b", width=2), 1.0, "A100")]) == plain
    assert estimated(stage("a"), [Timed(stage("b"), 1.0, "cpu")]) == plain
    assert estimated(stage("a"), [Timed(stage("b"), 1.0, "NVIDIA A10")]) == plain
    assert estimated(stage("a"), [Timed(stage("b", data=()), 1.0, "A100")]) == plain


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (stage("a", "blind"), "the kind blind has no cost model"),
        (stage("a", "lost"), "not known to lost's cost model"),
        (stage("a", data=()), "which data it is given as train is not known"),
        (
            stage("a", data=(DataRef("mine", "train", 1, "absent:mine"),)),
            "how many videos mine has is not known; prepare it",
        ),
    ],
)
def test_what_is_not_known_is_said_to_be_unknown_and_is_not_nothing(one: Stage, why: str) -> None:
    found = estimated(one)
    assert (found.seconds, found.source, found.why) == (None, "unknown", why)
    assert seconds_of({"a": found}) == {}
    assert estimated(one, [Timed(one, 3.0, "A100")]).seconds == 3.0


def test_a_kind_may_know_its_time_itself() -> None:
    found = estimated(stage("a", "sleep"))
    assert (found.seconds, found.why) == (30.0, "its kind's own word")


def test_kinds_without_a_gpu_take_cores_and_shares_of_one_take_longer() -> None:
    assert estimated(stage("a", "on-cores")).seconds == pytest.approx(SECONDS * 100 / 2)
    half = Machine(GPU, MACHINE.core, {"work": Resources(1, 0.5)})
    assert estimated(stage("a"), machine=half).seconds == pytest.approx(2 * SECONDS)
    cpu = Machine(DEVICES[CPU], DEVICES[CPU], {"work": Resources(4)})
    found = estimated(stage("a"), machine=cpu)
    assert found.seconds == pytest.approx(9537 * 1e12 / (4 * DEVICES[CPU].flops["fp32"]))


def test_a_device_without_a_rate_is_not_guessed() -> None:
    unheard = Machine(Device("MI300"), MACHINE.core, {})
    assert estimated(stage("a"), machine=unheard).why == "no flops of MI300 for fp32"


def three_lengths(timed: list[Timed]) -> list[Estimate]:
    """Estimates of 1, 2 and 4 epochs of one training, each going on from the one before."""
    stages = {key: stage(key, epochs=n) for key, n in (("c", 4), ("a", 1), ("b", 2))}
    plan = Plan("p", "", (), (), stages, continues={"c": "b", "b": "a"})
    found = estimate(plan, KINDS, SIZES, MACHINE, timed)
    return [found[key] for key in "abc"]


def test_a_training_that_goes_on_from_a_shorter_one_takes_what_is_beyond_that() -> None:
    found = three_lengths([])
    assert [one.seconds for one in found] == pytest.approx([SECONDS, SECONDS, 2 * SECONDS])
    alone = [one.seconds_alone for one in found]
    assert alone == pytest.approx([SECONDS, 2 * SECONDS, 4 * SECONDS])
    assert found[2].why.endswith("of A100 in fp32, beyond the shorter one")


def test_the_record_of_one_that_went_on_holds_its_own_part_and_tells_nothing_of_others() -> None:
    went_on = Timed(stage("b", epochs=2), 7.0, "A100", continued="a")
    found = three_lengths([went_on])
    assert found[1].seconds == 7.0
    assert found[1].seconds_alone == pytest.approx(7.0 + SECONDS)
    assert (found[0].source, found[2].source) == ("flops", "flops")
    assert found[2].seconds == pytest.approx(4 * SECONDS - (7.0 + SECONDS))
