"""Plans survive a trip through a file."""

import json
from collections.abc import Callable

import pytest

from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial import plan_from_json, plan_to_json, stage_from_json, stage_to_json
from rotnet.errors import UserError

TEXT = (
    "axes:\n"
    "  pretext.rotations: [2, 8, {angles: [90, 270]}]\n"
    "  modality: [rgb, fusion]\n"
    "  init: [rotation, scratch]\n"
    "exclude: [{when: {pretext.rotations: 2, modality: fusion}, because: enough}]\n"
)


def test_a_plan_comes_back_equal(plan: Callable[[str], Plan]) -> None:
    made = plan(TEXT)
    values = plan_to_json(made)
    read = json.loads(json.dumps(values))
    assert read == values
    assert plan_from_json(read, load_kinds()) == made


def test_what_came_later_stands_only_in_plans_that_have_it(plan: Callable[[str], Plan]) -> None:
    made = plan(
        "axes: {init: [rotation, scratch], clip.frames: [4, 8]}\n"
        "ablate: {init: rotation, clip.frames: 8}\n"
        "overrides: [{when: {init: scratch}, set: {finetune.epochs: 99}, because: as long}]\n"
        "replicates: {seed: {finetune: [0, 1]}}\n"
    )
    values = plan_to_json(made)
    read = json.loads(json.dumps(values))
    assert read == values
    assert plan_from_json(read, load_kinds()) == made
    without = plan_to_json(plan(TEXT))
    assert not {"baseline", "overridden"} & set(without)
    assert not any("overrides" in cell for cell in without["cells"])


def test_a_stage_comes_back_equal(plan: Callable[[str], Plan]) -> None:
    for stage in plan(TEXT).stages.values():
        assert stage_from_json(json.loads(json.dumps(stage_to_json(stage))), load_kinds()) == stage


def test_what_cannot_be_read_back_says_what_to_do(plan: Callable[[str], Plan]) -> None:
    values = plan_to_json(plan(""))
    kinds = load_kinds()
    with pytest.raises(UserError, match="unknown stage kind 'pretrain'"):
        plan_from_json(values, {name: kinds[name] for name in ("evaluate", "finetune")})
    with pytest.raises(UserError, match="has format 99"):
        plan_from_json({**values, "format": 99}, kinds)
    values["stages"][0]["config"]["clip"]["colour"] = "red"
    with pytest.raises(UserError, match="planned by another version of rotlab"):
        plan_from_json(values, kinds)
