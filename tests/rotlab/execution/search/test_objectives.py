"""Searches with several objectives, as their study runs: proposals, winners, what is told."""

from pathlib import Path

import numpy as np
import pytest

from rotlab.cli import main
from rotlab.execution.conduct.effort import Effort
from rotlab.execution.search.sampling import propose
from rotlab.execution.search.searches import Searches
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.kinds import load_kinds
from rotlab.planning.lengths import continuations
from rotlab.planning.plan.decisions import Proposal
from rotlab.planning.plan.planned import find_all
from rotlab.planning.plan.planner import Planner
from rotlab.planning.space.allowance import Hours
from rotlab.planning.space.objectives import Objective, pareto_front
from rotlab.planning.space.ranges import Domain, OneOf, Range
from rotlab.planning.space.samplers import Sampler
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import Resources, Stage
from rotlab.store.decision_book import DecisionBook
from rotlab.store.overturned import overturned
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_stage
from tests.rotlab.execution.search.trials import TEXT, run

DOMAINS: dict[str, Domain] = {
    "rate": Range(1e-4, 1.0, log=True),
    "epochs": Range(2, 40, whole=True),
    "schedule": OneOf(("step", "cosine")),
}
SAMPLERS = [
    Sampler("tpe", {"n_startup_trials": 4}),
    Sampler("tpe", {"n_startup_trials": 4, "multivariate": True, "constant_liar": True}),
    Sampler("tpe", {"n_startup_trials": 4, "group": True}),
    Sampler("gp", {"n_startup_trials": 4}),
    Sampler("nsgaii", {"population_size": 4, "mutation_prob": 0.2}),
    Sampler("qmc"),
    Sampler("random"),
]
OBJECTIVES = (Objective("val_accuracy", "maximize"), Objective("cpu_hours", "minimize"))
BOTH = TEXT.replace("proposals: 6", "proposals: 8").replace(
    "  at_once", "  metric: {val_accuracy: maximize, cpu_hours: minimize}\n  at_once"
)


def came_to(proposal: Proposal) -> tuple[float, float]:
    """The longer the better and the dearer, if the rate is near 0.01."""
    settings = proposal.settings
    distance = abs(float(np.log10(settings["rate"])) + 2)
    return settings["epochs"] / 40 - distance, float(settings["epochs"])


def search(sampler: Sampler, number: int, at_once: int = 2) -> list[Proposal]:
    made: list[Proposal] = []
    for at in range(1, number + 1):
        known = max(at - at_once, 0)
        told = [(one, None if one.number == 2 else came_to(one)) for one in made[:known]]
        under_way = made[known:]
        made.append(propose("key", at, DOMAINS, sampler, told, under_way, maximize=(True, False)))
    return made


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_proposals_lie_in_the_ranges_and_come_again_for_equal_knowledge(sampler: Sampler) -> None:
    made = search(sampler, 8)
    for one in made:
        assert 1e-4 <= one.settings["rate"] <= 1.0
        assert one.settings["epochs"] in range(2, 41)
        assert one.settings["schedule"] in ("step", "cosine")
    assert made == search(sampler, 8)


@pytest.mark.parametrize(
    "sampler",
    [
        Sampler("tpe", {"n_startup_trials": 8}),
        Sampler("nsgaii", {"population_size": 8}),
    ],
    ids=str,
)
def test_what_learns_from_both_ends_nearer_the_front_than_chance(sampler: Sampler) -> None:
    """On the true front the rate is 0.01, whatever the length."""

    def distance(one: Sampler) -> float:
        late = search(one, 40)[-16:]
        return sum(abs(float(np.log10(each.settings["rate"])) + 2) for each in late) / 16

    assert distance(sampler) < 0.8 * distance(Sampler("random"))


class Told:
    """A core is taken for as many hours as the rate is large."""

    def hours(self, stage: Stage) -> Hours:
        rate = 0.0 if stage.kind == "pretrain" else float(stage.config.finetune.lr)  # type: ignore[attr-defined]
        return {"gpu_hours": 0.0, "cpu_hours": rate}

    whole = hours


def searches(folder: Path, text: str = BOTH) -> Searches:
    folder.mkdir(exist_ok=True)
    path = folder / "space.yaml"
    path.write_text(text)
    spec = load_spec(path)
    planner = Planner(spec, load_kinds(), find_all(spec, folder / "none"))
    assert spec.search is not None
    return Searches(planner, spec.search, DecisionBook(folder / "store"), taken=Told())


def values(found: Searches, tuning: str) -> dict[int, tuple[float, float]]:
    """What each proposal came to: the nearer to 0.03 the better, and the larger the dearer."""
    rates = {
        one.proposal.number: one.proposal.settings["finetune.lr"]
        for one in found.plan.proposed
        if one.proposal.tuning == tuning
    }
    return {number: (-abs(rate - 0.03), rate) for number, rate in rates.items()}


def taken(found: Searches) -> dict[str, float]:
    return {cell.arm["init"]: cell.overrides["finetune.lr"] for cell in found.plan.cells}


def test_the_best_by_the_metric_wins_and_the_front_is_kept(tmp_path: Path) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    decided = DecisionBook(tmp_path / "store").read(found.plan.tunings)
    for key, tuning in found.plan.tunings.items():
        points, winner = values(found, key), decided.winners[key]
        assert winner.number == max(points, key=lambda number: points[number][0])
        assert winner.front == pareto_front(points, OBJECTIVES)
        assert winner.others == {number: (one[1],) for number, one in points.items()}
        assert taken(found)[tuning.arms[0]["init"]] == points[winner.number][1]


def test_the_same_is_tried_and_taken_whatever_ends_first_or_is_broken_off(tmp_path: Path) -> None:
    each = []
    for seed in range(3):
        run(searches(tmp_path / str(seed)), np.random.default_rng(seed), most=4 + 3 * seed)
        found = searches(tmp_path / str(seed))
        run(found, np.random.default_rng(seed))
        each.append(([one.proposal for one in found.plan.proposed], taken(found)))
    assert each[0] == each[1] == each[2]


def test_another_choice_takes_another_member_and_tries_nothing_anew(tmp_path: Path) -> None:
    whole = searches(tmp_path)
    run(whole, np.random.default_rng(0))
    near = searches(tmp_path, BOTH.replace("  at_once", "  choose: {within: 10}\n  at_once"))
    assert len(near.plan.awaited) == 2
    known = {
        key: {"val_accuracy": -abs(float(stage.config.finetune.lr) - 0.03)}  # type: ignore[attr-defined]
        for key, stage in whole.plan.stages.items()
        if stage.kind == "finetune"
    }
    plan = near.catch_up(lambda stages: {one.key: known.get(one.key, {}) for one in stages})
    assert [one.proposal for one in plan.proposed] == [one.proposal for one in whole.plan.proposed]
    for cell in plan.cells:
        (tuning,) = (k for k, one in plan.tunings.items() if one.arms[0] == cell.arm)
        cheapest = min(rate for _, rate in values(whole, tuning).values())
        assert cell.overrides["finetune.lr"] == cheapest
    again = searches(tmp_path)
    assert taken(again) == taken(whole)
    folder = tmp_path / "store" / "searches"
    assert len(list(folder.glob("*/winner-8-within-10.0.json"))) == 2
    withdrawn = overturned(tmp_path / "store", set(known))
    assert [one.num_winners for one in withdrawn] == [2, 2]


def test_status_tells_the_front(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = searches(tmp_path)
    run(found, np.random.default_rng(0))
    store = Store(tmp_path / "store")
    store.save_study(next_revision(None, found.plan, BOTH, {}))
    assert main(["status", "trial", "--store", str(store.root)]) == 0
    told = capsys.readouterr().out
    for key, tuning in found.plan.tunings.items():
        init = tuning.arms[0]["init"]
        assert (
            f"  init={init} on weizmann, rgb: Pareto front of 8 tries (highest val_accuracy, "
            "lowest cpu_hours)"
        ) in told
        points = values(found, key)
        for number in pareto_front(points, OBJECTIVES):
            first, second = points[number]
            said = f"    {first:.4g}, {second:.4g}: finetune.lr={second:.4g} (proposal {number}"
            assert said in told
    assert told.count(", which wins)") == 2


def test_what_a_longer_training_goes_on_from_is_part_of_what_it_takes(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    short, long = (make_stage("learn", name="a", epochs=n, seconds=0.02) for n in (2, 5))
    stages = {one.key: one for one in (short, long)}
    work = Work(stages, KINDS, {}, store.root, {"learn": 1}, continues=continuations(stages, KINDS))
    for key in stages:
        perform(key, work, Unwatched())
    effort = Effort(store, "lab", KINDS, {"learn": Resources(gpus=0)})
    each = [effort.hours(one)["cpu_hours"] for one in (short, long)]
    record = store.record(long.key, "learn")
    assert record is not None
    assert record.continued == short.key
    assert effort.whole(short)["cpu_hours"] == pytest.approx(each[0])
    assert effort.whole(long)["cpu_hours"] == pytest.approx(sum(each))
