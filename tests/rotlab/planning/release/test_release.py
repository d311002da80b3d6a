"""Which stages may start, on graphs of any form."""

import random
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from rotlab.planning.plan.plan import Plan
from rotlab.planning.release.release import Release
from rotlab.planning.stage import Cell, Stage


class Nothing(BaseModel):
    """Settings of a stage that has none."""


def graph(parents: list[set[int]]) -> Plan:
    """A plan whose stage i takes input from stages parents[i], all below i; leaves are cells."""
    stages = {
        f"s{i}": Stage(f"s{i}", "work", Nothing(), {f"s{p}": f"s{p}" for p in sorted(above)})
        for i, above in enumerate(parents)
    }
    taken = {p for above in parents for p in above}
    cells = []
    for i in range(len(parents)):
        if i not in taken:
            needed = {i}
            for j in range(i, -1, -1):
                if j in needed:
                    needed |= parents[j]
            keys = tuple(f"s{j}" for j in sorted(needed))
            cells.append(Cell({"leaf": i}, "none", {"seed": 0}, "work", f"s{i}", keys))
    return Plan("graph", "", ("leaf",), tuple(cells), stages)


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    size = draw(st.integers(1, 14))
    parents: list[set[int]] = [set()]
    parents += [draw(st.sets(st.integers(0, i - 1), max_size=3)) for i in range(1, size)]
    return graph(parents)


@st.composite
def graphs_of_lengths(draw: st.DrawFn) -> Plan:
    """A graph in which some stages go on from the end of another that takes the same input."""
    plan = draw(graphs())
    keys = list(plan.stages)
    continues = {}
    for place, key in enumerate(keys):
        takes = plan.stages[key].inputs
        trunks = [one for one in keys[:place] if plan.stages[one].inputs == takes]
        trunk = draw(st.none() | st.sampled_from(trunks)) if trunks else None
        if trunk is not None:
            continues[key] = trunk
    takes_none = not any(stage.inputs for stage in plan.stages.values())
    order = draw(st.permutations(keys)) if takes_none else keys
    stages = {key: plan.stages[key] for key in order}
    return replace(plan, stages=stages, continues=continues)


def below(plan: Plan, key: str) -> set[str]:
    found = set(plan.children(key))
    for child in plan.children(key):
        found |= below(plan, child)
    return found


@settings(deadline=None)
@given(plan=graphs() | graphs_of_lengths(), seed=st.integers(0, 10**6), width=st.integers(1, 4))
def test_any_run_releases_parents_first_and_each_stage_once_and_ends(
    plan: Plan, seed: int, width: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # a schedule, not a secret
    done = {key for key in plan.stages if chance.random() < 0.2}
    release = Release(plan, done)
    running: list[str] = []
    starts: dict[str, int] = dict.fromkeys(plan.stages, 0)
    requeued: dict[str, int] = dict.fromkeys(plan.stages, 0)
    failed: set[str] = set()
    cancelled: set[str] = set()
    while not release.exhausted:
        for key in release.ready(width - len(running)):
            assert set(plan.stages[key].inputs.values()) <= done
            assert plan.continues.get(key) in {None} | done | failed | cancelled
            assert key not in done | failed | cancelled
            release.started(key)
            starts[key] += 1
            running.append(key)
        key = running.pop(chance.randrange(len(running)))
        event = chance.random()
        if event < 0.15:
            expected = {
                child
                for child in below(plan, key)
                if release.state(child) == "waiting" and _needs(plan, child, key, done)
            }
            gone = release.failed(key, "broke")
            assert set(gone) == expected
            assert len(gone) == len(set(gone))
            failed.add(key)
            cancelled |= set(gone)
        elif event < 0.3:
            release.requeue(key)
            requeued[key] += 1
        else:
            release.finished(key)
            done.add(key)
    assert all(starts[key] <= 1 + requeued[key] for key in plan.stages)
    assert done | failed | cancelled == set(plan.stages)
    assert set(release.missing()) == failed | cancelled
    counts = release.counts()
    assert (counts.done, counts.failed, counts.cancelled) == (
        len(done),
        len(failed),
        len(cancelled),
    )
    assert (counts.running, counts.waiting) == (0, 0)
    assert release.finished_all == (not failed)


def _needs(plan: Plan, key: str, failed: str, done: set[str]) -> bool:
    """Whether a stage takes input, through stages that are not done, from the failed one."""
    return any(
        parent == failed or (parent not in done and _needs(plan, parent, failed, done))
        for parent in plan.stages[key].inputs.values()
    )


def test_the_longest_chain_comes_first_then_what_most_cells_wait_for() -> None:
    #  0 -> 1 -> 2,   3 -> {4, 5},   6 -> 7,   8
    plan = graph([set(), {0}, {1}, set(), {3}, {3}, set(), {6}, set()])
    assert Release(plan).ready() == ["s0", "s3", "s6", "s8"]
    assert Release(plan).ready(2) == ["s0", "s3"]
    assert Release(plan, ["s4", "s5"]).ready() == ["s0", "s6", "s8", "s3"]


def test_a_failure_says_why_each_stage_is_missing() -> None:
    release = Release(graph([set(), {0}, {1}]))
    release.started("s0")
    assert release.failed("s0", "out of memory") == ("s1", "s2")
    assert release.missing() == {
        "s0": "out of memory",
        "s1": "needs work s0, which failed",
        "s2": "needs work s0, which failed",
    }
    assert release.exhausted


def test_events_that_cannot_be_are_refused() -> None:
    release = Release(graph([set(), {0}]))
    with pytest.raises(ValueError, match="s1 is waiting, expected ready"):
        release.started("s1")
    with pytest.raises(ValueError, match="not in the plan"):
        release.started("other")
    release.started("s0")
    release.finished("s0")
    with pytest.raises(ValueError, match="s0 is done"):
        release.failed("s0", "late")


def test_a_result_made_elsewhere_frees_its_children() -> None:
    release = Release(graph([set(), {0}]))
    release.finished("s0")
    assert release.ready() == ["s1"]
    assert release.counts("work").done == 1
    assert release.counts("other").done == 0


def three_lengths() -> Plan:
    """s0, s1 and s2 are 50, 100 and 200 epochs of one training; s3 and s4 take the first two."""
    plan = graph([set(), set(), set(), {0}, {1}])
    return replace(plan, continues={"s1": "s0", "s2": "s1"})


def test_a_longer_training_waits_for_the_shorter_one() -> None:
    release = Release(three_lengths())
    assert release.ready() == ["s0"]
    release.started("s0")
    release.finished("s0")
    assert release.ready() == ["s1", "s3"]
    release.finished("s1")
    assert set(release.ready()) == {"s2", "s3", "s4"}


def test_a_longer_training_is_not_cancelled_with_the_shorter_one_but_freed() -> None:
    release = Release(three_lengths())
    release.started("s0")
    release.requeue("s0")
    assert release.ready() == ["s0"]
    assert release.failed("s0", "broke") == ("s3",)
    assert release.ready() == ["s1"]
    assert release.missing()["s2"] == "was not started"


def test_a_longer_training_goes_with_the_input_that_both_lack() -> None:
    plan = replace(graph([set(), {0}, {0}]), continues={"s2": "s1"})
    release = Release(plan)
    assert release.failed("s0", "broke") == ("s1", "s2")
    assert release.exhausted


def test_a_longer_training_starts_at_once_where_the_shorter_one_is_done_already() -> None:
    assert Release(three_lengths(), ["s0"]).ready() == ["s1", "s3"]
    assert Release(three_lengths(), ["s1"]).ready() == ["s0", "s2", "s4"]


def test_a_shorter_training_is_first_wherever_the_plan_has_it() -> None:
    plan = three_lengths()
    turned = {key: plan.stages[key] for key in ("s2", "s1", "s0", "s3", "s4")}
    assert Release(replace(plan, stages=turned)).ready() == ["s0"]


def test_the_longest_chain_is_told_by_seconds_where_they_are_given() -> None:
    #  0 -> 1 -> 2,   3
    plan = graph([set(), {0}, {1}, set()])
    assert Release(plan).ready() == ["s0", "s3"]
    seconds = {"s0": 1.0, "s1": 1.0, "s2": 1.0, "s3": 5.0}
    assert Release(plan, seconds=seconds).ready() == ["s3", "s0"]
    assert Release(plan, ["s1", "s2"], {"s0": 2.0, "s3": 1.0}).ready() == ["s0", "s3"]


def test_a_stage_without_seconds_counts_as_long_as_the_others_do_on_average() -> None:
    #  0,   1,   2,   of which nobody knows how long 2 takes
    plan = graph([set(), set(), set()])
    assert Release(plan, seconds={"s0": 1.0, "s1": 9.0}).ready() == ["s1", "s2", "s0"]


@given(plan=graphs(), done=st.sets(st.integers(0, 13)))
def test_equal_seconds_give_the_order_of_no_seconds(plan: Plan, done: set[int]) -> None:
    keys = {f"s{index}" for index in done}
    equal = dict.fromkeys(plan.stages, 4.0)
    assert Release(plan, keys, equal).ready() == Release(plan, keys).ready()


def part(plan: Plan, number: int) -> Plan:
    """A plan as it was when it had its first stages only."""
    stages = dict(list(plan.stages.items())[:number])
    cells = tuple(cell for cell in plan.cells if stages.keys() >= set(cell.stages))
    return replace(plan, stages=stages, cells=cells)


@given(graphs_of_lengths(), st.data())
def test_a_plan_that_grows_under_way_releases_as_one_that_was_whole_from_the_start(
    plan: Plan, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(plan.stages)))
    small = part(plan, number)
    continues = {key: one for key, one in plan.continues.items() if key in small.stages}
    assume(
        small.stages.keys() >= set(continues.values())
    )  # a plan holds what its stages go on from
    small = replace(small, continues=continues)
    done = data.draw(st.integers(0, number))
    grown, whole = Release(small), Release(plan)
    for _ in range(done):
        ready = [key for key in grown.ready() if key in whole.ready()]
        if not ready:
            break
        for release in (grown, whole):
            release.started(ready[0])
            release.finished(ready[0])
    assert grown.grow(plan) == ()
    assert grown.ready() == whole.ready()
    assert grown.counts() == whole.counts()
    while whole.ready():
        key = whole.ready()[0]
        for release in (grown, whole):
            release.started(key)
            release.finished(key)
        assert grown.ready() == whole.ready()
    assert grown.finished_all == whole.finished_all


def test_what_is_added_below_a_failed_stage_is_cancelled_with_the_reason() -> None:
    plan = graph([set(), {0}, {1}, set()])
    release = Release(part(plan, 1))
    release.started("s0")
    release.failed("s0", "it broke")
    assert release.grow(plan) == ("s1", "s2")
    assert release.ready() == ["s3"]
    assert release.missing()["s1"] == "needs work s0, which failed"
    assert release.missing()["s2"] == "needs work s1, which was cancelled"


def test_a_plan_does_not_shrink() -> None:
    plan = graph([set(), {0}])
    with pytest.raises(ValueError, match="stage s1 is not in the plan that has grown"):
        Release(plan).grow(part(plan, 1))


def test_what_is_waited_for_again_is_cancelled_where_its_input_has_failed_meanwhile() -> None:
    plan = graph([set(), {0}])
    above, below_it = plan.stages
    release = Release(plan)
    release.started(above)
    release.prune(below_it)
    assert release.failed(above, "boom") == ()
    assert not release.reopen(below_it)
    assert release.state(below_it) == "cancelled"
    assert release.missing()[below_it].endswith(f"{above}, which failed")
    assert release.exhausted
