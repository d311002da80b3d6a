"""Decisions in a store: the first of a number is the one that counts."""

from pathlib import Path

import pytest

from rotlab.planning.plan.decisions import Ended, Proposal, Tuning, Winner
from rotlab.store.decision_book import DecisionBook
from rotnet.errors import UserError

TUNINGS = {"t": Tuning("t", ("finetune.lr",), ({"init": "scratch"},), "demo", "rgb", 2)}


def proposal(number: int, rate: float) -> Proposal:
    return Proposal("t", number, {"finetune.lr": rate}, {"state": "x"})


def test_the_first_to_decide_has_decided(tmp_path: Path) -> None:
    book = DecisionBook(tmp_path)
    assert book.keep_proposal(proposal(1, 0.1)) == proposal(1, 0.1)
    assert DecisionBook(tmp_path).keep_proposal(proposal(1, 0.2)) == proposal(1, 0.1)
    first = Winner("t", 1, {"finetune.lr": 0.1}, 0.5, {1: 0.5, 2: 0.4})
    other = Winner("t", 2, {"finetune.lr": 0.2}, 0.6, {1: 0.5, 2: 0.6})
    assert book.keep_winner(first) == first
    assert DecisionBook(tmp_path).keep_winner(other) == first


def test_what_was_decided_is_read_back_in_order_up_to_a_gap(tmp_path: Path) -> None:
    book = DecisionBook(tmp_path)
    book.keep_proposal(proposal(2, 0.2))
    assert book.read(TUNINGS).proposed("t") == ()
    book.keep_proposal(proposal(1, 0.1))
    book.keep_proposal(proposal(3, 0.3))  # of a time when more were asked for
    assert book.read(TUNINGS).proposed("t") == (proposal(1, 0.1), proposal(2, 0.2))


def test_what_a_proposal_came_to_is_kept_as_it_was_first_used_and_failures_too(
    tmp_path: Path,
) -> None:
    book = DecisionBook(tmp_path)
    for number in (1, 2):
        book.keep_proposal(proposal(number, number / 10))
    failed = Ended("t", 1, None, ("a",))
    assert book.keep_end(failed) == failed
    assert DecisionBook(tmp_path).keep_end(Ended("t", 1, 0.5, ("a",))) == failed
    found = book.read(TUNINGS)
    assert found.values == {"t": {1: None}}
    assert [found.is_given_up(one) for one in found.proposed("t")] == [True, False]


def test_once_a_search_has_ended_what_failed_is_known(tmp_path: Path) -> None:
    book = DecisionBook(tmp_path)
    for number in (1, 2):
        book.keep_proposal(proposal(number, number / 10))
    book.keep_winner(Winner("t", 2, {"finetune.lr": 0.2}, 0.6, {1: None, 2: 0.6}))
    found = book.read(TUNINGS)
    assert [found.is_given_up(one) for one in found.proposed("t")] == [True, False]
    assert found.winners["t"].values == {1: None, 2: 0.6}


def test_a_decision_of_another_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "searches" / "t" / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 2}')
    with pytest.raises(UserError, match=f"{path}: cannot be read"):
        DecisionBook(tmp_path).read(TUNINGS)
