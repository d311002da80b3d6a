"""Which results are meant by how they were made."""

from dataclasses import replace

import pytest

from rotlab.store.condition import Condition, read_condition
from rotlab.store.invalidate import chosen, with_dependents
from rotnet.errors import UserError
from tests.rotlab.execution.lab import make_record, make_stage

PLAIN = replace(
    make_record(make_stage("count", name="a")),
    config={"pretrain": {"lr": 0.1, "epochs": 3}, "seed": 1},
    commit="abc123-dirty",
)


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("pretrain.lr", 0.1, True),
        ("pretrain.lr", 0.2, False),
        ("pretrain.epochs", 3, True),
        ("pretrain.epochs", 3.0, False),
        ("pretrain.none", 3, False),
        ("seed.none", 1, False),
        ("commit", "abc", True),
        ("commit", "abd", False),
        ("kind", "count", True),
    ],
)
def test_a_condition_is_held_against_settings_and_origin(
    name: str, value: object, holds: bool
) -> None:
    assert chosen([PLAIN], [], [Condition(name, value)]) == [PLAIN] * holds


def test_a_condition_is_read_as_a_search_space_has_values() -> None:
    facts = ("kind",)
    assert read_condition("pretrain.lr=1e-1", facts) == Condition("pretrain.lr", 0.1)
    assert read_condition("kind = a=b", facts) == Condition("kind", "a=b")
    assert read_condition("kind=0123456", facts) == Condition("kind", "0123456")
    assert read_condition("kind=12e4567", facts) == Condition("kind", "12e4567")
    for text, said in (
        ("kind=", "must be NAME=VALUE, got 'kind='"),
        ("kind", "must be NAME=VALUE, got 'kind'"),
        ("lr=1", "--where lr: must be kind, or a setting such as pretrain.lr"),
        ("a.b=[1", "a.b: '[1' is no value"),
    ):
        with pytest.raises(UserError) as raised:
            read_condition(text, facts)
        assert said in str(raised.value)


def test_a_key_must_mean_one_result() -> None:
    others = [replace(PLAIN, key=key) for key in ("aa1", "aa2", "b")]
    assert chosen(others, ["b"], []) == [others[2]]
    with pytest.raises(UserError, match="2 results have a key that begins with 'aa'"):
        chosen(others, ["aa"], [])


def test_dependents_come_before_what_they_were_made_from() -> None:
    a, b = replace(PLAIN, key="a"), replace(PLAIN, key="b", inputs={"x": "a"})
    c = replace(PLAIN, key="c", inputs={"x": "a", "y": "b"})
    longer, other = replace(PLAIN, key="d", continued="b"), replace(PLAIN, key="e")
    found = [record.key for record in with_dependents([a], [a, b, c, longer, other])]
    assert sorted(found) == ["a", "b", "c", "d"]
    assert max(found.index("c"), found.index("d")) < found.index("b") < found.index("a")
