"""What a network may start from, and which settings each of these reads."""

from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest

from rotlab.planning.inits import fits, imposed, inits, is_pretext, reads, ways
from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.problems import SpecError
from rotlab.planning.stage import Stage
from rotnet import registry
from rotnet.config import PRETEXT_READS, PretextConfig, PretrainConfig
from rotnet.errors import UserError

MakePlan = Callable[[str], Plan]
Register = Callable[[str], None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Return what makes a package's pretext known under a name."""

    def known_as(name: str) -> None:
        point = EntryPoint(name, "others:Task", "rotnet.pretexts")
        others = {"rotnet.pretexts": {name: point}}
        monkeypatch.setattr(registry, "_points", lambda group: others.get(group, {}))

    return known_as


def pretrainings(plan: Plan) -> dict[str, Stage]:
    """The plan's pretrainings by their task."""
    found = [stage for stage in plan.stages.values() if stage.kind == "pretrain"]
    return {task_of(stage): stage for stage in found}


def task_of(stage: Stage) -> str:
    assert isinstance(stage.config, PretrainConfig)
    return stage.config.pretext.task


def test_every_pretext_is_an_init_and_so_are_four_others() -> None:
    assert inits() == ("rotation", "pace", "scratch", "random-frozen", "supervised", "target")
    assert [is_pretext(init) for init in inits()] == [True, True, False, False, False, False]
    assert fits("pace", ("pretext",))
    assert not fits("scratch", ("pretext",))
    assert fits("scratch", ("pretext", "scratch"))


def test_a_setting_of_the_pretext_is_read_by_its_own_task_only() -> None:
    for field in PretextConfig.model_fields:
        readers = {init for init in inits() if reads(init, "pretext", field)}
        assert readers == {task for task, fields in PRETEXT_READS.items() if field in fields}


def test_settings_of_other_sections_are_read_by_all_unless_the_init_decides_them() -> None:
    assert all(reads(init, "clip", "frames") for init in inits())
    assert {init for init in inits() if not reads(init, "finetune", "freeze")} == {"random-frozen"}
    assert imposed("random-frozen", "finetune") == {"freeze": 5}
    assert imposed("pace", "pretext") == {"task": "pace"}
    assert imposed("scratch", "pretext") == {}


def test_inits_that_read_a_section_alike_are_looked_at_once() -> None:
    assert ways("clip", ["frames"], inits()) == {"rotation": ("frames",)}
    found = ways("pretext", ["rotations", "paces"], ("rotation", "scratch", "pace", "target"))
    assert found == {"rotation": ("rotations",), "scratch": (), "pace": ("paces",)}


def test_settings_of_one_pretext_neither_vary_nor_hold_for_another(plan: MakePlan) -> None:
    made = plan(
        "pretext: {rotations: 2, paces: [1, 2]}\n"
        "axes: {init: [rotation, pace], pretext.views: [1, 2]}\n"
    )
    arms = [dict(cell.arm) for cell in made.cells]
    assert arms == [
        {"init": "rotation", "pretext.views": 1},
        {"init": "rotation", "pretext.views": 2},
        {"init": "pace"},
    ]
    pace = pretrainings(made)["pace"].config
    assert isinstance(pace, PretrainConfig)
    assert (pace.pretext.rotations, pace.pretext.views, pace.pretext.paces) == (4, None, (1, 2))
    alone = plan("pretext: {paces: [1, 2]}\ninit: pace\n")
    assert set(alone.stages) <= set(made.stages)


def test_another_init_beside_it_does_not_move_rotations_keys(plan: MakePlan) -> None:
    alone = plan("pretext: {rotations: 2}\n")
    beside = plan("pretext: {rotations: 2}\naxes: {init: [pace, rotation, scratch]}\n")
    assert set(alone.stages) < set(beside.stages)


def test_a_registered_pretext_reads_its_options(plan: MakePlan, register: Register) -> None:
    register("clip-order")
    made = plan(
        "pretext: {rotations: 2}\n"
        "axes: {init: [rotation, clip-order], pretext.options: [{parts: 3}, {parts: 4}]}\n"
    )
    assert [dict(cell.arm) for cell in made.cells] == [
        {"init": "rotation"},
        {"init": "clip-order", "pretext.options": {"parts": 3}},
        {"init": "clip-order", "pretext.options": {"parts": 4}},
    ]
    assert set(plan("pretext: {rotations: 2}\n").stages) < set(made.stages)


def test_a_pretext_cannot_take_the_name_of_another_init(plan: MakePlan, register: Register) -> None:
    register("scratch")
    with pytest.raises(UserError, match="registered as 'scratch', which means something else"):
        plan("")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "init: paces\n",
            "unknown init 'paces'; did you mean 'pace'? "
            "(rotation, pace, scratch, random-frozen, supervised, target)",
        ),
        ("axes: {init: [rotation, frozen]}\n", "unknown init 'frozen'"),
        ("axes: {init: [frozen]}\nclip: {frames: 4}\n", "unknown init 'frozen'"),
        ("pretext: {task: pace}\n", "pretext.task: the task is what init names: write init: pace"),
        ("init: scratch\npretext: {task: pace}\n", "the task is what init names"),
        ("axes: {pretext.task: [pace]}\n", "the task is what init names: write init: [pace]"),
        (
            "pretext: {paces: [1, 2]}\n",
            "pretext.paces: nothing reads it where init is rotation; it is for pace",
        ),
        ("init: pace\npretext: {paces: [2, 1]}\n", "paces must rise, got [2, 1]"),
        ("init: pace\naxes: {pretext.paces: [[1, 2], [2, 1]]}\n", "paces must rise, got [2, 1]"),
        ("axes: {pretext.options: [{a: 1}]}\n", "install the pretext that it is for"),
        (
            "init: random-frozen\nfinetune: {freeze: 2}\n",
            "finetune.freeze: nothing reads it where init is random-frozen; it is for rotation",
        ),
        ("init: target\n", "'finetune' has no networks whose init is target; it can be rotation"),
        ("measure: pretrain\ninit: scratch\n", "'pretrain' has no networks whose init is scratch"),
    ],
)
def test_what_does_not_go_with_an_init_is_one_problem(
    plan: MakePlan, text: str, expected: str
) -> None:
    with pytest.raises(SpecError) as caught:
        plan(text)
    assert len(caught.value.problems) == 1
    assert expected in str(caught.value)


def test_values_of_an_axis_that_collapses_are_checked_all_the_same(plan: MakePlan) -> None:
    with pytest.raises(SpecError, match=r"paces must rise, got \[3, 1\]"):
        plan("axes: {pretext.paces: [[1, 2], [3, 1]]}\n")
    (collapsed,) = plan("axes: {pretext.paces: [[1, 2], [1, 3]]}\n").collapsed
    assert (collapsed.axes, collapsed.arms) == (("pretext.paces",), 1)
