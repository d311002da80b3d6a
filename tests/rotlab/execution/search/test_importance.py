"""Which settings mattered is told by searches with enough proposals, and by no others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rotlab.execution.search.importance import FEWEST, importance, importances
from rotlab.planning.plan.decisions import Proposal, Winner
from rotlab.planning.space.ranges import Domain, OneOf, Range
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from tests.rotlab.execution.search.bowls import KINDS, TEXT, make_searching_job

DOMAINS: dict[str, Domain] = {
    "finetune.lr": Range(1e-4, 1.0, log=True),
    "finetune.batch_size": Range(4, 64, whole=True),
    "finetune.schedule": OneOf(("cosine", "step")),
}


def tried(number: int) -> list[tuple[Proposal, float]]:
    """Proposals whose value hangs on the learning rate alone, best at 0.01."""
    chance = np.random.default_rng(0)
    found = []
    for index in range(1, number + 1):
        power = float(chance.uniform(-4, 0))
        settings = {
            "finetune.lr": 10**power,
            "finetune.batch_size": int(chance.integers(4, 65)),
            "finetune.schedule": str(chance.choice(["cosine", "step"])),
        }
        found.append((Proposal("t", index, settings), -abs(power + 2)))
    return found


@pytest.mark.parametrize("number", [FEWEST, 100])
def test_the_setting_that_decides_has_most_of_the_importance(number: int) -> None:
    found = importance("it", DOMAINS, tried(number), maximize=True)
    assert next(iter(found.shares)) == "finetune.lr"
    assert found.shares["finetune.lr"] > 0.6
    assert sum(found.shares.values()) == pytest.approx(1)
    worst = importance("it", DOMAINS, [(p, -v) for p, v in tried(number)], maximize=False)
    assert worst.shares == pytest.approx(found.shares)


def test_of_few_proposals_or_one_setting_nothing_is_told_and_why() -> None:
    few = importance("it", DOMAINS, tried(FEWEST - 1), maximize=True)
    assert (few.shares, few.tried) == ({}, FEWEST - 1)
    assert few.why == f"{FEWEST - 1} proposals have a value, and fewer than {FEWEST} tell nothing"
    one = importance("it", {"finetune.lr": DOMAINS["finetune.lr"]}, tried(50), maximize=True)
    assert (one.shares, one.why) == ({}, "it has one setting only that all tries have")


def test_of_a_setting_that_only_some_tries_have_nothing_is_told() -> None:
    gamma = Range(0.1, 0.5, when={"finetune.schedule": ("step",)})
    some = [
        (
            Proposal("t", one.number, {**one.settings, "finetune.gamma": 0.2})
            if one.settings["finetune.schedule"] == "step"
            else one,
            value,
        )
        for one, value in tried(50)
    ]
    found = importance("it", DOMAINS | {"finetune.gamma": gamma}, some, maximize=True)
    assert found.shares.keys() == DOMAINS.keys()


def test_each_search_of_a_study_that_has_ended_is_told_by_its_own_ranges(tmp_path: Path) -> None:
    job = make_searching_job(tmp_path / "store", TEXT.replace("proposals: 10", "proposals: 30"))
    store = Store(tmp_path / "store")
    study = next_revision(None, job.plan, job.text, job.resources)
    assert importances(store, study, KINDS) == []
    first, *_ = job.plan.tunings
    book, chance, values = DecisionBook(store.root), np.random.default_rng(0), {}
    for number in range(1, 31):
        rate, side = float(10 ** chance.uniform(-4, 1)), str(chance.choice(["left", "right"]))
        book.keep_proposal(Proposal(first, number, {"bowl.rate": rate, "bowl.side": side}))
        values[number] = None if number == 7 else -float((np.log10(rate) + 2) ** 2)
    book.keep_winner(Winner(first, 1, {}, 0.0, values))
    [found] = importances(store, study, KINDS)
    assert found.name.startswith("bowl.bend=0")
    assert found.tried == 29
    assert found.shares["bowl.rate"] > 0.7
    [other] = importances(store, replace(study, text=f"include: gone.yaml\n{study.text}"), KINDS)
    assert other.shares == {}
    assert other.why.startswith("the files that its search space includes are not at hand")
