"""Searches as a study runs: what is decided when, kept, and found again."""

from pathlib import Path

import numpy as np
import pytest

from rotlab.cli import main
from rotlab.execution.search.searches import Searches
from rotlab.planning.plan.decisions import Proposal
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotnet.errors import UserError
from tests.rotlab.execution.search.trials import TEXT, Judge, run, searches, value


def failing(*keys: str) -> Judge:
    """All fine-tunings are judged by their rates, but for those that fail."""
    return lambda stage: None if stage.key in keys else value(stage)


def broken(*_: object, **__: object) -> Proposal:
    """A sampler that proposes nothing."""
    raise ZeroDivisionError("by nothing")


def settings(found: Searches) -> list[tuple[str, int, float]]:
    """What was proposed."""
    return [
        (one.proposal.tuning, one.proposal.number, one.proposal.settings["finetune.lr"])
        for one in found.plan.proposed
    ]


def test_each_arm_gets_its_proposals_and_then_its_cells(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    assert len(found.plan.tunings) == 2
    assert len(found.plan.proposed) == 12
    assert not found.plan.awaited
    assert not found.undecided()
    for cell in found.plan.cells:
        rates = [
            one.proposal.settings["finetune.lr"]
            for one in found.plan.proposed
            if cell.arm in [dict(arm) for arm in found.plan.tunings[one.proposal.tuning].arms]
        ]
        best = min(rates, key=lambda rate: abs(rate - 0.03))
        assert cell.overrides == {"finetune.lr": best}


def test_whatever_ends_first_the_proposals_are_the_same(tmp_path: Path) -> None:
    made = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = searches(folder)
        run(found, np.random.default_rng(seed))
        made.append((settings(found), [cell.result for cell in found.plan.cells]))
    assert made[0] == made[1] == made[2]


def test_broken_off_at_any_moment_it_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = searches(tmp_path)
    number = run(whole, np.random.default_rng(0))
    for most in range(1, number, 3):
        folder = tmp_path / str(most)
        folder.mkdir()
        run(searches(folder), np.random.default_rng(most), most=most)
        again = searches(folder)
        run(again, np.random.default_rng(most + 1))
        assert settings(again) == settings(whole)
        assert [cell.result for cell in again.plan.cells] == [
            cell.result for cell in whole.plan.cells
        ]


def test_no_more_proposals_are_under_way_than_allowed(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    assert len(found.plan.proposed) == 4  # two of each arm
    first = next(one for one in found.plan.proposed if one.proposal.number == 1)
    second = next(
        one
        for one in found.plan.proposed
        if (one.proposal.tuning, one.proposal.number) == (first.proposal.tuning, 2)
    )
    found.done(second.results[0], {"val_accuracy": 0.5})
    assert not found.decide()  # the third may know of the first alone, which has not ended
    found.done(first.results[0], {"val_accuracy": 0.1})
    assert found.decide()
    assert len(found.plan.proposed) == 6


def test_a_proposal_that_fails_is_passed_over_and_not_asked_for_again(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    lost = frozenset(key for one in found.plan.proposed for key in one.results)
    run(found, np.random.default_rng(0), judge=failing(*lost))
    assert not found.plan.awaited
    assert lost <= found.plan.stages.keys()  # a plan never shrinks while it runs
    again = searches(tmp_path)
    assert again.plan.stages.keys() == found.plan.stages.keys() - lost
    assert again.plan.cells == found.plan.cells


def test_a_failure_that_was_made_use_of_stays_one_after_a_kill(tmp_path: Path) -> None:
    """A driver is killed; what failed before would now succeed."""
    made = []
    for most in (10**6, 7):
        folder = tmp_path / str(most)
        folder.mkdir()
        found = searches(folder)
        found.catch_up(lambda _: {})
        lost = {one.results[0] for one in found.plan.proposed if one.proposal.number == 1}
        done = run(found, np.random.default_rng(0), judge=failing(*lost), most=most)
        if most < 10**6:
            assert done == most
            found = searches(folder)
            assert not lost & found.plan.stages.keys()
            run(found, np.random.default_rng(1))
        tried = [one for one in settings(found) if one[1] > 1]
        made.append((tried, [cell.result for cell in found.plan.cells]))
    assert made[0] == made[1]


def test_a_search_of_which_all_proposals_fail_is_tried_again(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    for _ in range(10):
        found.lost({key for one in found.plan.proposed for key in one.results})
        found.decide()
    assert list(found.undecided().values()) == ["all 6 proposals failed"] * 2
    again = searches(tmp_path)
    run(again, np.random.default_rng(0))
    assert not again.undecided()


def test_a_search_of_which_all_proposals_fail_says_so_and_its_arm_stays_open(
    tmp_path: Path,
) -> None:
    found = searches(tmp_path)

    run(found, np.random.default_rng(0), judge=lambda _: None)
    assert list(found.undecided().values()) == ["all 6 proposals failed"] * 2
    assert len(found.plan.awaited) == 2


def test_raising_the_number_goes_on_from_what_was_tried(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    more = searches(tmp_path, TEXT.replace("proposals: 6", "proposals: 8"))
    assert len(more.plan.awaited) == 2
    run(more, np.random.default_rng(0))
    assert settings(more)[:2] == settings(found)[:2]
    assert len(more.plan.proposed) == 16


def test_raising_the_number_does_not_try_again_what_failed(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    lost = frozenset(one.results[0] for one in found.plan.proposed if one.proposal.number == 2)
    run(found, np.random.default_rng(0), judge=failing(*lost))
    more = searches(tmp_path, TEXT.replace("proposals: 6", "proposals: 8"))
    run(more, np.random.default_rng(0))
    assert not lost & more.plan.stages.keys()
    assert len(more.plan.proposed) == 14


def test_a_metric_that_is_never_reported_is_named_with_those_that_are(tmp_path: Path) -> None:
    found = searches(
        tmp_path, TEXT.replace("  at_once", "  metric: val_loss\n  goal: minimize\n  at_once")
    )
    with pytest.raises(
        UserError,
        match=r"search.metric: finetune \w+ reports no 'val_loss'; it has val_accuracy",
    ):
        run(found, np.random.default_rng(0))


def test_a_sampler_that_cannot_go_on_is_named(tmp_path: Path) -> None:
    found = searches(tmp_path, draw=broken)
    with pytest.raises(
        UserError, match=r"search.sampler: tpe \(n_startup_trials 2\) cannot make proposal 1 of "
    ):
        found.catch_up(lambda _: {})


def test_a_damaged_decision_is_named(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    (path, *_) = sorted((tmp_path / "store" / "searches").glob("*/1.json"))
    path.write_text("{")
    with pytest.raises(UserError, match=f"{path}: cannot be read"):
        searches(tmp_path)


def test_of_two_drivers_the_first_decides(tmp_path: Path) -> None:
    first, second = searches(tmp_path), searches(tmp_path)
    first.catch_up(lambda _: {})
    second.catch_up(lambda _: {})
    assert settings(first) == settings(second)
    assert not list((tmp_path / "store" / "searches").rglob("*.tmp"))


def test_status_tells_what_each_search_has_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    store = Store(tmp_path / "store")
    store.save_study(next_revision(None, found.plan, TEXT, {}))
    assert main(["status", "trial", "--store", str(store.root)]) == 0
    told = capsys.readouterr().out
    assert "searches: 2 of 2 have ended, 12 of 12 proposals made" in told
    for cell in found.plan.cells:
        rate = cell.overrides["finetune.lr"]
        assert f"init={cell.arm['init']} on weizmann, rgb: finetune.lr={rate:.4g}" in told


def test_status_counts_proposals_that_failed_as_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    lost = frozenset(one.results[0] for one in found.plan.proposed if one.proposal.number == 1)
    run(found, np.random.default_rng(0), judge=failing(*lost))
    store = Store(tmp_path / "store")
    store.save_study(next_revision(None, found.plan, TEXT, {}))
    assert main(["status", "trial", "--store", str(store.root)]) == 0
    assert "12 of 12 proposals made, 2 of them failed" in capsys.readouterr().out


FEW = TEXT.replace(
    "{finetune.lr: {low: 0.001, high: 1, log: true}}",
    "{finetune.lr: [0.01, 0.03, 0.1, 0.3], finetune.nesterov: [true, false]}",
)


def tried(found: Searches) -> list[list[tuple[object, ...]]]:
    """What each search proposed, in order."""
    return [
        [
            tuple(one.proposal.settings.values())
            for one in found.plan.proposed
            if one.proposal.tuning == key
        ]
        for key in found.plan.tunings
    ]


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "{name: gp, n_startup_trials: 2}"])
@pytest.mark.parametrize("at_once", [1, 3])
def test_no_settings_are_tried_twice_and_a_search_ends_with_the_last_that_there_are(
    tmp_path: Path, sampler: str, at_once: int
) -> None:
    text = FEW.replace("{name: tpe, n_startup_trials: 2}", sampler)
    text = text.replace("at_once: 2", f"at_once: {at_once}").replace(
        "[rotation, scratch]", "[rotation]"
    )
    for asked, made in ((6, 6), (20, 8)):
        (tmp_path / str(asked)).mkdir()
        found = searches(tmp_path / str(asked), text.replace("proposals: 6", f"proposals: {asked}"))
        run(found, np.random.default_rng(0))
        for one in tried(found):
            assert len(one) == len(set(one)) == made
        assert not found.undecided()
        assert found.plan.is_decided
        again = searches(tmp_path / str(asked), text.replace("proposals: 6", f"proposals: {asked}"))
        assert again.catch_up(lambda _: {}).is_decided


def test_what_was_tried_twice_before_is_decided_as_it_was(tmp_path: Path) -> None:
    """A store from when repeats were kept: three proposals, all of two settings."""
    text = FEW.replace("0.01, 0.03, 0.1, 0.3", "0.03, 0.1").replace(
        ", finetune.nesterov: [true, false]", ""
    )
    text = text.replace("proposals: 6", "proposals: 3").replace("[rotation, scratch]", "[rotation]")
    found = searches(tmp_path, text)
    (key,) = found.plan.tunings
    book = DecisionBook(tmp_path / "store")
    for number, rate in enumerate((0.1, 0.1, 0.03), 1):
        book.keep_proposal(Proposal(key, number, {"finetune.lr": rate}))
    found = searches(tmp_path, text)
    run(found, np.random.default_rng(0))
    assert [one.proposal.number for one in found.plan.proposed] == [1, 2, 3]
    assert {cell.overrides["finetune.lr"] for cell in found.plan.cells} == {0.03}
