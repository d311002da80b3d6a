"""How stage kinds are found, and what is said of those that do not fit."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from pydantic import BaseModel, model_validator

from rotlab.planning.datasets import find_datasets
from rotlab.planning.kinds import (
    EVALUATE,
    FINETUNE,
    FUSE,
    LINEAR,
    PRETRAIN,
    RETRIEVAL,
    check_kinds,
    load_kinds,
)
from rotlab.planning.plan.planner import make_plan
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.settings import vocabulary
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import Input, Length, StageKind
from rotnet.errors import UserError
from rotnet.learning.length import beginning, undivided

OURS = (PRETRAIN, FINETUNE, EVALUATE, LINEAR, RETRIEVAL, FUSE)


class Nap(BaseModel):
    """Settings of a section."""

    seconds: float = 1.0


class NapConfig(BaseModel):
    """Settings of a kind that sleeps."""

    nap: Nap = Nap()


class LooseConfig(BaseModel):
    """A setting outside any section."""

    seconds: float = 1.0


class OtherClip(BaseModel):
    """Another idea of what a clip is."""

    clip: Nap = Nap()


class PickyConfig(BaseModel):
    """Settings of which some do not go together."""

    nap: Nap = Nap()
    seed: int = 0

    @model_validator(mode="after")
    def _long_naps_need_seed_0(self) -> Self:
        if self.nap.seconds > 1 and self.seed:
            raise ValueError(f"a long nap needs seed 0, got {self.seed}")
        return self


SLEEP = StageKind("sleep", NapConfig, 1, "somewhere:sleep")

Register = Callable[[str, str], None]


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Return what installs a package with these entry points and this module."""

    def install(points: str, module: str) -> None:
        info = tmp_path / "others_kinds-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others-kinds\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[rotlab.stage_kinds]\n{points}\n")
        (tmp_path / "others_kinds.py").write_text(module)
        monkeypatch.syspath_prepend(tmp_path)

    monkeypatch.delitem(sys.modules, "others_kinds", raising=False)
    return install


MODULE = """
from pydantic import BaseModel, model_validator
from rotlab.planning.stage import StageKind

class Nap(BaseModel):
    seconds: float = 1.0

class Config(BaseModel):
    nap: Nap = Nap()

SLEEP = StageKind("sleep", Config, 1, "others_kinds:sleep")
NUMBER = 3
"""


def test_our_kinds_are_registered() -> None:
    kinds = load_kinds()
    assert [kinds[kind.name] for kind in OURS] == list(OURS)


def test_a_kind_of_someone_elses_is_planned_without_a_change_here(
    register: Register, tmp_path: Path
) -> None:
    register("sleep = others_kinds:SLEEP", MODULE)
    kinds = load_kinds()
    file = tmp_path / "space.yaml"
    file.write_text(
        "name: naps\ndata: {target: anything}\nmeasure: sleep\n"
        "axes: {nap.seconds: [1, 2.5], modality: [rgb, fusion]}\nreplicates: {seed: [0, 1]}\n"
    )
    spec = load_spec(file, kinds)
    plan = make_plan(spec, kinds, find_datasets(spec.datasets, tmp_path / "none"))
    assert len(plan.cells) == 4
    assert plan.count_by_kind() == {"sleep": 2}  # it reads neither seed nor modality
    assert plan.absent == ()  # it is given no data
    assert plan.collapsed[0].axes == ("modality",)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ("sleep = others_kinds:SLEEPY", "cannot be loaded"),
        ("sleep = others_kind:SLEEP", "cannot be loaded"),
        ("sleep = others_kinds:NUMBER", "is a int, not a StageKind"),
        ("nap = others_kinds:SLEEP", "calls itself 'sleep'"),
        ("pretrain = others_kinds:SLEEP", "calls itself 'sleep'"),
    ],
)
def test_a_broken_entry_point_is_one_line(register: Register, points: str, expected: str) -> None:
    register(points, MODULE)
    with pytest.raises(UserError, match=expected) as caught:
        load_kinds()
    assert "\n" not in str(caught.value)


def test_a_rule_between_the_sections_of_a_kind_names_the_combination(tmp_path: Path) -> None:
    kinds = check_kinds([replace(SLEEP, config=PickyConfig)])
    file = tmp_path / "space.yaml"
    text = "name: a\ndata: {target: any}\nmeasure: sleep\naxes: {nap.seconds: [1, 2]}\n"
    file.write_text(text + "replicates: {seed: [0, 1]}\n")
    spec = load_spec(file, kinds)
    with pytest.raises(SpecError, match="line 4 axes: sleep: a long nap needs") as caught:
        make_plan(spec, kinds, find_datasets(spec.datasets, tmp_path))
    assert "nap.seconds=2" in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (replace(SLEEP, name="pretrain"), "two stage kinds are called 'pretrain'"),
        (
            replace(SLEEP, inputs=(Input("x", "nothing"),)),
            "names 'nothing', which is not registered",
        ),
        (replace(SLEEP, scored_by="evaluate"), "which takes no input from 'sleep'"),
        (
            replace(FINETUNE, name="peeking", roles=("train", "test")),
            "is scored by 'evaluate', so it cannot be given test rows",
        ),
        (replace(SLEEP, config=LooseConfig), "config field 'seconds' is neither a section"),
        (replace(SLEEP, inputs=(Input("x", "sleep"),)), "in a circle: sleep <- sleep"),
        (
            replace(SLEEP, length=Length("nap.hours", beginning, undivided)),
            "length is set by 'nap.hours', which is no section.setting of it; its sections are nap",
        ),
        (replace(SLEEP, inputs=(Input("x", "pretrain", ("target", "a")),)), "no choice of a cell"),
    ],
)
def test_a_kind_that_does_not_fit_is_refused(wrong: StageKind, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        check_kinds([*OURS, wrong])


def test_two_kinds_cannot_mean_different_things_by_one_section() -> None:
    kinds = check_kinds([*OURS, replace(SLEEP, config=OtherClip)])
    with pytest.raises(
        UserError, match="section 'clip' is Nap here and ClipConfig in another kind"
    ):
        vocabulary(kinds)
