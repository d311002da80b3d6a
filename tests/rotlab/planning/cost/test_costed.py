"""What search spaces cost: sums, what sharing saves, what dropping a value saves."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.planning.cost.bill import Bill
from rotlab.planning.cost.bill_outline import bill_json, bill_lines
from rotlab.planning.cost.cost import Timed
from rotlab.planning.cost.costed import Costed, cost
from rotlab.planning.cost.prices import Prices
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.planned import Planned, plan_file
from rotlab.planning.plan.planner import make_plan
from rotlab.planning.release.scenario import parse_scenario
from rotlab.planning.release.simulated import simulate_plan
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import Stage
from rotnet.errors import UserError

SPACES = Path(__file__).parents[4] / "search_spaces"
HEAD = "name: trial\nbase: tiny\ndata: {pretrain: demo-pool, target: demo}\n"
EUROS = Prices("EUR", None, {"A100": 2.0})
Make = Callable[[str], Planned]


@pytest.fixture
def planned(tmp_path: Path) -> Make:
    def make(text: str) -> Planned:
        path = tmp_path / "space.yaml"
        path.write_text(text if text.startswith("name:") else HEAD + text)
        return plan_file(path, tmp_path / "none")

    return make


def costed(
    planned: Planned,
    done: tuple[str, ...] = (),
    prices: Prices | None = None,
    device: str | None = None,
    timed: tuple[Timed, ...] = (),
) -> Costed:
    return cost(planned, done, timed, prices or Prices(), device)


def ratio(bill: Bill, kind: str | None = None) -> float:
    one = bill.total if kind is None else bill.kinds[kind]
    return one.unshared.gpu_hours / one.planned.gpu_hours


@pytest.mark.parametrize("base", ["paper", "ctp", "vcop"])
def test_the_papers_study_takes_a_twelfth_of_the_pretraining_hours(
    planned: Make, base: str
) -> None:
    text = (SPACES / "paper.yaml").read_text().replace("base: paper ", f"base: {base} ")
    found = planned(text)
    assert found.spec.base == base
    bill = costed(found).bill
    assert ratio(bill, "pretrain") == pytest.approx(12)
    assert ratio(bill, "finetune") == ratio(bill, "evaluate") == pytest.approx(2)
    assert bill.kinds["pretrain"].planned.stages * 12 == bill.kinds["pretrain"].unshared.stages
    assert 2 < ratio(bill) < 12
    assert not bill.total.planned.unknown


def test_sums_add_up(planned: Make) -> None:
    found = planned("axes: {init: [rotation, scratch], modality: [rgb, dif, fusion]}\n")
    bill = costed(found).bill
    assert bill.total.planned.stages == len(found.plan.stages)
    assert bill.total.unshared.stages == sum(found.plan.stages_unshared.values())
    hours = sum(one.planned.cpu_hours for one in bill.kinds.values())
    assert bill.total.planned.cpu_hours == pytest.approx(hours)
    assert bill.total.planned == bill.total.missing


def test_what_the_store_has_is_not_missing(planned: Make) -> None:
    found = planned("axes: {modality: [rgb, dif]}\n")
    (first, *_) = found.plan.stages_by_kind()["pretrain"]
    bill = costed(found, (first,)).bill
    one = bill.kinds["pretrain"]
    assert one.missing.cpu_hours == pytest.approx(one.planned.cpu_hours / 2)
    assert bill.bytes_missing < bill.bytes_planned


def test_dropping_a_value_saves_what_only_it_needs(planned: Make) -> None:
    """The saving told is the difference of two plans: with the value, and without it."""
    axes = "axes: {init: [rotation, scratch], pretext.rotations: [2, 4], modality: [rgb, fusion]}\n"
    whole = costed(planned(axes)).bill
    saved = {(one.axis, one.value): one.saved.cpu_hours for one in whole.values}
    for axis, value, rest in (
        ("init", "scratch", axes.replace("[rotation, scratch]", "[rotation]")),
        ("pretext.rotations", 2, axes.replace("[2, 4]", "[4]")),
        ("pretext.rotations", 4, axes.replace("[2, 4]", "[2]")),
        ("modality", "fusion", axes.replace("[rgb, fusion]", "[rgb]")),
    ):
        less = costed(planned(rest)).bill
        difference = whole.total.planned.cpu_hours - less.total.planned.cpu_hours
        assert saved[axis, value] == pytest.approx(difference)
    assert saved["modality", "rgb"] == pytest.approx(0)  # a fusion needs it as well
    assert [one.saved.cpu_hours for one in whole.values] == sorted(saved.values(), reverse=True)


def test_no_money_is_told_without_prices(planned: Make) -> None:
    found = planned("")
    free = costed(found, device="A100")
    assert "price" not in "\n".join(bill_lines(free))
    assert bill_json(free)["total"]["planned"]["money"] is None
    priced = costed(found, device="A100", prices=EUROS)
    hours = priced.bill.total.planned.gpu_hours
    assert priced.bill.total.planned.money == pytest.approx(2 * hours)
    assert "EUR" in "\n".join(bill_lines(priced))


def test_the_device_is_as_given_or_of_the_prices_or_the_records_or_the_recipe(
    planned: Make,
) -> None:
    found = planned("")
    key, stage = next(iter(found.plan.stages.items()))
    ran = (Timed(stage, 5.0, "Tesla T4"),)
    names = Prices("EUR", "V100", {})

    def chosen(prices: Prices | None, device: str | None, timed: tuple[Timed, ...]) -> str:
        one = costed(found, prices=prices, device=device, timed=timed)
        assert one.assumed[0].startswith(f"device: {one.bill.machine.device.name}, ")
        return one.bill.machine.device.name

    assert key in found.plan.stages
    assert chosen(names, "L4", ran) == "L4"
    assert chosen(names, None, ran) == "V100"
    assert chosen(None, None, ran) == "T4"
    assert chosen(None, None, (Timed(stage, 5.0, "AMD MI300X"),)) == "AMD MI300X"
    assert chosen(None, None, ()) == "cpu"
    assert costed(planned(HEAD.replace("tiny", "paper"))).bill.machine.device.name == "A100"


def test_every_kind_says_where_its_hours_come_from(planned: Make) -> None:
    found = planned("axes: {finetune.epochs: [10, 20]}\n")
    short, long = found.plan.stages_by_kind()["finetune"]
    ran = Timed(found.plan.stages[short], 60.0, "cpu")
    one = costed(found, (short,), timed=(ran,))
    assert one.bill.kinds["finetune"].sources == {"its own record": 1, "1 like stage that ran": 1}
    assert one.estimates[long].seconds == pytest.approx(120)
    lines = bill_lines(one)
    assert "  finetune  1 stage: its own record; 1 stage: 1 like stage that ran" in lines
    assert any(
        line.startswith("  evaluate  2 stages: FLOPs over 40 GFLOP/s of cpu") for line in lines
    )


def test_unknown_hours_are_marked_and_not_added(planned: Make) -> None:
    found = planned("name: a\nbase: tiny\ndata: {pretrain: mine, target: demo}\n")
    one = costed(found)
    assert one.bill.kinds["pretrain"].planned.unknown == 1
    text = "\n".join(bill_lines(one))
    assert "1 stage: how many videos mine has is not known; prepare it" in text
    (row,) = [line.split() for line in text.splitlines() if "unknown" in line]
    assert row[:2] == ["pretrain", "unknown"]
    (total,) = [line.split() for line in text.splitlines() if line.startswith("  total")]
    assert total[1].endswith("+")


def test_the_json_holds_plain_values(planned: Make) -> None:
    one = costed(planned("axes: {pretext.rotations: [2, {angles: [90, 270]}]}\n"), prices=EUROS)
    assert json.loads(json.dumps(bill_json(one))) == bill_json(one)


def test_a_simulation_is_of_what_is_missing_on_the_device_that_was_reckoned_with(
    planned: Make,
) -> None:
    found = planned("axes: {init: [rotation, scratch]}\n")
    one = costed(found)
    simulated = simulate_plan(found, one, (), parse_scenario("cpus=1"))
    hours = one.bill.total.planned.cpu_hours
    assert simulated.outcome.makespan_s == pytest.approx(hours * 3600)
    assert json.dumps(simulated.json())
    assert simulated.lines()[0] == "simulated on 1 core, 1 node: 5 missing stages"
    nothing = simulate_plan(found, one, tuple(found.plan.stages), parse_scenario("cpus=1"))
    assert nothing.outcome.stages == 0
    with pytest.raises(UserError, match="times are reckoned for cpu, and the cluster has 2 GPUs"):
        simulate_plan(found, one, (), parse_scenario("gpus=2"))


def test_a_simulation_names_its_price(planned: Make) -> None:
    found = planned("")
    one = costed(found, device="A100", prices=EUROS)
    simulated = simulate_plan(found, one, (), parse_scenario("gpus=3"))
    held = 3 * simulated.outcome.makespan_s / 3600
    assert simulated.json()["money"] == pytest.approx(2 * held)


def test_the_plan_is_the_union_of_what_its_cells_need_one_by_one(tmp_path: Path) -> None:
    """A brute-force merge: plan each cell by itself, and unite the stages by key."""
    whole = plan_file(SPACES / "paper.yaml", tmp_path)
    united: dict[str, Stage] = {}
    count = 0
    path = tmp_path / "one.yaml"
    for cell in whole.plan.cells:
        drawn = {name: [value] for name, value in cell.replicate.items()}
        alone = {
            "name": "paper",
            "data": {"pretrain": "kinetics400", "target": cell.target},
            "axes": {axis: [value] for axis, value in cell.arm.items()},
            "replicates": drawn,
        }
        path.write_text(json.dumps(alone))
        plan = make_plan(load_spec(path, whole.kinds), whole.kinds, whole.datasets)
        assert [one.result for one in plan.cells] == [cell.result]
        count += len(plan.stages)
        united.update(plan.stages)
    assert united == dict(whole.plan.stages)
    assert count == sum(whole.plan.stages_unshared.values())


def test_what_searches_try_is_reckoned_with_their_arms(planned: Make) -> None:
    text = (
        "finetune: {val_fraction: 0.25, final: train+val}\n"
        "axes: {init: [rotation, scratch]}\n"
        "search: {settings: {finetune.lr: {low: 0.01, high: 1}}, proposals: 4, per: arm}\n"
    )
    found = planned(text).imagined(Decisions())
    bill = costed(found).bill
    assert found.plan.count_by_kind() == {"pretrain": 1, "finetune": 10, "evaluate": 2}
    assert bill.kinds["finetune"].unshared.stages == 10
    assert bill.kinds["pretrain"].unshared.stages == 5  # of the cell, and of each proposal
    saved = {one.value: one.saved.stages for one in bill.values}
    assert saved == {"rotation": 1 + 5 + 1, "scratch": 5 + 1}
