"""A fitted fusion of networks that learn from all videos is fitted on others that do not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rotlab.planning.cost.cost import Machine, estimate
from rotlab.planning.cost.devices import Device
from rotlab.planning.cost.sizes import Sizes
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.decisions import Decisions, Winner
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import find_all
from rotlab.planning.plan.planner import Planner, make_plan
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import Stage
from rotnet.config import FinetuneConfig
from tests.rotlab.planning.asking import MakePlan
from tests.rotlab.planning.conftest import HEAD

ALL = "finetune: {final: train+val, val_fraction: 0.2}\n"
FITTED = "fuse: {rule: fitted}\n"


def fusions(plan: Plan) -> list[Stage]:
    return [stage for stage in plan.stages.values() if stage.kind == "fuse"]


def count(plan: Plan, kind: str) -> int:
    return plan.count_by_kind().get(kind, 0)


@pytest.mark.parametrize("modality", ["fusion", "rgb+rgb"])
@pytest.mark.parametrize("init", ["rotation", "scratch", "random-frozen"])
def test_each_member_has_one_like_it_that_holds_videos_out(
    plan: MakePlan, modality: str, init: str
) -> None:
    made = plan(f"{ALL}{FITTED}modality: {modality}\ninit: {init}\nreplicates: {{seed: [0, 1]}}\n")
    assert count(made, "finetune") == 2 * count(made, "evaluate") == 8
    for fusion in fusions(made):
        members = [name for name in fusion.inputs if not name.endswith("-held-out")]
        assert {*fusion.inputs} == {*members, *(f"{name}-held-out" for name in members)}
        for name in members:
            final = made.stages[made.stages[fusion.inputs[name]].inputs["network"]]
            other = made.stages[fusion.inputs[f"{name}-held-out"]]
            assert isinstance(final.config, FinetuneConfig)
            assert isinstance(other.config, FinetuneConfig)
            tuning = final.config.finetune.model_copy(update={"final": "train"})
            assert other.config == final.config.model_copy(update={"finetune": tuning})
            assert final.config.finetune.final == "train+val"
            assert (other.inputs, other.data) == (final.inputs, final.data)
            assert not any(ref.role == "test" for ref in other.data)
    for cell in made.cells:
        assert {*made.stages[cell.result].inputs.values()} < {*cell.stages}
        assert list(cell.stages).index(cell.result) == len(cell.stages) - 1


@pytest.mark.parametrize(
    "text",
    [
        f"finetune: {{val_fraction: 0.2}}\n{FITTED}modality: fusion\n",
        f"{ALL}modality: fusion\n",
        f"{ALL}fuse: {{rule: mean_logits}}\nmodality: rgb+rgb\n",
        f"measure: linear\n{ALL}{FITTED}modality: fusion\n",
    ],
)
def test_nothing_is_added_where_members_hold_videos_out_or_none_is_fitted(
    plan: MakePlan, text: str
) -> None:
    (fusion,) = fusions(plan(text))
    assert not any(name.endswith("-held-out") for name in fusion.inputs)


@pytest.mark.parametrize("finals", ["[train, train+val]", "[train+val, train]"])
def test_what_holds_videos_out_anyway_is_the_same_stage(plan: MakePlan, finals: str) -> None:
    """So it is whatever the fraction, which a network that learns from all does not read."""
    axes = f"axes: {{modality: [rgb, fusion], finetune.final: {finals}}}\n"
    fraction = "finetune: {val_fraction: 0.2}\n"
    fitted, plain = plan(f"{fraction}{FITTED}{axes}"), plan(f"{fraction}{axes}")
    assert count(fitted, "finetune") == count(plain, "finetune") == 4
    assert {*plain.stages} - {stage.key for stage in fusions(plain)} < {*fitted.stages}
    assert fitted.stages_unshared["finetune"] == plain.stages_unshared["finetune"] + 2


@pytest.mark.parametrize("order", ["[0.0, 0.2]", "[0.2, 0.0]"])
def test_final_networks_may_be_shared_with_one_that_never_held_out(
    plan: MakePlan, order: str
) -> None:
    """With `final: train+val`, a network is that of val_fraction 0: whichever came first."""
    axes = f"axes: {{modality: [rgb, fusion], finetune.val_fraction: {order}}}\n"
    without = "exclude: [{when: {modality: fusion, finetune.val_fraction: 0.0}, because: none}]\n"
    final = "finetune: {final: train+val}\n"
    (fusion,) = fusions(made := plan(f"{final}{FITTED}{axes}{without}"))
    assert count(made, "finetune") == 4
    assert {"rgb-held-out", "dif-held-out"} < {*fusion.inputs}


def test_winners_of_a_search_are_fitted_on_what_they_were_judged_on(
    read: Callable[[str], Spec], tmp_path: Path
) -> None:
    search = "search: {settings: {finetune.lr: {low: 0.01, high: 0.1}}, proposals: 1}\n"
    spec = read(f"{HEAD}{ALL}{FITTED}modality: fusion\n{search}")
    one = Planner(spec, load_kinds(), find_all(spec, tmp_path / "none"))
    winners = {
        key: Winner(key, 1, {"finetune.lr": 0.02 if tuning.modality == "rgb" else 0.03}, 1.0, {})
        for key, tuning in one.tunings.items()
    }
    made = one.plan(Decisions({}, winners))
    (fusion,) = fusions(made)
    rates: dict[str, Any] = {
        name: made.stages[key].config.model_dump()["finetune"]["lr"]
        for name, key in fusion.inputs.items()
        if name.endswith("-held-out")
    }
    assert rates == {"rgb-held-out": 0.02, "dif-held-out": 0.03}


def test_the_plan_says_what_is_made_for_fitting(
    outlined: Callable[[str], tuple[str, dict[str, Any]]],
) -> None:
    text, values = outlined(f"{ALL}{FITTED}axes: {{modality: [rgb, fusion]}}\n")
    assert "fitted: 2 of 4 finetune stages hold videos out, to weigh 1 fusion of" in text
    assert values["stages"]["finetune"] == 4
    assert "fitted:" not in outlined(f"{ALL}axes: {{modality: [rgb, fusion]}}\n")[0]


@pytest.mark.parametrize("modality", ["fusion", "rgb+rgb", "dif+dif"])
def test_a_fusion_is_as_large_whatever_it_is_fitted_on(
    read: Callable[[str], Spec], tmp_path: Path, modality: str
) -> None:
    sizes = set()
    for tuning in (ALL, "finetune: {val_fraction: 0.2}\n"):
        spec, kinds = read(f"{HEAD}{tuning}{FITTED}modality: {modality}\n"), load_kinds()
        datasets = find_all(spec, tmp_path / "none")
        made = make_plan(spec, kinds, datasets)
        cpu = Device("cpu", {"fp32": 1e11}, "made up")
        found = estimate(made, kinds, Sizes(datasets), Machine(cpu, cpu, {}), [])
        sizes |= {found[fusion.key].result_bytes for fusion in fusions(made)}
    assert len(sizes) == 1
    assert sizes != {0}
