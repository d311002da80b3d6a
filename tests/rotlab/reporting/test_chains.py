import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rotlab.reporting.chains import Chain, chains_of, joint, pairs


def _cell(value: float | None, **draws: Any) -> dict[Any, Any]:
    return {"seed": 0, "split": 1, "stages": (), "value": value, **draws}


def _values(*cells: dict[Any, Any]) -> list[float]:
    return [round(one.value, 9) for one in chains_of(cells, lambda record: record["value"])]


def test_fine_tunings_of_one_pretraining_are_one_chain() -> None:
    cells = [
        _cell(
            10.0 * pretrain + tune,
            **{"seed": pretrain, "seed.pretrain": pretrain, "seed.finetune": tune},
            stages=(f"p{pretrain}", f"f{pretrain}{tune}"),
        )
        for pretrain in (0, 1)
        for tune in (0, 1, 2)
    ]
    assert _values(*cells) == [1.0, 11.0]


def test_a_replicate_that_lacks_a_split_is_left_out_of_its_chain_and_the_others_stay() -> None:
    cells = [
        _cell(
            None if (tune, split) == (1, 2) else float(tune),
            **{"seed.pretrain": 0, "seed.finetune": tune, "split": split},
            stages=("p0", f"f{tune}{split}"),
        )
        for tune in (0, 1, 2)
        for split in (1, 2)
    ]
    assert _values(*cells) == [1.0]
    assert _values(cells[2], cells[3]) == []


def test_a_chain_knows_its_value_on_each_split() -> None:
    cells = [_cell(1.0, split=1), _cell(3.0, split=2)]
    [chain] = chains_of(cells, lambda record: record["value"])
    assert (chain.value, chain.splits) == (2.0, {1: 1.0, 2: 3.0})


def test_seeds_that_share_nothing_are_chains_of_their_own() -> None:
    assert _values(*(_cell(float(seed), seed=seed) for seed in range(3))) == [0.0, 1.0, 2.0]


@given(st.lists(st.sets(st.integers(0, 8), max_size=3), max_size=8))
def test_joint_groups_share_no_mark_and_hold_every_item_once(marks: list[set[int]]) -> None:
    items = list(enumerate(marks))
    groups = joint(items, lambda one: one[1])
    assert sorted(number for group in groups for number, _ in group) == list(range(len(marks)))
    held = [set().union(*(mark for _, mark in group)) for group in groups]
    assert sum(map(len, held)) == len(set().union(*held))


def _chain(value: float, *stages: str) -> Chain:
    return Chain(value, frozenset(stages), frozenset({0}))


def test_pairs_are_chains_of_two_arms_that_share_a_stage() -> None:
    first = [_chain(0.5, "p0", "a0"), _chain(0.7, "p1", "a1"), _chain(0.9, "p2", "a2")]
    second = [_chain(0.4, "p1", "b1"), _chain(0.4, "p0", "b0")]
    found = pairs(first, second)
    assert found is not None
    assert [math.isclose(one, wanted) for one, wanted in zip(found, [0.1, 0.3], strict=True)]
    assert pairs(first, [_chain(0.4, "b")]) is None
    assert pairs([_chain(0.4)], [_chain(0.5)]) is None  # stages not known: nothing is shared
