"""A population as a file asks for it: what is planned, and what is refused."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.planning.kinds import load_kinds
from rotlab.planning.outline.outline import outline, outline_json
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.imagined import imagine
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import find_all, plan_file
from rotlab.planning.plan.planner import Planner
from rotlab.planning.plan.serial import plan_from_json, plan_to_json
from rotlab.planning.space.spec import Spec
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD

FINETUNE = "finetune: {epochs: 12, schedule: constant, val_fraction: 0.25, final: train+val}\n"
SEARCH = """\
search:
  settings: {finetune.lr: {low: 0.001, high: 1, log: true}}
  population: {members: 4, every: 3}
"""
TEXT = "axes: {init: [rotation, scratch]}\nreplicates: {seed: [0, 1]}\n"
Read = Callable[[str], Spec]


def imagined(read: Read, text: str) -> Plan:
    """The plan as it may be once all is decided."""
    spec = read(HEAD + text)
    assert spec.search is not None
    planner = Planner(spec, load_kinds(), find_all(spec, spec.path.parent / "none"))
    return planner.plan(imagine(planner.tunings, spec.search, Decisions(), planner.fits))


def test_a_generation_is_as_long_as_every_says_and_goes_on_from_the_one_before(read: Read) -> None:
    plan = imagined(read, FINETUNE + TEXT + SEARCH)
    tried = {key for one in plan.proposed for key in one.results}
    epochs = Counter(plan.stages[key].config.finetune.epochs for key in tried)  # type: ignore[attr-defined]
    assert epochs == {3: 8, 6: 8, 9: 8, 12: 8}
    for key in tried:
        config = plan.stages[key].config
        trunk = plan.continues.get(key)
        if config.finetune.epochs == 3:  # type: ignore[attr-defined]
            assert trunk is None
        else:
            assert trunk is not None
            shorter = plan.stages[trunk].config.finetune.epochs  # type: ignore[attr-defined]
            assert shorter == config.finetune.epochs - 3  # type: ignore[attr-defined]


def test_a_member_that_never_took_over_is_a_training_like_any_other(
    read: Read, plan: MakePlan
) -> None:
    grown = imagined(read, FINETUNE + SEARCH)
    (one, *_) = (
        one
        for one in grown.proposed
        if one.proposal.settings["finetune.epochs"] == 12
        and "finetune.changes" not in one.proposal.settings
    )
    rate = one.proposal.settings["finetune.lr"]
    plain = FINETUNE.replace("final: train+val", f"final: train, lr: {rate!r}")
    assert set(one.stages) <= plan(plain).stages.keys()


def test_cells_replay_the_winners_schedule_with_their_own_seeds(read: Read) -> None:
    plan = imagined(read, FINETUNE + TEXT + SEARCH)
    assert (len(plan.cells), len(plan.awaited)) == (4, 0)
    for cell in plan.cells:
        assert "finetune.epochs" not in cell.overrides
        tuned = next(plan.stages[key] for key in cell.stages if plan.stages[key].kind == "finetune")
        assert tuned.config.finetune.epochs == 12  # type: ignore[attr-defined]
        assert tuned.config.seed == cell.replicate["seed"]  # type: ignore[attr-defined]


def test_where_cells_learn_from_what_a_population_does_the_winner_is_its_own_replay(
    read: Read,
) -> None:
    text = FINETUNE.replace("final: train+val", "final: train")
    plan = imagined(read, text + "replicates: {seed: [0, 1]}\n" + SEARCH)
    tried = {key for one in plan.proposed for key in one.results}
    replays = [[key for key in cell.stages if key in tried] for cell in plan.cells]
    assert list(map(len, replays)) == [1, 0]


def test_all_but_the_last_generation_is_to_go_on(read: Read) -> None:
    plan = imagined(read, FINETUNE + SEARCH)
    going_on = {plan.stages[key].config.finetune.epochs for key in plan.to_go_on}  # type: ignore[attr-defined]
    assert going_on == {3, 6, 9}
    assert {plan.stages[key].kind for key in plan.to_go_on} == {"finetune"}


def test_a_plan_with_a_population_is_read_back_as_it_was(read: Read) -> None:
    plan = imagined(read, FINETUNE + SEARCH)
    again = plan_from_json(plan_to_json(plan), load_kinds())
    assert again.tunings == plan.tunings
    assert again.proposed == plan.proposed
    assert again.stages == plan.stages


def test_another_population_is_another_search(plan: MakePlan) -> None:
    written = [
        "{members: 4, every: 3}",
        "{members: 5, every: 3}",
        "{members: 4, every: 4}",
        "{members: 4, every: 3, quantile_fraction: 0.5}",
        "{members: 4, every: 3, resample_probability: 0}",
    ]
    keys = {
        key for one in written for key in plan(FINETUNE + SEARCH.replace(written[0], one)).tunings
    }
    assert len(keys) == len(written)


def test_a_pretraining_is_bred_by_what_is_fine_tuned_from_it(read: Read) -> None:
    text = "pretrain: {epochs: 6, schedule: constant}\nfinetune: {val_fraction: 0.25}\n"
    search = SEARCH.replace("finetune.lr", "pretrain.lr")
    plan = imagined(read, text + search)
    kinds = Counter(plan.stages[key].kind for one in plan.proposed for key in one.stages)
    assert kinds == {"pretrain": 8, "finetune": 8}
    longer = [key for key in plan.continues if plan.stages[key].kind == "pretrain"]
    assert len(longer) >= 4


def bad(
    population: str = "{members: 4, every: 3}", more: str = "", finetune: str = FINETUNE
) -> str:
    return finetune + SEARCH.replace("{members: 4, every: 3}", population) + more


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bad("8"), "search.population: must be a mapping (members, every"),
        (bad("{members: 8}"), "search.population: needs every, as in {members: 8, every: 5}"),
        (bad("{members: 3, every: 3}"), "members: must be a whole number from 4 to 1,000, got 3"),
        (bad("{members: 4, every: 0}"), "every: must be a whole number from 1 to 1,000, got 0"),
        (bad("{members: 4, every: 5}"), "got 5 of 12; take 1, 2, 3, 4, 6, or another length"),
        (bad("{members: 4, every: 12}"), "into two generations or more, got 12 of 12"),
        (bad("{members: 4, every: 3, quantile_fraction: 0.6}"), "at most 0.5, got 0.6"),
        (bad("{members: 4, every: 3, size: 4}"), "unknown part of a population 'size'"),
        (bad(more="  proposals: 4\n"), "search.proposals: does not go with population"),
        (bad(more="  budget: {cpu_hours: 4}\n"), "search.budget: does not go with population"),
        (
            bad(more="  metric: {val_accuracy: maximize, cpu_hours: minimize}\n"),
            "search.metric: a population takes over by one metric",
        ),
        (bad(more="  at_once: 4\n"), "search.at_once: does not go with population"),
        (bad(more="  pruner: asha\n"), "search.pruner: does not go with population"),
        (bad(more="  sampler: random\n"), "search.sampler: does not go with population"),
        (
            bad(finetune=FINETUNE.replace("constant", "cosine")),
            "cosine over the whole length, and a population is trained in parts",
        ),
        (
            bad(finetune=FINETUNE.replace("constant", "constant, warmup_epochs: 3.0")),
            "every: must be above finetune.warmup_epochs, got 3 and 3",
        ),
        (
            bad(finetune=FINETUNE.replace("constant", "constant, changes: [{after: 3, lr: 0.1}]")),
            "decides finetune.changes, which is fixed, or an axis; take that away",
        ),
    ]
    + [
        (
            bad().replace("finetune.lr: {low: 0.001, high: 1, log: true}", f"{name}: [4, 8]"),
            f"search.settings.{name}: cannot change while a network is trained",
        )
        for name in ("model.width", "clip.frames", "finetune.batch_size", "pretrain.epochs")
    ]
    + [
        (
            bad().replace("{finetune.lr", "{pretrain.lr: [0.1, 0.2], finetune.lr"),
            "search.settings: belong to pretrain and finetune: a population trains one of them",
        ),
    ],
)
def test_what_cannot_be_a_population_is_one_error(text: str, said: str, plan: MakePlan) -> None:
    (problem,) = refused(plan, text)
    assert said in problem


def test_the_plan_tells_of_populations(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(HEAD + FINETUNE + TEXT + SEARCH)
    planned = plan_file(path, tmp_path / "none").imagined(Decisions())
    text = outline(planned, {})
    assert "2 populations of 4 members, 4 generations of 3 epochs; the highest val_accuracy" in text
    assert "proposal" not in text
    (first, _) = outline_json(planned, {})["searches"]
    assert first["population"]["members"] == 4
    assert first["proposals"] == 16
