"""A driver in a process of its own, to be watched and killed."""

import sys
from pathlib import Path

from rich.console import Console

from rotlab.execution.run import run_job
from rotlab.planning.plan import Plan
from tests.rotlab.execution.lab import make_job, make_plan, make_stage


def mixed() -> Plan:
    """Return a plan in which one count fails and the worker of another dies once."""
    good = make_stage("count", name="good", epochs=3)
    bad = make_stage("count", name="bad", fail=True)
    mortal = make_stage("count", name="mortal", epochs=3, die_once=True)
    fine = make_stage("total", {"x": good, "y": mortal}, name="fine")
    doomed = make_stage("total", {"x": good, "y": bad}, name="doomed")
    return make_plan([good, bad, mortal, fine, doomed])


def long(seconds: float = 0.05, epochs: int = 220) -> Plan:
    """Return a plan of two counts of some 11 seconds each, and their total."""
    counts = [make_stage("count", name=name, epochs=epochs, seconds=seconds) for name in ("a", "b")]
    total = make_stage("total", {"a": counts[0], "b": counts[1]}, name="total")
    return make_plan([*counts, total])


def lengths() -> Plan:
    """Return a plan of trainings of 2, 4 and 8 epochs, of which that of 4 fails."""
    return make_plan(
        [
            make_stage("learn", name="a", epochs=8),
            make_stage("learn", name="a", epochs=4, fail=True),
            make_stage("learn", name="a", epochs=2),
        ]
    )


SCENARIOS = {"mixed": mixed, "long": long, "lengths": lengths}


def main(scenario: str, store: str) -> int:
    """Run a scenario and return the exit status."""
    return run_job(make_job(SCENARIOS[scenario](), Path(store)), Console(stderr=True), print)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
