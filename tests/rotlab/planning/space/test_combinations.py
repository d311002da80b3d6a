"""Every combination of what varies, against all that there could be, one by one."""

from collections.abc import Mapping
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from rotlab.planning.space.combinations import Combinations
from rotlab.planning.space.conditions import When
from rotlab.planning.space.factors import Branch, Factor

NAMES = ("a.a", "b.b", "c.c", "d.d")


def holds(when: When, chosen: Mapping[str, int]) -> bool:
    return all(chosen.get(axis) in values for axis, values in when.items())


@st.composite
def spaces(draw: st.DrawFn) -> list[Factor]:
    """Factors of one axis, whose conditions name any axis that does not depend on them."""
    order = draw(st.permutations(NAMES))
    made = {}
    for depth, axis in enumerate(order):
        steps = tuple((value,) for value in range(draw(st.integers(1, 3))))
        branches = [Branch(steps)]
        if depth and draw(st.booleans()):
            named = draw(st.sampled_from(order[:depth]))
            values = draw(st.lists(st.integers(0, 3), min_size=1, max_size=2).map(tuple))
            branches = [Branch(steps, {named: values})]
            branches += [Branch(steps[:1])] * draw(st.booleans())
        made[axis] = Factor((axis,), tuple(branches))
    return [made[axis] for axis in NAMES]


def consistent(factors: list[Factor], chosen: Mapping[str, int]) -> bool:
    """Say whether every factor has a value of the branch that holds, and none where none does."""
    for factor in factors:
        (axis,) = factor.axes
        held = (one.steps for one in factor.branches if not one.when or holds(one.when, chosen))
        steps = next(held, ())
        if (chosen[axis],) not in steps if axis in chosen else steps:
            return False
    return True


@given(spaces())
def test_they_are_all_that_are_consistent_in_the_files_order(factors: list[Factor]) -> None:
    every = product(*([-1, *(step[0] for step in factor.steps())] for factor in factors))
    choices = (
        {axis: value for axis, value in zip(NAMES, values, strict=True) if value >= 0}
        for values in every
    )
    expected = [chosen for chosen in choices if consistent(factors, chosen)]
    combinations = Combinations(factors, {})
    assert list(combinations.all(holds)) == expected
    assert combinations.count(holds, 1000) == len(expected)
    assert combinations.count(holds, 1) >= min(len(expected), 2)


@given(spaces())
def test_one_at_a_time_is_a_part_of_all_and_has_the_baseline(factors: list[Factor]) -> None:
    every = list(Combinations(factors, {}).all(holds))
    baseline = dict.fromkeys(NAMES, 0)
    found = list(Combinations(factors, baseline).all(holds))
    assert [chosen for chosen in every if chosen in found] == found
    off = [sum(value != 0 for value in chosen.values()) for chosen in found]
    assert off.count(0) == 1
    assert found == [chosen for chosen in every if sum(map(bool, chosen.values())) <= 1]
