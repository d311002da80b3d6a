"""What a study may cost at most."""

from collections.abc import Callable

import pytest

from rotlab.planning.space.budget import Budget
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.spec import Spec

Read = Callable[[str], Spec]
HEAD = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"


def test_a_budget_has_up_to_four_limits(read: Read) -> None:
    assert read(HEAD).budget == Budget()
    assert not read(HEAD).budget
    spec = read(HEAD + "budget: {gpu_hours: 4, cpu_hours: 2.5, money: 1e2, hours: 12}\n")
    assert spec.budget == Budget(gpu_hours=4.0, cpu_hours=2.5, money=100.0, wall_hours=12.0)
    assert str(spec.budget) == (
        "4 GPU-hours, 2.5 core-hours, 100 in the currency of the price file, 12 hours of wall time"
    )


def test_a_plan_shows_its_budget(outlined: Callable[[str], tuple[str, dict[str, object]]]) -> None:
    text, values = outlined("budget: {hours: 3}\n")
    assert "budget: 3 hours of wall time" in text
    assert values["budget"] == {
        "gpu_hours": None,
        "cpu_hours": None,
        "money": None,
        "wall_hours": 3.0,
    }


@pytest.mark.parametrize("name", ["gpu_hours", "cpu_hours", "money", "hours"])
@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ("0", "0"),
        ("-1", "-1"),
        ("0.0", "0.0"),
        ("true", "true"),
        ("much", "'much'"),
        (".inf", "inf"),
        (".nan", "nan"),
        ("null", "null"),
        ("[1]", "[1]"),
    ],
)
def test_a_limit_is_a_finite_number_above_0(read: Read, name: str, limit: str, shown: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(f"{HEAD}budget: {{{name}: {limit}}}\n")
    (only,) = caught.value.problems
    assert (only.line, only.where) == (4, f"budget.{name}")
    assert only.text == f"must be a finite number greater than 0, got {shown}"


def test_all_that_is_wrong_with_a_budget_is_told_at_once(read: Read) -> None:
    with pytest.raises(SpecError) as caught:
        read(HEAD + f"budget: {{gpu_hour: 1, money: 0, hours: {'9' * 400}}}\n")
    first, *others = caught.value.problems
    assert first.text.startswith("unknown limit 'gpu_hour'; did you mean 'gpu_hours'?")
    assert [one.where for one in others] == ["budget.money", "budget.hours"]
