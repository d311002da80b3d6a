"""A population as a study runs: who takes over, what is kept, and that its winner is replayed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rotlab.cli import main
from rotlab.execution.conduct.grown import behind, with_grown
from rotlab.execution.search.searches import Searches
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.pedigree import Pedigree, pedigrees
from rotlab.planning.stage import Stage
from rotlab.store.decision_book import DecisionBook
from rotlab.store.needs import needs_of
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotnet.data.manifest import Manifest
from rotnet.learning.checkpoint import load_network
from rotnet.learning.schedule import in_force
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.search import trials
from tests.rotlab.execution.search.trials import Judge

TEXT = """
name: trial
base: tiny
data: {pretrain: hockey, target: weizmann}
finetune: {epochs: 20, schedule: constant, val_fraction: 0.25, final: train+val}
replicates: {seed: [0, 1]}
axes: {init: [rotation, scratch]}
search:
  settings: {finetune.lr: {low: 0.001, high: 1, log: true}}
  population: {members: 6, every: 4}
"""


def run(
    found: Searches, rng: np.random.Generator, judge: Judge | None = None, most: int = 10**6
) -> int:
    """Do stages in any order, judged by their rates in each epoch if not otherwise."""
    return trials.run(found, rng, judge or falling, most)


def searches(folder: Path, text: str = TEXT, data: Path | None = None) -> Searches:
    return trials.searches(folder, text, data=data)


def falling(stage: Stage) -> float:
    """More for rates that are near 0.3 in the first epoch, and near 0.003 in the last of 20."""
    training = stage.config.finetune  # type: ignore[attr-defined]
    best = np.linspace(np.log10(0.3), np.log10(0.003), 20)
    rates = [np.log10(in_force("lr", epoch, training)) for epoch in range(training.epochs)]
    return -float(np.mean(np.abs(rates - best[: training.epochs])))


def lineages(found: Searches, folder: Path) -> list[Pedigree]:
    tunings = found.plan.tunings
    return pedigrees(tunings, DecisionBook(folder / "store").read(tunings))


def made(found: Searches) -> list[object]:
    """All that was tried, and what cells came to."""
    tried = [(one.proposal, one.results) for one in found.plan.proposed]
    return [tried, [(cell.result, cell.overrides) for cell in found.plan.cells]]


def test_members_take_over_and_the_winner_beats_all_that_never_changed(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    assert not found.undecided()
    for one in lineages(found, tmp_path):
        assert len(one.take_overs()) == 4 * 2  # in each generation but the first, 2 of 6
        assert one.winner is not None
        last = one.segments[-6:]
        assert one.winner in [each.number for each in last]
        ancestry = one.ancestry(one.winner)
        assert any(each.took_over for each in ancestry)
        assert len({str(each.settings) for each in ancestry}) > 1
        rates = np.geomspace(0.001, 1, 100)
        best = np.log10(np.geomspace(0.3, 0.003, 20))
        constant = max(-float(np.mean(np.abs(np.log10(rate) - best))) for rate in rates)
        assert max(each.value or -9 for each in last) > constant


def test_cells_replay_the_schedule_of_the_winner_from_the_first_epoch(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    plan = found.plan
    by_arm = {str(dict(one.tuning.arms[0])): one for one in lineages(found, tmp_path)}
    assert len(plan.cells) == 4
    for cell in plan.cells:
        one = by_arm[str(dict(cell.arm))]
        (tuned,) = (plan.stages[key] for key in cell.stages if plan.stages[key].kind == "finetune")
        assert tuned.key not in plan.continues
        training = tuned.config.finetune  # type: ignore[attr-defined]
        assert (training.epochs, training.final) == (20, "train+val")
        assert tuned.config.seed == cell.replicate["seed"]  # type: ignore[attr-defined]
        for segment in one.ancestry(one.winner or 0):
            start, end = one.epochs(segment)
            rates = {in_force("lr", epoch, training) for epoch in range(start, end)}
            assert rates == {segment.settings["finetune.lr"]}


def test_no_member_starts_before_all_of_the_generation_before_have_ended(tmp_path: Path) -> None:
    found = searches(tmp_path)
    found.catch_up(lambda _: {})
    (first, *others) = (one for one in found.plan.proposed if one.proposal.number <= 6)
    tuning = first.proposal.tuning
    own = [first, *(one for one in others if one.proposal.tuning == tuning)]
    assert len(found.plan.proposed) == 12
    for one in own[1:]:
        found.done(one.results[0], {"val_accuracy": 0.5})
        assert not found.decide()
    found.done(first.results[0], {"val_accuracy": 0.1})
    assert found.decide()
    assert len(found.plan.proposed) == 18


def test_whatever_ends_first_the_population_is_the_same(tmp_path: Path) -> None:
    all_made = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = searches(folder)
        run(found, np.random.default_rng(seed))
        all_made.append(made(found))
    assert all_made[0] == all_made[1] == all_made[2]


def test_broken_off_at_any_moment_it_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = searches(tmp_path)
    number = run(whole, np.random.default_rng(0))
    for most in range(1, number, 9):
        folder = tmp_path / str(most)
        folder.mkdir()
        run(searches(folder), np.random.default_rng(most), most=most)
        again = searches(folder)
        run(again, np.random.default_rng(most + 1))
        assert made(again) == made(whole)


def test_a_member_that_fails_takes_over_from_one_that_did_not(tmp_path: Path) -> None:
    found = searches(tmp_path)

    def diverging(stage: Stage) -> float | None:
        training = stage.config.finetune  # type: ignore[attr-defined]
        return None if in_force("lr", training.epochs - 1, training) > 0.2 else falling(stage)

    run(found, np.random.default_rng(0), diverging)
    assert not found.undecided()
    failed = 0
    for one in lineages(found, tmp_path):
        for segment in one.segments[6:]:
            if one.before(segment).value is None:
                failed += 1
                assert segment.took_over
                assert one.segments[(segment.parent or 0) - 1].value is not None
    assert failed


def test_where_all_of_the_last_generation_fail_none_wins(tmp_path: Path) -> None:
    found = searches(tmp_path)

    def late(stage: Stage) -> float | None:
        return None if stage.config.finetune.epochs == 20 else falling(stage)  # type: ignore[attr-defined]

    run(found, np.random.default_rng(0), late)
    assert list(found.undecided().values()) == ["all 6 proposals of the last generation failed"] * 2
    assert len(found.plan.awaited) == 4


def test_status_tells_who_took_over_and_what_won(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    store = Store(tmp_path / "store")
    store.save_study(next_revision(None, found.plan, TEXT, {}))
    assert main(["status", "trial", "--store", str(store.root)]) == 0
    told = capsys.readouterr().out
    assert "searches: 2 of 2 have ended, 60 of 60 proposals made" in told
    said = "weizmann, rgb: 6 members, generation 5 of 5, each of 4 epochs; 8 took over from another"
    assert told.count(said) == 2
    assert "won by member" in told
    (one, _) = lineages(found, tmp_path)
    (first, *_) = one.take_overs()
    assert f"after epoch 4, member {first.member} (" in told


SMALL = """
name: small
base: tiny
data: {pretrain: hockey, target: weizmann}
clip: {frames: 4, stride: 1, resize: 24, size: 10}
model: {width: 2, hidden: 4, dropout: 0.5}
finetune: {epochs: 6, steps_per_epoch: 2, schedule: constant, warmup_epochs: 0.5, batch_size: 4,
           val_fraction: 0.25}
evaluate: {clips: 1}
init: scratch
replicates: {seed: [0, 1]}
runtime: {workers: 0, attention: 0}
search:
  settings: {finetune.lr: {low: 0.003, high: 0.3, log: true}}
  population: {members: 4, every: 2}
"""


class Lab:
    """A store, and a population that is trained there as workers would, told of stages as they are.

    Args:
        folder: of the store and the search space.
        data: of the data sets.
        epochs: of a whole training, 2 a generation.
    """

    def __init__(self, folder: Path, data: Path, epochs: int) -> None:
        self.text = SMALL.replace("epochs: 6", f"epochs: {epochs}")
        self.found = searches(folder, self.text, data)
        self.store = Store(folder / "store")
        kinds = load_kinds()
        places = {name: data / name for name in ("hockey", "weizmann")}
        self.nothing = Work({}, kinds, places, self.store.root, dict.fromkeys(kinds, 1))
        self.records: dict[str, Record] = {}

    def do(self, key: str) -> Record:
        work = with_grown(self.nothing, behind(self.found.plan, key).json())
        return perform(key, work, Unwatched())

    def run(self, most: int = 10**6) -> None:
        self.found.catch_up(lambda _: {})
        while left := [key for key in self.found.plan.stages if key not in self.records]:
            if len(self.records) == most:
                return
            ready = [key for key in left if self._is_ready(key)]
            self.records[ready[0]] = self.do(ready[0])
            self.found.done(ready[0], self.records[ready[0]].metrics)
            self.found.decide()

    def _is_ready(self, key: str) -> bool:
        plan = self.found.plan
        needed = {*plan.stages[key].inputs.values(), *filter(None, [plan.continues.get(key)])}
        return needed <= self.records.keys()

    def has_state(self, key: str) -> bool:
        return self.store.state_path(self.records[key]).exists()

    def weights(self, key: str) -> dict[str, torch.Tensor]:
        return dict(load_network(self.store.result_folder(self.records[key])).weights)


@pytest.fixture
def lab(tmp_path: Path, actions: Manifest, pool: Manifest, request: pytest.FixtureRequest) -> Lab:
    data = tmp_path / "data"
    data.mkdir()
    (data / "hockey").symlink_to(pool.folder)
    (data / "weizmann").symlink_to(actions.folder)
    return Lab(tmp_path, data, getattr(request, "param", 4))


@pytest.mark.parametrize("lab", [6], indirect=True)
def test_a_lineage_that_took_over_is_bit_equal_to_its_schedule_trained_from_the_start(
    lab: Lab, tmp_path: Path
) -> None:
    """Of the search's seed. Cells here learn from what the search does, so they are its stages."""
    lab.run()
    plan = lab.found.plan
    (one,) = lineages(lab.found, tmp_path)
    heirs = [each for each in one.segments if each.took_over]
    assert heirs
    assert {record.not_continued for record in lab.records.values()} == {None}
    by_number = {each.proposal.number: each.results[0] for each in plan.proposed}
    for each in one.segments[4:]:
        trunk = lab.records[by_number[each.number]].continued
        assert trunk == by_number[each.parent or 0]  # its weights are those of whom it took over
    longest = [
        each for each in one.segments[-4:] if any(a.took_over for a in one.ancestry(each.number))
    ]
    assert longest
    for number, each in enumerate(longest[:2]):
        key = by_number[each.number]
        straight = Store(tmp_path / f"straight-{number}")
        work = Work(
            {key: plan.stages[key]},
            lab.nothing.kinds,
            lab.nothing.data,
            straight.root,
            lab.nothing.cpus,
        )
        record = perform(key, work, Unwatched())
        assert record.continued is None
        assert record.metrics == lab.records[key].metrics
        weights = load_network(straight.result_folder(record)).weights
        assert all(torch.equal(weights[name], value) for name, value in lab.weights(key).items())


def test_of_the_searchs_own_seed_the_replay_is_the_winners_own_result(
    lab: Lab, tmp_path: Path
) -> None:
    lab.run()
    (one,) = lineages(lab.found, tmp_path)
    results = {each.proposal.number: each.results for each in lab.found.plan.proposed}
    first, second = lab.found.plan.cells
    assert results[one.winner or 0][0] in first.stages
    assert results[one.winner or 0][0] not in second.stages
    (replay,) = (key for key in second.stages if lab.records[key].kind == "finetune")
    assert lab.records[replay].continued is None


def test_states_stay_until_the_next_generation_has_gone_on_and_no_longer(lab: Lab) -> None:
    lab.run(most=4)
    assert all(lab.has_state(key) for key in lab.records)
    asked = {key for key, _ in lab.found.plan.continues.items()}
    assert len(asked) == 4
    taken = set(lab.found.plan.continues.values())
    lab.run()
    assert not any(lab.has_state(key) for key in taken)


def test_what_gc_may_remove_is_no_state_that_a_population_may_go_on_from(lab: Lab) -> None:
    lab.run(most=4)
    begun = next_revision(None, lab.found.plan, lab.text, {})
    lab.store.save_study(begun)
    kinds = lab.nothing.kinds
    trained = {("finetune", key) for key in lab.records}
    assert trained <= needs_of(lab.store, kinds).awaited
    lab.run()
    lab.store.save_study(next_revision(begun, lab.found.plan, lab.text, {}))
    assert not trained & needs_of(lab.store, kinds).awaited
