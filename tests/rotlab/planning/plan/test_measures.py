"""What linear, retrieval and fusions of seeds take, and what each init is for them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.plan.weights import how_to_get
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.shape import SECOND_SEED
from rotlab.planning.stage import Stage
from rotnet.config import FinetuneConfig, PretrainConfig, ProbeConfig
from rotnet.errors import DataError

MakePlan = Callable[[str], Plan]
HEAD = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann, weights: r3d}\n"
FROZEN = "measure: [linear, retrieval]\n"


def stages_of(plan: Plan, kind: str) -> list[Stage]:
    return [stage for stage in plan.stages.values() if stage.kind == kind]


def roles_of(plan: Plan) -> set[tuple[str, tuple[str, ...]]]:
    found = plan.stages.values()
    return {(stage.kind, tuple(ref.role for ref in stage.data)) for stage in found}


def finetunings(plan: Plan) -> list[FinetuneConfig]:
    found = [stage.config for stage in stages_of(plan, "finetune")]
    return [config for config in found if isinstance(config, FinetuneConfig)]


def test_only_scoring_kinds_are_given_test_rows(plan: MakePlan) -> None:
    made = plan("measure: [finetune, linear, retrieval]\naxes: {init: [rotation, target]}\n")
    assert roles_of(made) == {
        ("pretrain", ("pretrain",)),
        ("finetune", ("train",)),
        ("evaluate", ("test",)),
        ("linear", ("train", "test")),
        ("retrieval", ("train", "test")),
    }


def test_three_measures_share_one_pretraining_and_score_by_themselves(plan: MakePlan) -> None:
    made = plan("measure: [finetune, linear, retrieval]\n")
    assert made.count_by_kind() == dict.fromkeys(
        ("pretrain", "finetune", "evaluate", "linear", "retrieval"), 1
    )
    (pretrain,) = stages_of(made, "pretrain")
    for cell in made.cells[1:]:
        assert made.stages[cell.result].kind == cell.measure
        assert made.stages[cell.result].inputs == {"init": pretrain.key}
        assert cell.stages == (pretrain.key, cell.result)


def test_frozen_features_of_scratch_and_of_the_random_network_are_one_arm(plan: MakePlan) -> None:
    made = plan(FROZEN + "axes: {init: [scratch, random-frozen]}\n")
    assert [dict(cell.arm) for cell in made.cells] == [{"init": "scratch"}] * 2
    assert made.count_by_kind() == {"linear": 1, "retrieval": 1}
    assert all(stage.inputs == {} for stage in made.stages.values())
    (collapsed,) = made.collapsed
    assert (collapsed.axes, collapsed.combinations, collapsed.arms) == (("init",), 4, 2)
    assert set(plan(FROZEN + "init: random-frozen\n").stages) == set(made.stages)


def test_a_random_network_that_is_fine_tuned_learns_with_its_head_only(plan: MakePlan) -> None:
    made = plan("init: random-frozen\naxes: {finetune.freeze: [0, 2]}\n")
    assert [config.finetune.freeze for config in finetunings(made)] == [5]
    assert dict(made.cells[0].arm) == {}
    by_hand = plan("init: scratch\nfinetune: {freeze: 5}\n")
    assert set(by_hand.stages) == set(made.stages)


def test_target_is_a_training_from_scratch_on_the_same_split_and_seed(plan: MakePlan) -> None:
    draws = "replicates: {seed: [3, 4], split: [1, 2]}\n"
    made = plan(FROZEN + "init: target\n" + draws)
    scratch = plan("init: scratch\n" + draws)
    assert {one.key for one in stages_of(made, "finetune")} == {
        one.key for one in stages_of(scratch, "finetune")
    }
    for probe in stages_of(made, "linear"):
        parent = made.stages[probe.inputs["init"]]
        assert isinstance(parent.config, FinetuneConfig)
        assert isinstance(probe.config, ProbeConfig)
        assert (parent.config.seed, parent.data[0].split) == (
            probe.config.seed,
            probe.data[1].split,
        )
    assert made.count_by_kind() == {"finetune": 4, "linear": 4, "retrieval": 4}


def test_what_one_measure_has_not_is_left_out_and_said(plan: MakePlan) -> None:
    made = plan(
        "measure: [finetune, retrieval]\n"
        "axes: {init: [rotation, target], modality: [rgb, fusion]}\n"
    )
    cells = [(cell.measure, *cell.arm.values()) for cell in made.cells]
    assert cells == [
        ("finetune", "rotation", "rgb"),
        ("finetune", "rotation", "fusion"),
        ("retrieval", "rotation", "rgb"),
        ("retrieval", "target", "rgb"),
    ]
    assert [(dict(one.arm), one.because.partition(":")[0]) for one in made.excluded] == [
        (
            {"init": "target"},
            "'finetune' has no networks whose init is target; it can be rotation, pace, scratch, "
            "random-frozen, supervised",
        ),
        ({"modality": "fusion"}, "'retrieval' cannot be fused"),
    ]
    with pytest.raises(SpecError, match="'retrieval' cannot be fused"):
        plan("measure: retrieval\nmodality: rgb+rgb\n")


def test_linear_scores_are_fused_like_others(plan: MakePlan) -> None:
    made = plan("measure: linear\nmodality: fusion\n")
    assert made.count_by_kind() == {"pretrain": 2, "linear": 2, "fuse": 1}
    (fuse,) = stages_of(made, "fuse")
    assert {made.stages[key].kind for key in fuse.inputs.values()} == {"linear"}


def test_supervised_starts_from_weights_that_have_a_role_of_their_own(plan: MakePlan) -> None:
    made = plan(
        HEAD + "measure: [finetune, linear, retrieval]\naxes: {init: [supervised, scratch]}\n"
    )
    assert "r3d" in made.absent
    for kind in ("finetune", "linear", "retrieval"):
        with_weights, without = stages_of(made, kind)
        assert with_weights.inputs == {}
        ref = with_weights.data[-1]
        assert (ref.name, ref.role, ref.split, ref.fingerprint) == (
            "r3d",
            "weights",
            None,
            "absent:r3d",
        )
        assert with_weights.data[:-1] == without.data
    assert how_to_get(made, "r3d", Path("data")) == "rotnet convert <checkpoint> data/r3d"
    assert how_to_get(made, "weizmann", Path("data")).startswith("rotnet prepare weizmann")
    assert "r3d" not in plan(HEAD).absent


def test_weights_are_known_by_their_content(tmp_path: Path) -> None:
    file, network = tmp_path / "space.yaml", tmp_path / "data" / "r3d" / "network.pt"
    file.write_text(HEAD + "init: supervised\n")
    network.parent.mkdir(parents=True)
    with pytest.raises(DataError, match=r"holds no network\.pt.*rotnet convert"):
        plan_file(file, tmp_path / "data")
    keys = []
    for content in (b"one", b"another"):
        network.write_bytes(content)
        planned = plan_file(file, tmp_path / "data")
        assert planned.plan.absent == ("weizmann",)
        assert planned.datasets["r3d"].folder == network.parent
        keys.append([stage.key for stage in stages_of(planned.plan, "finetune")])
    assert keys[0] != keys[1]
    moved = network.parent.rename(tmp_path / "data" / "elsewhere")
    file.write_text(file.read_text().replace("r3d", moved.name))
    again = plan_file(file, tmp_path / "data").plan
    assert [stage.key for stage in stages_of(again, "finetune")] == keys[1]


def test_weights_are_needed_by_supervised_and_are_no_data_set(plan: MakePlan) -> None:
    with pytest.raises(SpecError, match=r"data\.weights: is missing: init supervised"):
        plan("init: supervised\n")
    with pytest.raises(SpecError, match="'weizmann' is a data set here"):
        plan(HEAD.replace("r3d", "weizmann"))


def test_two_networks_of_one_modality_differ_in_their_seeds_only(plan: MakePlan) -> None:
    made = plan("axes: {modality: [rgb, rgb+rgb]}\nreplicates: {seed: [0, 1]}\n")
    assert made.count_by_kind() == {"pretrain": 4, "finetune": 4, "evaluate": 4, "fuse": 2}
    seeds = [config.seed for config in finetunings(made)]
    assert sorted(seeds) == [0, 1, SECOND_SEED, SECOND_SEED + 1]
    for seed, fuse in enumerate(stages_of(made, "fuse")):
        assert list(fuse.inputs) == ["rgb", "rgb-2"]
        networks = [made.stages[made.stages[key].inputs["network"]] for key in fuse.inputs.values()]
        assert [one.config.model_copy(update={"seed": 0}) for one in networks[:1]] == [
            one.config.model_copy(update={"seed": 0}) for one in networks[1:]
        ]
        starts = [made.stages[one.inputs["init"]].config for one in networks]
        drawn = [one.seed for one in starts if isinstance(one, PretrainConfig)]
        assert drawn == [seed, SECOND_SEED + seed]
    (first, second) = (
        [key for cell in made.cells if cell.replicate["seed"] == seed for key in cell.stages]
        for seed in (0, 1)
    )
    assert not set(first) & set(second)
    assert set(plan("modality: rgb+rgb\n").stages) < set(made.stages)


def test_a_second_seed_that_is_another_replicates_is_refused(plan: MakePlan) -> None:
    with pytest.raises(SpecError, match=r"line 5 replicates\.seed: .* 7 and 1000007, which is"):
        plan("modality: rgb+rgb\nreplicates: {seed: [7, 1000007]}\n")
    with pytest.raises(SpecError, match="which must be below"):
        plan("modality: dif+dif\nreplicates: {seed: [2147483647]}\n")
    assert plan("modality: fusion\nreplicates: {seed: [7, 1000007]}\n").cells


@pytest.mark.parametrize(
    ("tuning", "expected"),
    [
        ("{}", "so finetune.val_fraction must be greater than 0, got 0"),
        ("{final: train+val}", "so finetune.val_fraction must be greater than 0, got 0"),
    ],
)
def test_a_fitted_fusion_needs_held_out_videos(plan: MakePlan, tuning: str, expected: str) -> None:
    text = f"finetune: {tuning}\naxes: {{modality: [rgb, fusion], finetune.lr: [0.1, 0.2]}}\n"
    with pytest.raises(SpecError) as caught:
        plan(f"{text}fuse: {{rule: fitted}}\n")
    (problem,) = caught.value.problems
    assert expected in problem.text
    assert (problem.where, problem.line) == ("fuse.rule", 6)
    assert plan(f"{text}fuse: {{rule: mean_logits}}\n").cells
    assert plan(f"measure: linear\n{text}fuse: {{rule: fitted}}\n").cells
    with pytest.raises(SpecError, match=r"axes\.fuse\.rule"):
        plan(text.replace("finetune.lr: [0.1, 0.2]", "fuse.rule: [mean_softmax, fitted]"))


def test_a_fitted_fusion_of_networks_that_held_videos_out_is_planned(plan: MakePlan) -> None:
    assert plan("finetune: {val_fraction: 0.2}\nmodality: fusion\nfuse: {rule: fitted}\n").cells


@pytest.mark.parametrize(
    ("axis", "values", "changed"),
    [
        ("data.pretrain_fraction", "[0.1, 0.5, 1.0]", ("pretrain", "finetune")),
        ("pretrain.epochs", "[2, 3, 4]", ("pretrain", "finetune")),
        ("model.backbone", "[resnet3d, r3d_18, c3d]", ("pretrain", "finetune")),
        ("model.depth", "[18, 34, 50]", ("pretrain", "finetune")),
        ("pretext.target", "[softmax, sincos, scalar]", ("pretrain", "finetune")),
        ("pretext.path", "[exact, resampled]", ("pretrain", "finetune")),
        ("finetune.freeze", "[0, 1, 5]", ("finetune",)),
        ("finetune.shots", "[5, 10, null]", ("finetune",)),
        ("evaluate.crops", "[1, 3]", ()),
    ],
)
def test_any_setting_is_an_axis_and_makes_new_only_what_reads_it(
    plan: MakePlan, axis: str, values: str, changed: tuple[str, ...]
) -> None:
    model = "model: {width: 64}\n"  # the width that every backbone has
    made = plan(f"{model}axes: {{{axis}: {values}}}\n")
    arms = len(made.cells)
    assert arms == len(values.split(","))
    for kind in ("pretrain", "finetune", "evaluate"):
        several = kind in changed or kind == "evaluate"
        assert len(stages_of(made, kind)) == (arms if several else 1)


def test_a_fixed_share_of_the_pool_is_pretrainings_alone(plan: MakePlan) -> None:
    def with_data(more: str) -> Plan:
        return plan(f"name: a\nbase: tiny\ndata: {{pretrain: hockey, target: weizmann{more}}}\n")

    whole, half = with_data(""), with_data(", pretrain_fraction: 0.5")
    assert set(with_data(", pretrain_fraction: 1.0").stages) == set(whole.stages)
    (pretrain,) = stages_of(half, "pretrain")
    assert isinstance(pretrain.config, PretrainConfig)
    assert pretrain.config.data.pretrain_fraction == 0.5
    assert not set(half.stages) & set(whole.stages)
    with pytest.raises(SpecError, match=r"data\.pretrain_fraction: must be at most 1"):
        with_data(", pretrain_fraction: 2.0")
    with pytest.raises(SpecError, match="did you mean 'weights'"):
        with_data(", wieghts: r3d")
