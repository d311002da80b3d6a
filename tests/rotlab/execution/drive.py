"""A driver in a process of its own, to be watched and killed."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from rotlab.execution.conduct.conduct import Policy
from rotlab.execution.run import run_job
from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.budget import Budget
from rotlab.planning.stage import Resources, Stage
from tests.rotlab.execution.lab import make_job, make_plan, make_stage
from tests.rotlab.execution.search.bowls import TEXT as BOWLS
from tests.rotlab.execution.search.bowls import make_searching_job
from tests.rotlab.execution.search.climbs import PLAIN, make_climbing_job
from tests.rotlab.execution.search.climbs import TEXT as CLIMBS
from tests.rotlab.execution.search.throws import TEXT as THROWS
from tests.rotlab.execution.search.throws import make_looking_job
from tests.rotlab.execution.search.walks import make_walking_job


def mixed() -> Plan:
    """Return a plan of counts that fail, die, hang or lack memory once; and lengths."""
    good = make_stage("count", name="good", epochs=3)
    bad = make_stage("count", name="bad", fail=True)
    mortal = make_stage("count", name="mortal", epochs=3, die_once=True)
    fine = make_stage("total", {"x": good, "y": mortal}, name="fine")
    doomed = make_stage("total", {"x": good, "y": bad}, name="doomed")
    hung = make_stage("count", name="hung", epochs=3, hang_once=True)
    large = make_stage("count", name="large", epochs=3, no_memory_once=True)
    longest = make_stage("learn", name="a", epochs=8)
    middle = make_stage("learn", name="a", epochs=4, fail=True)
    shortest = make_stage("learn", name="a", epochs=2)
    return make_plan([good, bad, mortal, fine, doomed, hung, large, longest, middle, shortest])


def long(seconds: float = 0.05, epochs: int = 220) -> Plan:
    """Return a plan of two counts of some 11 seconds each, and their total."""
    counts = [make_stage("count", name=name, epochs=epochs, seconds=seconds) for name in ("a", "b")]
    total = make_stage("total", {"a": counts[0], "b": counts[1]}, name="total")
    return make_plan([*counts, total])


def small() -> Plan:
    """Return a plan of two counts, and their total."""
    counts = [make_stage("count", name=name, epochs=n) for name, n in (("a", 2), ("b", 3))]
    total = make_stage("total", {"a": counts[0], "b": counts[1]}, name="total")
    return make_plan([*counts, total], name="small")


def wide() -> Plan:
    """Return a plan of 36 counts of half a second, and 4 totals of nine each."""
    counts = [make_stage("count", name=f"c{number}", epochs=5, seconds=0.1) for number in range(36)]
    totals = [
        make_stage(
            "total", {f"x{i}": one for i, one in enumerate(counts[first::4])}, name=f"t{first}"
        )
        for first in range(4)
    ]
    return make_plan([*counts, *totals], name="wide")


def several() -> list[Stage]:
    """Return counts of two sorts, one that dies once, their total, and what cannot be tried."""
    counts = [make_stage("count", name="a", epochs=number) for number in (50, 60)]
    mortal = make_stage("count", name="mortal", epochs=3, die_once=True)
    total = make_stage("total", {"x": counts[0], "y": mortal}, name="total")
    return [*counts, mortal, total, make_stage("learn", name="l")]


def refused() -> Plan:
    """Return a plan of several stages, with one that fails and one that waits for it."""
    good, bad = make_stage("count", name="a"), make_stage("count", name="bad", fail=True)
    doomed = make_stage("total", {"x": good, "y": bad}, name="doomed")
    return make_plan([*several(), good, bad, doomed])


def tried() -> Plan:
    """Return a plan of several stages, and one of another sort."""
    return make_plan([*several(), make_stage("count", name="later")])


def lengths() -> Plan:
    """Return a plan of six trainings, each in two lengths, and a total of either length."""
    short, far = (
        [make_stage("learn", name=f"l{i}", epochs=epochs, seconds=0.3) for i in range(6)]
        for epochs in (3, 6)
    )
    totals = [
        make_stage("total", {f"x{i}": one for i, one in enumerate(learnt)}, name=name)
        for name, learnt in (("short", short), ("far", far))
    ]
    return make_plan([*far, *short, *totals], name="lengths")


def trainings() -> Plan:
    """Return a plan of four trainings of ten seconds each, and their total."""
    learnt = [make_stage("learn", name=f"l{i}", epochs=100, seconds=0.1) for i in range(4)]
    total = make_stage("total", {f"x{i}": one for i, one in enumerate(learnt)}, name="all")
    return make_plan([*learnt, total], name="trainings")


def shared() -> Plan:
    """Return a plan of counts of two sorts, one of which fails, to share a device."""
    counts = [make_stage("count", name="a", epochs=n, seconds=0.1) for n in range(20, 24)]
    return make_plan([*counts, make_stage("count", name="bad", fail=True)], name="shared")


def shared_more() -> Plan:
    """Return a plan of one sort, which the other had."""
    return make_plan([make_stage("count", name="a", epochs=9)], name="more")


def naps(name: str, number: int) -> Plan:
    """Return a plan of counts of six seconds."""
    counts = [make_stage("count", name=f"{name}{i}", epochs=12, seconds=0.5) for i in range(number)]
    return make_plan(counts, name=name)


SCENARIOS: dict[str, Callable[[], Plan]] = {
    "first naps": partial(naps, "first", 60),
    "naps": partial(naps, "second", 20),
    "heavy naps": partial(naps, "heavy", 30),
    "shared": shared,
    "shared more": shared_more,
    "shared without": shared_more,
    "mixed": mixed,
    "small": small,
    "long": long,
    "wide": wide,
    "tried": tried,
    "refused": refused,
    "lengths": lengths,
    "trainings": trainings,
}
ON_SHARES = {
    "gpus": 1,
    "resources": {"count": Resources(measured=True)},
    "gauge": "tests.rotlab.execution.lab:gauge",
}
RULES: dict[str, dict[str, Any]] = {
    "wide": {"policy": Policy(stale_s=3.0)},
    "mixed": {"hung_s": 3.0},
    "tried": {"smoke": "first"},
    "refused": {"smoke": "first"},
    "heavy naps": {"weight": 3.0},
    "shared": ON_SHARES,
    "shared more": ON_SHARES,
    "shared without": {**ON_SHARES, "gpus": 0},
}


def main(scenario: str, store: str, limit: str = "", only: str = "", address: str = "") -> int:
    """Run a scenario and return the exit status.

    Args:
        scenario: its name.
        store: where results lie; a path or URL.
        limit: in CPU-seconds; empty: none.
        only: name of a stage that is run alone, on two cores; empty: all are run.
        address: of a Ray cluster; empty starts one.
    """
    rules = RULES.get(scenario, {})
    if limit:
        rules = {"policy": Policy(budget=Budget(cpu_hours=float(limit) / 3600))}
    if address:
        rules = {**rules, "cpus": None, "gpus": None, "address": address}
    if scenario == "looks":
        text = f"{THROWS}throw: {{seconds: 1.0}}\n"
        return run_job(make_looking_job(Path(store), text), Console(stderr=True), print)
    if scenario in ("search", "long search"):
        text = BOWLS.replace(
            "proposals: 10", "proposals: 20" if "long" in scenario else "proposals: 10"
        )
        return run_job(make_searching_job(Path(store), text), Console(stderr=True), print)
    if scenario == "long climbs":
        text = CLIMBS.replace("proposals: 8", "proposals: 20")
        return run_job(make_climbing_job(Path(store), text), Console(stderr=True), print)
    if scenario in ("climbs", "whole climbs"):
        space = CLIMBS if scenario == "climbs" else PLAIN
        text = f"{space.replace('[0, 1]}', '[0]}', 1)}climb: {{seconds: 0.1}}\n"
        return run_job(make_climbing_job(Path(store), text), Console(stderr=True), print)
    if scenario == "walks":
        return run_job(make_walking_job(Path(store)), Console(stderr=True), print)
    plan = SCENARIOS[scenario]()
    if only:
        named = [k for k, one in plan.stages.items() if one.config.model_dump()["name"] == only]
        shares = dict.fromkeys(named, Resources(2, 0))
        rules = {**rules, "only": frozenset(plan.inputs_of(named)), "shares": shares}
    job = make_job(plan, store, **rules)
    return run_job(job, Console(stderr=True), print)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
