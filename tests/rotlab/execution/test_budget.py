"""What a study has used, told from its events."""

from typing import Any

import pytest

from rotlab.execution.budget import Hours, Spending, spent


def started(hour: float, attempt: str, cpus: int = 1, gpus: float = 0.0) -> dict[str, Any]:
    return {
        "event": "stage_started",
        "time": hour * 3600,
        "attempt": attempt,
        "cpus": cpus,
        "gpus": gpus,
    }


def ended(hour: float, attempt: str | None, state: str = "FINISHED") -> dict[str, Any]:
    return {"event": "stage_ended", "time": hour * 3600, "attempt": attempt, "state": state}


def study(hour: float, event: str) -> dict[str, Any]:
    return {"event": f"study_{event}", "time": hour * 3600}


def test_attempts_are_added_up_whatever_became_of_them() -> None:
    events = [
        study(0, "started"),
        started(0, "a", cpus=2, gpus=0.5),
        started(1, "b", gpus=1),
        ended(2, "a", "FAILED"),
        ended(3, "b", "KILLED"),
        ended(3, "reused", "REUSED"),
        ended(3, None, "CANCELLED"),
        study(4, "ended"),
    ]
    assert spent([events]) == Hours(gpu_hours=3.0, cpu_hours=6.0, wall_hours=4.0)


def test_what_runs_counts_until_now() -> None:
    spending = Spending([study(0, "started"), started(1, "a", gpus=1)])
    assert spending.used(3 * 3600) == Hours(2.0, 2.0, 3.0)


def test_an_attempt_whose_driver_was_killed_ends_with_the_last_that_was_heard() -> None:
    events = [
        study(0, "started"),
        started(0, "a"),
        {"event": "stage_metrics", "time": 3600.0},
        study(100, "started"),
        started(100, "a2"),
        ended(101, "a2"),
        study(101, "ended"),
    ]
    assert spent([events]) == Hours(0.0, 2.0, 2.0)


def test_the_journals_of_runs_side_by_side_are_added_up() -> None:
    one = [study(0, "started"), started(0, "a"), ended(2, "a"), study(2, "ended")]
    two = [study(1, "started"), started(1, "b"), ended(2, "b"), study(2, "ended")]
    assert spent([one, two]) == Hours(0.0, 3.0, 3.0)


def test_the_limit_that_is_nearest_is_named() -> None:
    used = Hours(5, 30, 1)
    assert Hours().share(used) == (0.0, "")
    assert Hours(gpu_hours=10, cpu_hours=40).share(used) == (0.75, "30 of 40 CPU-hours")
    share, words = Hours(wall_hours=0.5, cpu_hours=40).share(used)
    assert share == pytest.approx(2.0)
    assert words == "1 of 0.5 hours"
