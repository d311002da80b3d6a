"""Seeds: one for the whole chain, or one for each stage kind."""

from collections.abc import Callable

import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.problems import SpecError
from rotlab.planning.stage import Cell, Stage

MakePlan = Callable[[str], Plan]
AXES = "axes: {init: [rotation, scratch]}\n"


def seeds_of(plan: Plan, kind: str) -> list[int]:
    stages = [stage for stage in plan.stages.values() if stage.kind == kind]
    return [stage.config.seed for stage in stages]  # type: ignore[attr-defined]


def cells_of(plan: Plan, init: str) -> list[Cell]:
    return [cell for cell in plan.cells if cell.arm["init"] == init]


def network_behind(plan: Plan, cell: Cell) -> Stage:
    (found,) = [plan.stages[key] for key in cell.stages if plan.stages[key].kind == "pretrain"]
    return found


def test_one_pretraining_is_shared_by_all_seeds_of_fine_tuning(plan: MakePlan) -> None:
    made = plan(AXES + "replicates: {seed: {finetune: [0, 1, 2]}}\n")
    assert made.count_by_kind() == {"pretrain": 1, "finetune": 6, "evaluate": 6}
    assert seeds_of(made, "pretrain") == [0]
    assert [dict(cell.replicate) for cell in cells_of(made, "rotation")] == [
        {"seed": seed, "split": 1, "seed.pretrain": 0, "seed.finetune": seed} for seed in range(3)
    ]


def test_seeds_of_kinds_are_crossed(plan: MakePlan) -> None:
    made = plan(AXES + "replicates: {seed: {pretrain: [0, 1], finetune: [0, 1, 2]}}\n")
    rotation = cells_of(made, "rotation")
    assert len({cell.result for cell in rotation}) == 6
    assert sorted(seeds_of(made, "pretrain")) == [0, 1]
    for cell in rotation:
        network = network_behind(made, cell)
        assert network.config.seed == cell.replicate["seed.pretrain"]  # type: ignore[attr-defined]


def test_results_count_as_independent_by_the_first_kind_that_has_several_seeds(
    plan: MakePlan,
) -> None:
    made = plan(AXES + "replicates: {seed: {pretrain: [5, 6], finetune: [0, 1, 2]}}\n")
    assert [cell.replicate["seed"] for cell in cells_of(made, "rotation")] == [5, 5, 5, 6, 6, 6]
    assert [cell.replicate["seed"] for cell in cells_of(made, "scratch")] == [0, 1, 2]


def test_a_seed_that_no_stage_of_an_arm_draws_by_repeats_nothing(plan: MakePlan) -> None:
    made = plan(AXES + "replicates: {seed: {pretrain: [0, 1, 2]}}\n")
    assert len(cells_of(made, "rotation")) == 3
    (scratch,) = cells_of(made, "scratch")
    assert scratch.replicate == {"seed": 0, "split": 1, "seed.finetune": 0}


def test_equal_seeds_are_the_work_that_one_seed_for_the_chain_makes(plan: MakePlan) -> None:
    chain = plan(AXES + "replicates: {seed: [0, 1]}\n")
    crossed = plan(AXES + "replicates: {seed: {pretrain: [0, 1], finetune: [0, 1]}}\n")
    assert set(chain.stages) < set(crossed.stages)
    diagonal = [
        cell
        for cell in cells_of(crossed, "rotation")
        if cell.replicate["seed.pretrain"] == cell.replicate["seed.finetune"]
    ]
    assert [cell.stages for cell in diagonal] == [
        cell.stages for cell in cells_of(chain, "rotation")
    ]


def test_two_networks_of_one_modality_have_their_own_seeds_of_every_kind(plan: MakePlan) -> None:
    made = plan("modality: rgb+rgb\nreplicates: {seed: {pretrain: [3], finetune: [0, 1]}}\n")
    assert seeds_of(made, "pretrain") == [3, 1_000_003]
    assert seeds_of(made, "finetune") == [0, 1_000_000, 1, 1_000_001]
    with pytest.raises(SpecError, match=r"replicates\.seed: two networks of one modality"):
        plan("modality: rgb+rgb\nreplicates: {seed: {finetune: [0, 1000000]}}\n")


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        ("{}", "4 replicates.seed: names no stage kind"),
        ("{pretran: [0]}", "4 replicates.seed.pretran: unknown stage kind with a seed 'pretran'"),
        ("{evaluate: [0]}", "unknown stage kind with a seed 'evaluate'"),
        ("{pretrain: 3}", "4 replicates.seed.pretrain: must be a list"),
        ("{pretrain: [0, 0]}", "4 replicates.seed.pretrain: 0 stands there twice"),
        ("{pretrain: [-1]}", "must be at least 0 and less than 2147483648, got -1"),
    ],
)
def test_what_is_wrong_with_seeds_is_one_problem_with_its_line(
    plan: MakePlan, seed: str, expected: str
) -> None:
    with pytest.raises(SpecError) as caught:
        plan(f"replicates: {{seed: {seed}}}\n")
    (only,) = caught.value.problems
    assert expected in f"{only.line} {only.where}: {only.text}"
