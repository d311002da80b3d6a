"""What tests ask of a search space: its arms, or what is wrong with it."""

from collections.abc import Callable

import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.problems import SpecError

MakePlan = Callable[[str], Plan]


def arms(plan: Plan) -> list[dict[str, object]]:
    """Return the arm of every cell."""
    return [dict(cell.arm) for cell in plan.cells]


def refused(plan: MakePlan, text: str) -> list[str]:
    """Return line, place and text of all that is wrong with a search space."""
    with pytest.raises(SpecError) as caught:
        plan(text)
    return [f"{one.line} {one.where}: {one.text}" for one in caught.value.problems]
