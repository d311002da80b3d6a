import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell
from rotlab.tracking.roster import cell_key, read_roster, roster_tags


def test_a_roster_comes_back_from_its_tags(plan: Plan) -> None:
    roster = read_roster(roster_tags(plan.axes, plan.cells))
    assert roster.axes == plan.axes
    assert [(cell.arm, cell.target, cell.replicate, cell.measure) for cell in roster.cells] == [
        (cell.arm, cell.target, cell.replicate, cell.measure) for cell in plan.cells
    ]


def test_types_survive() -> None:
    arm = {"a": 1, "b": 1.0, "c": "1", "d": {"angles": [0, 90]}, "e": True, "f": [1, 2]}
    tags = roster_tags(tuple(arm), [Cell(arm, "t", {"seed": 0}, "finetune", "r", ("r",))])
    [cell] = read_roster(tags).cells
    assert cell.arm == arm
    assert [type(value) for value in cell.arm.values()] == [type(value) for value in arm.values()]


def test_many_cells_fit_tags_and_come_back() -> None:
    cells = [
        Cell({"lr": lr / 1000}, "ucf101", {"seed": seed, "split": 1}, "finetune", "r", ("r",))
        for lr in range(100)
        for seed in range(100)
    ]
    tags = roster_tags(["lr"], cells)
    assert max(len(value) for value in tags.values()) <= 5000
    assert len(read_roster(tags).cells) == 10_000


def test_the_key_of_a_cell_knows_no_order_but_every_value() -> None:
    assert cell_key({"a": 1, "b": 2}, "t", {"seed": 0}, "m") == cell_key(
        {"b": 2, "a": 1}, "t", {"seed": 0}, "m"
    )
    keys = {
        cell_key({"a": 1}, "t", {"seed": 0}, "m"),
        cell_key({"a": "1"}, "t", {"seed": 0}, "m"),
        cell_key({"a": 1}, "u", {"seed": 0}, "m"),
        cell_key({"a": 1}, "t", {"seed": 1}, "m"),
        cell_key({"a": 1}, "t", {"seed": 0}, "n"),
    }
    assert len(keys) == 5


def test_a_roster_with_a_part_missing_is_refused(plan: Plan) -> None:
    tags = roster_tags(plan.axes, plan.cells)
    del tags["rotlab.cells.0"]
    with pytest.raises(KeyError):
        read_roster(tags)
