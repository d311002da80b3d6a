"""Searches that stop what falls behind: what is stopped, what never is, and what is remembered."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rotlab.execution.conduct.assignment import Assignment
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Conduct, Policy
from rotlab.execution.conduct.message import Message, Point
from rotlab.execution.conduct.teller import Teller
from rotlab.execution.search.searches import Searches
from rotlab.planning.plan.decisions import Decisions, Ended
from rotlab.planning.plan.planner import Planner
from rotlab.planning.plan.serial_searches import ended_to_json
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import Resources, Stage
from rotlab.store.decision_book import DecisionBook
from rotlab.store.files import create_json
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import JournalOnly
from tests.rotlab.execution.search.climbs import KINDS, PLAIN, TEXT, height, make_climbs

Tell = Callable[[Stage, int], float]


class Killed(Exception):  # noqa: N818  it is no error
    """The driver is gone."""


def as_it_climbs(stage: Stage, epoch: int) -> float:
    """The height that the stage itself would tell."""
    return height(stage.config.climb, stage.config.seed, epoch)  # type: ignore[attr-defined]


class Mountain:
    """A run of the study without Ray: two workers, each at an epoch in turn.

    Args:
        store: of the study.
        text: its search space.
        dies_after: epochs after which the driver is killed; None: never.
        tell: (stage, epoch) -> what it tells.
        fails: says which stages fail at their end.
    """

    def __init__(
        self,
        store: Path,
        text: str = TEXT,
        *,
        dies_after: int | None = None,
        tell: Tell = as_it_climbs,
        fails: Callable[[Stage], bool] = lambda _: False,
    ) -> None:
        self.store, self._tell, self._fails = Store(store), tell, fails
        self._left = dies_after
        self.planner: Planner
        self.searches: Searches
        self.planner, self.searches = make_climbs(store, text)
        self.journal = Journal(self.store.journal_path("climbs"))
        self.epochs: dict[str, int] = {}  # trained by this driver, by stage
        self.starts: list[str] = []
        self._metrics = store / "metrics.json"
        self.done: dict[str, dict[str, float]] = (
            json.loads(self._metrics.read_text()) if self._metrics.exists() else {}
        )
        self._halfway = store / "halfway.json"
        self.halfway: dict[str, int] = (
            json.loads(self._halfway.read_text()) if self._halfway.exists() else {}
        )

    def run(self) -> "Mountain":
        """Run until nothing is left, or the driver is killed."""
        plan = self.searches.catch_up(
            lambda stages: {one.key: self.done[one.key] for one in stages if one.key in self.done}
        )
        there = [key for key in plan.stages if key in self.done]
        records: Any = {key: SimpleNamespace(kind="climb", seconds=60.0) for key in there}
        self.conduct = Conduct(
            plan,
            records,
            {"climb": Resources(1, 0)},
            lambda: Capacity(2, 0),
            JournalOnly(self.journal),
            policy=Policy(same_errors=0),
            searches=self.searches,
        )
        at_work: list[tuple[Assignment, int]] = []
        try:
            while True:
                while isinstance(one := self.conduct.propose(), Assignment):
                    self.conduct.began(one.key, one.attempt)
                    self.starts.append(one.key)
                    at_work.append((one, self.halfway.get(one.key, 0)))
                if not at_work:
                    return self
                one, epoch = at_work.pop(0)
                if not self._step(one, epoch + 1):
                    at_work.append((one, epoch + 1))
        except Killed:
            return self
        finally:
            self.journal.close()
            self._metrics.write_text(json.dumps(self.done))
            self._halfway.write_text(json.dumps(self.halfway))

    def _step(self, one: Assignment, epoch: int) -> bool:
        """Train an epoch, and say whether the attempt is over."""
        stage = self.conduct.plan.stages[one.key]
        if one.sign is not None and Path(one.sign).exists():
            self.conduct.heard(one.key, one.attempt, Message("PRUNED"))
            return True
        self.epochs[one.key] = self.epochs.get(one.key, 0) + 1
        points = (Point(10 * epoch, 0.0, {"height": self._tell(stage, epoch)}),)
        is_last = epoch == stage.config.climb.epochs  # type: ignore[attr-defined]
        if is_last and self._fails(stage):
            self.conduct.heard(one.key, one.attempt, Message("FAILED", points, error="fell"))
        elif is_last:
            self.done[one.key] = {"height": points[0].metrics["height"]}
            message = Message("FINISHED", points, self.done[one.key], 60.0)
            self.conduct.heard(one.key, one.attempt, message)
        else:
            self.halfway[one.key] = epoch
            self.conduct.heard(one.key, one.attempt, Message("RUNNING", points))
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise Killed
        return is_last

    def decisions(self) -> dict[str, str]:
        """Every decision as it lies there."""
        root = self.store.root / "searches"
        return {
            path.relative_to(root).as_posix(): path.read_text()
            for path in sorted(root.glob("*/*.json"))
        }

    def told(self, form: str) -> list[dict[str, Any]]:
        """The decisions whose files are called so."""
        return [json.loads(t) for n, t in self.decisions().items() if Path(n).match(form)]

    def pruned(self) -> set[str]:
        """Stages that it was decided to stop."""
        return {one["key"] for one in self.told("pruned-*")}


@pytest.fixture
def calm(tmp_path: Path) -> Mountain:
    return Mountain(tmp_path / "calm" / "store").run()


def tried(one: Mountain) -> set[str]:
    """Stages of all proposals."""
    return {key for each in one.searches.plan.proposed for key in each.results}


def needed(one: Mountain) -> set[str]:
    """Stages of the cells."""
    return {key for cell in one.searches.plan.cells for key in cell.stages}


def test_what_falls_behind_is_stopped_and_the_rest_gets_to_its_end(calm: Mountain) -> None:
    assert 4 <= len(calm.pruned()) < 14
    for key in calm.pruned():
        assert 3 <= calm.epochs[key] < 20
    for key in tried(calm) - calm.pruned():
        assert calm.epochs[key] == 20
    assert not calm.searches.undecided()
    assert calm.searches.num_pruned == len(calm.pruned())


def test_cells_get_to_their_end_with_all_replicates(calm: Mountain) -> None:
    assert len(calm.searches.plan.cells) == 4
    assert needed(calm) <= calm.done.keys()
    assert needed(calm).isdisjoint(calm.pruned())


def test_a_proposal_that_was_stopped_does_not_win(calm: Mountain) -> None:
    winners = calm.told("winner-*")
    assert len(winners) == 2
    for winner in winners:
        assert len(winner["values"]) == 8
        assert winner["pruned"]
        whole = {
            number: value
            for number, value in winner["values"].items()
            if int(number) not in winner["pruned"]
        }
        assert winner["value"] == max(whole.values())
        assert str(winner["number"]) in whole


def test_nor_does_it_where_it_had_come_to_more_than_the_others_end_with(tmp_path: Path) -> None:
    run = Mountain(tmp_path / "store", tell=lambda stage, at: as_it_climbs(stage, at) - at).run()
    winners = run.told("winner-*")
    assert len(winners) == 2
    for winner in winners:
        assert winner["number"] not in winner["pruned"]
        assert winner["value"] < max(winner["values"].values())


def test_a_decision_says_by_what_it_was_taken(calm: Mountain) -> None:
    for told in calm.told("pruned-*"):
        assert told["because"] == "asha (grace_period 3, reduction_factor 2)"
        assert told["step"] == 10 * told["epoch"]
        assert told["value"] == told["curve"][str(told["step"])]
        assert any(value > told["value"] for value in told["beside"].values())


def test_what_it_had_come_to_is_the_value_of_a_proposal_that_was_stopped(calm: Mountain) -> None:
    values = {
        (told["tuning"], told["number"]): told["value"]
        for told in calm.told("*-value.json")
        if told.get("pruned")
    }
    stopped = {(told["tuning"], told["number"]): told["value"] for told in calm.told("pruned-*")}
    assert values == stopped


def test_stages_have_the_keys_that_they_have_without_a_pruner(tmp_path: Path) -> None:
    plain, cut = (make_climbs(tmp_path / name / "store", text) for name, text in SPACES.items())
    for number in (1, 2, 3):
        for one in (plain[1], cut[1]):
            one.catch_up(lambda _: {})
        made = [
            [p for p in one[1].plan.proposed if p.proposal.number == number] for one in (plain, cut)
        ]
        assert [p.results for p in made[0]] == [p.results for p in made[1]]
    assert plain[0].tunings.keys().isdisjoint(cut[0].tunings)


SPACES = {"plain": PLAIN, "cut": TEXT}


@pytest.mark.parametrize("dies_after", range(5, 130, 12))
def test_killed_at_any_moment_no_decision_is_lost_or_taken_twice(
    tmp_path: Path, dies_after: int
) -> None:
    store = tmp_path / "store"
    killed = Mountain(store, dies_after=dies_after).run()
    before, stopped = killed.decisions(), killed.pruned()
    again = Mountain(store).run()
    assert before.items() <= again.decisions().items()
    assert not again.searches.undecided()
    for key in stopped:  # nor is a stage begun again that was stopped
        assert key not in again.starts or key in needed(again)
    total = {key: killed.epochs.get(key, 0) + again.epochs.get(key, 0) for key in again.epochs}
    assert all(number <= 20 for number in total.values())


def test_killed_between_hearing_and_deciding_it_decides_when_it_is_back(tmp_path: Path) -> None:
    store = tmp_path / "store"
    calm = Mountain(store).run()
    key = min(calm.pruned())
    (path,) = store.glob(f"searches/*/pruned-{key}.json")
    told = json.loads(path.read_text())
    path.unlink()
    for name in (f"{told['number']}-value.json", "winner-8.json"):
        (path.parent / name).unlink()
    again = Mountain(store).run()
    assert key in again.pruned()
    assert key not in again.starts


def test_without_the_pruner_it_goes_on_from_where_it_was_stopped(tmp_path: Path) -> None:
    store = tmp_path / "store"
    cut = Mountain(store).run()
    whole = Mountain(store, PLAIN).run()
    assert tried(cut) <= tried(whole)  # random draws are the same
    for key in cut.pruned():
        assert cut.epochs[key] + whole.epochs[key] == 20
    alone = Mountain(tmp_path / "alone" / "store", PLAIN).run()
    winner, found = alone.told("winner-*"), whole.told("winner-*")
    assert all(one in found for one in winner)


def test_more_proposals_go_on_with_what_was_decided(tmp_path: Path) -> None:
    store = tmp_path / "store"
    cut = Mountain(store).run()
    before, stopped = cut.decisions(), cut.pruned()
    more = Mountain(store, TEXT.replace("proposals: 8", "proposals: 12")).run()
    assert before.items() <= more.decisions().items()
    assert stopped.isdisjoint(set(more.starts) - needed(more))
    assert len(more.told("winner-12.json")) == 2


def test_what_another_study_asks_for_is_not_stopped(tmp_path: Path) -> None:
    calm = Mountain(tmp_path / "calm" / "store").run()
    key = min(calm.pruned() - needed(calm))
    rate = next(
        p.proposal.settings["climb.rate"] for p in calm.searches.plan.proposed if key in p.results
    )
    other = tmp_path / "other" / "store"
    text = PLAIN[: PLAIN.index("search:")].replace("climbs", "beside")
    path = tmp_path / "beside.yaml"
    path.write_text(f"{text}climb: {{rate: {rate!r}}}\n")
    spec = load_spec(path, KINDS)
    plan = Planner(spec, KINDS, {"weizmann": calm.planner._datasets["weizmann"]}).plan(Decisions())
    assert key in plan.stages
    Store(other).save_study(next_revision(None, plan, spec.text, {}))
    run = Mountain(other).run()
    assert key not in run.pruned()
    assert run.epochs[key] == 20


def test_only_what_is_alike_is_compared(tmp_path: Path) -> None:
    """Climbs of the bent arm are told a thousand lower: within their own search that is nothing."""

    def lower(stage: Stage, epoch: int) -> float:
        return as_it_climbs(stage, epoch) - 1000 * stage.config.climb.bend  # type: ignore[attr-defined]

    plain = Mountain(tmp_path / "plain" / "store").run()
    low = Mountain(tmp_path / "low" / "store", tell=lower).run()
    assert plain.pruned() == low.pruned()


def test_of_a_proposal_on_several_seeds_all_that_is_left_is_stopped(tmp_path: Path) -> None:
    run = Mountain(tmp_path / "store", TEXT + "  seed: [0, 1]\n").run()
    cut = [one for one in run.told("*-value.json") if one.get("pruned")]
    assert cut
    for one in cut:
        assert any(key in run.pruned() for key in one["results"])
        for key in one["results"]:
            assert key in run.pruned() or key in run.done
    assert sum(run.epochs.get(key, 0) == 0 for key in run.pruned()) >= 1  # never begun
    assert not run.searches.undecided()


def test_where_all_others_fail_the_best_of_what_was_stopped_wins(tmp_path: Path) -> None:
    run = Mountain(tmp_path / "store", fails=lambda stage: stage.config.seed == 0).run()  # type: ignore[attr-defined]
    winners = run.told("winner-*")
    assert len(winners) == 2
    for winner in winners:
        told = {int(n): v for n, v in winner["values"].items() if v is not None}
        assert sorted(told) == winner["pruned"]
        assert winner["value"] == max(told.values())


def test_who_decides_first_decides_for_both(tmp_path: Path) -> None:
    """Another driver found a proposal ended well before this one would have stopped it."""
    calm = Mountain(tmp_path / "calm" / "store").run()
    told = calm.told("pruned-*")[0]
    store = tmp_path / "store"
    folder = store / "searches" / told["tuning"]
    folder.mkdir(parents=True)
    ended = Ended(told["tuning"], told["number"], 0.5, (told["key"],))
    run = Mountain(store)
    create_json(
        folder / f"{told['number']}-value.json", {"format": 1, **ended_to_json(ended)}, ".tmp"
    )
    run.run()
    assert told["key"] not in run.pruned()


@pytest.mark.parametrize(
    ("where", "name"), [(DecisionBook, "keep_pruned"), (Teller, "tell_pruned")]
)
def test_killed_while_it_stops_a_try_it_ends_that_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: type, name: str
) -> None:
    """Between a try's value and the file that its worker looks for, and before all is told."""
    store = tmp_path / "store"
    with monkeypatch.context() as patch:

        def dies(*_: object) -> None:
            raise Killed

        patch.setattr(where, name, dies)
        killed = Mountain(store).run()
    cut = {
        f"{path.parent.name}/{json.loads(path.read_text())['number']}"
        for path in store.glob("searches/*/*-value.json")
        if json.loads(path.read_text()).get("pruned")
    }
    assert cut  # it was at it
    again = Mountain(store).run()
    assert not again.searches.undecided()
    files = {json.loads(path.read_text())["key"] for path in store.glob("searches/*/pruned-*.json")}
    events = list(again.journal.read())
    told = [event["key"] for event in events if event["event"] == "stage_pruned"]
    assert sorted(told) == sorted(files)  # each once
    stopped = {
        f"{path.parent.name}/{json.loads(path.read_text())['number']}"
        for path in store.glob("searches/*/pruned-*.json")
    }
    assert cut <= stopped
    assert killed.journal is not again.journal
