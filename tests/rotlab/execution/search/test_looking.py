"""Looks as a study runs: what is decided when, kept, and found again."""

from pathlib import Path

import numpy as np
import pytest

from rotlab.cli import main
from rotlab.execution.search.looking import Looking
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotnet.errors import UserError
from tests.rotlab.execution.search.throws import TEXT, distance, looking, value


def run(
    found: Looking,
    rng: np.random.Generator,
    most: int = 10**6,
    failing: frozenset[str] = frozenset(),
) -> int:
    """Do stages in any order until nothing is left; return how many."""
    found.catch_up(lambda _: {})
    done: set[str] = set()
    while True:
        ready = [stage for key, stage in found.plan.stages.items() if key not in done]
        if not ready or len(done) == most:
            return len(done)
        stage = ready[int(rng.integers(len(ready)))]
        done.add(stage.key)
        if stage.key in failing:
            found.lost([stage.key])
        else:
            found.done(stage.key, {"distance": value(stage), "accuracy": 0.5})
        found.decide()


def seeds(found: Looking) -> dict[float, int]:
    """Force of a throw -> how many seeds its arm has."""
    numbers: dict[float, int] = {}
    for cell in found.plan.cells:
        force = float(cell.arm["throw.force"])
        numbers[force] = numbers.get(force, 0) + 1
    return numbers


def decisions(folder: Path) -> dict[str, str]:
    return {
        path.name: path.read_text() for path in sorted((folder / "store" / "looks").glob("*/*"))
    }


def test_an_arm_stops_at_the_first_look_and_another_goes_on_with_the_baseline(
    tmp_path: Path,
) -> None:
    found = looking(tmp_path)
    run(found, np.random.default_rng(0))
    assert seeds(found) == {0: 5, 1: 5, 20: 3}
    assert found.plan.is_decided
    assert not found.undecided()
    ((first, second),) = found.plan.looks.values()
    assert [one.outcome for one in first.verdicts] == ["open", "shown"]
    assert [one.outcome for one in second.verdicts] == ["shown", "shown"]
    assert second.values[2] == tuple(distance(20, seed) for seed in range(3))


def test_whatever_ends_first_the_decisions_are_the_same(tmp_path: Path) -> None:
    made = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = looking(folder)
        run(found, np.random.default_rng(seed))
        made.append((decisions(folder), [cell.result for cell in found.plan.cells]))
    assert made[0] == made[1] == made[2] == made[3]


def test_broken_off_at_any_moment_it_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = looking(tmp_path)
    number = run(whole, np.random.default_rng(0))
    for most in range(1, number):
        folder = tmp_path / str(most)
        folder.mkdir()
        run(looking(folder), np.random.default_rng(most), most=most)
        again = looking(folder)
        run(again, np.random.default_rng(most + 1))
        assert decisions(folder) == decisions(tmp_path)
        assert [cell.result for cell in again.plan.cells] == [
            cell.result for cell in whole.plan.cells
        ]


def test_from_results_that_are_there_all_looks_are_taken_at_once(tmp_path: Path) -> None:
    found = looking(tmp_path)
    plan = found.catch_up(lambda stages: {one.key: {"distance": value(one)} for one in stages})
    assert plan.is_decided
    assert seeds(found) == {0: 5, 1: 5, 20: 3}


def test_a_look_waits_for_all_its_seeds_and_says_so(tmp_path: Path) -> None:
    found = looking(tmp_path)
    found.catch_up(lambda _: {})
    first, *others = found.plan.stages.values()
    for stage in others:
        found.done(stage.key, {"distance": value(stage)})
    assert not found.decide()
    assert list(found.undecided().values()) == [
        "the look at 3 seeds is not taken yet: 8 of 9 stages have ended"
    ]
    found.done(first.key, {"distance": value(first)})
    assert found.decide()


def test_a_look_one_of_whose_stages_failed_is_taken_once_it_is_made(tmp_path: Path) -> None:
    found = looking(tmp_path)
    lost = frozenset(list(found.plan.stages)[:1])
    assert run(found, np.random.default_rng(0), failing=lost) == 9
    (why,) = found.undecided().values()
    assert why.endswith("8 of 9 stages have ended, and 1 failed; it is taken once they are made")
    assert not decisions(tmp_path)
    again = looking(tmp_path)
    run(again, np.random.default_rng(1))
    assert seeds(again) == {0: 5, 1: 5, 20: 3}


def test_another_list_of_looks_decides_anew_from_the_same_values(tmp_path: Path) -> None:
    run(looking(tmp_path), np.random.default_rng(0))
    more = looking(tmp_path, TEXT.replace("[3, 5, 7]", "[3, 5, 7, 30]"))
    assert set(seeds(more).values()) == {3}
    run(more, np.random.default_rng(0))
    assert more.plan.is_decided
    assert seeds(more)[0] == max(seeds(more).values())
    back = looking(tmp_path)
    assert back.plan.is_decided  # what was decided for a list stays with it


def test_values_that_do_not_spread_are_never_called_different(tmp_path: Path) -> None:
    found = looking(tmp_path)
    plan = found.catch_up(
        lambda stages: {
            one.key: {"distance": one.config.throw.force}  # type: ignore[attr-defined]
            for one in stages
        }
    )
    (taken,) = plan.looks.values()
    assert [[one.outcome for one in look.verdicts] for look in taken] == [
        ["open", "open"],
        ["open", "open"],
        ["not shown", "not shown"],
    ]
    assert set(seeds(found).values()) == {7}


def test_test_accuracy_is_never_asked_for(tmp_path: Path) -> None:
    found = looking(tmp_path)

    class NoTest(dict[str, float]):
        def __getitem__(self, name: str) -> float:
            assert name == "distance"
            return super().__getitem__(name)

    plan = found.catch_up(
        lambda stages: {one.key: NoTest(distance=value(one), accuracy=1.0) for one in stages}
    )
    assert plan.is_decided


def test_a_metric_that_is_not_reported_is_named_with_those_that_are(tmp_path: Path) -> None:
    found = looking(tmp_path)
    said = r"replicates.looks: throw \w+ reports no 'distance'; it has accuracy"
    with pytest.raises(UserError, match=said):
        found.catch_up(lambda stages: {one.key: {"accuracy": 1.0} for one in stages})


def test_a_damaged_look_is_named(tmp_path: Path) -> None:
    run(looking(tmp_path), np.random.default_rng(0))
    (path,) = (tmp_path / "store" / "looks").glob("*/1.json")
    path.write_text('{"format": 1}')
    with pytest.raises(UserError, match=f"{path}: cannot be read"):
        looking(tmp_path)


def test_status_tells_at_which_look_each_difference_is_and_what_was_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = looking(tmp_path)
    run(found, np.random.default_rng(0))
    store = Store(tmp_path / "store")
    store.save_study(next_revision(None, found.plan, TEXT, {}))
    assert main(["status", "throws", "--store", str(store.root)]) == 0
    told = capsys.readouterr().out
    assert "looks: throw on weizmann: 2 of 3 taken, 0 of 2 differences open" in told
    assert "throw.force=20.0 against throw.force=0.0: shown after 3 seeds (+20.6, p=3e-08" in told
    assert "throw.force=1.0 against throw.force=0.0: shown after 5 seeds (+1.66, p=0.0013" in told
