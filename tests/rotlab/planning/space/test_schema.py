"""The JSON Schema of search spaces: what editors complete and check by."""

import json
from pathlib import Path
from typing import Any

import pytest

from rotlab.cli import main
from rotlab.planning.kinds import load_kinds
from rotlab.planning.space.include import INCLUDE
from rotlab.planning.space.schema import make_schema
from rotlab.planning.space.settings import vocabulary
from rotlab.planning.space.source import read_source
from rotlab.planning.space.spec import PLAIN_KEYS

jsonschema = pytest.importorskip("jsonschema", reason="the package jsonschema, which ray needs")
SPACES = Path(__file__).parents[4] / "search_spaces"
HEAD = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return make_schema(load_kinds())


def problems(schema: dict[str, Any], path: Path) -> list[str]:
    found = jsonschema.Draft202012Validator(schema).iter_errors(read_source(path).values)
    return [f"{one.json_path}: {one.message}" for one in found]


def test_it_is_a_schema_of_its_dialect_and_names_itself(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "rotlab search space"
    assert schema["description"]


def test_it_has_every_name_that_the_parser_has_and_describes_it(schema: dict[str, Any]) -> None:
    sections = vocabulary(load_kinds()).sections
    assert set(schema["properties"]) == {*PLAIN_KEYS, INCLUDE, *sections}
    assert all(one.get("description") for one in schema["properties"].values())
    for section, model in sections.items():
        fields = set(schema["properties"][section]["properties"])
        assert fields >= {
            name for name in model.model_fields if f"{section}.{name}" != "pretext.task"
        }
        assert all(
            schema["$defs"][f"{section}.{field}"].get("description")
            for field in model.model_fields
            if f"{section}.{field}" != "pretext.task"
        )


@pytest.mark.parametrize("name", sorted(path.stem for path in SPACES.glob("*.yaml")))
def test_every_shipped_file_is_valid(schema: dict[str, Any], name: str) -> None:
    assert problems(schema, SPACES / f"{name}.yaml") == []


def test_the_whole_language_is_valid(schema: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        HEAD + "include: [common.yaml]\n"
        "axes:\n"
        "  init: [rotation, scratch]\n"
        "  pretext.rotations: [2, {angles: [90, 270]}]\n"
        "  finetune.freeze: {values: [0, 2], when: {init: rotation}}\n"
        "  pretrain.lr: [{values: [0.1], when: {modality: [dif, rgb]}}, {values: [0.2]}]\n"
        "zip: [{clip.frames: [4, 8], clip.stride: [2, 1], when: {init: scratch}}]\n"
        "arms: [{init: scratch, finetune.shots: null}]\n"
        "ablate: {init: rotation}\n"
        "overrides: [{when: {init: scratch}, set: {finetune.epochs: 99}, because: as long}]\n"
        "exclude: [{when: {init: [scratch]}, because: no}]\n"
        "replicates: {seed: {pretrain: [0], finetune: [0, 1]}, split: [1, 2]}\n"
        "measure: [finetune, linear]\n"
        "resources: {finetune: {cpus: 2, gpus: 0.5}}\n"
        "budget: {gpu_hours: 1, cpu_hours: 2, money: 3.5, hours: 4}\n"
        "runtime: {workers: 3}\n"
    )
    assert problems(schema, path) == []


@pytest.mark.parametrize(
    "text",
    [
        "finetun: {epochs: 3}",
        "clip: {frame: 8}",
        "clip: {frames: 8.5}",
        "clip: {frames: 0}",
        "pretext: {rotations: 16}",
        "pretext: {task: pace}",
        "modality: rbg",
        "axes: {clip.frames: 8}",
        "axes: {clip.frames: []}",
        "axes: {seed: [1, 2]}",
        "axes: {runtime.workers: [1, 2]}",
        "axes: {clip.frames: {values: [4], if: {init: scratch}}}",
        "axes: {init: {values: [scratch], when: {modality: rgb}}}",
        "zip: [{clip.frames: [4, 8]}]",
        "zip: [{clip.frames: [4, 8], clip.stride: 1}]",
        "arms: [{clip.frames: [4, 8]}]",
        "arms: [{}]",
        "ablate: {}",
        "overrides: [{when: {init: scratch}, set: {init: rotation}, because: x}]",
        "overrides: [{when: {init: scratch}, set: {clip.frames: 4}}]",
        "exclude: [{because: x}]",
        "replicates: {seed: [1, 1]}",
        "replicates: {seed: {evaluate: [1]}}",
        "replicates: {split: [0]}",
        "measure: fuse",
        "resources: {pretrain: {cpus: 0}}",
        "budget: {gpu_hours: 0}",
        "budget: {wall_hours: 1}",
        "include: 3",
    ],
)
def test_what_the_parser_refuses_by_itself_is_invalid(
    schema: dict[str, Any], tmp_path: Path, text: str
) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(f"{HEAD}{text}\n")
    assert problems(schema, path)


def test_name_and_data_are_needed_unless_another_file_may_have_them(
    schema: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "space.yaml"
    for text, is_valid in [
        ("base: tiny\n", False),
        ("name: a\ndata: {pretrain: hockey}\n", False),
        ("include: common.yaml\n", True),
    ]:
        path.write_text(text)
        assert (problems(schema, path) == []) == is_valid


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str], schema: dict[str, Any]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema
