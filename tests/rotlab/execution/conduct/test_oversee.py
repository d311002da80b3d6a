"""What a driver finds when it looks around, and what its workers then read."""

from pathlib import Path

from rotlab.execution.conduct.budget import Usage
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Assignment, Policy
from rotlab.execution.conduct.oversee import ASK_EVERY_S, EVERY_S, Overseer
from rotlab.execution.conduct.stranded import PATIENCE_S
from rotlab.execution.on_ray.watch import POLL_EVERY_S, TrialWatch
from rotlab.planning.space.budget import Budget
from rotlab.planning.stage import Resources
from tests.rotlab.execution.conduct.labs import Lab


class Watched:
    """A run, its overseer, and a worker's watch."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(policy=Policy(budget=Budget(wall_hours=1.0)))
        self.lab.start()
        self.near: list[str] = []
        self.stranded: list[str] = []
        self.now, self.beside = 0.0, Usage()
        self.stop, self.cancel = folder / "stop", folder / "cancel"
        self.overseer = Overseer(
            self.lab.conduct,
            self.stop,
            self.cancel,
            lambda: self.beside,
            self.near.append,
            self.stranded.append,
            clock=lambda: self.now,
        )
        self.watch = TrialWatch(lambda _: None, self.stop, clock=lambda: self.now)

    def look(self) -> str:
        self.now += EVERY_S + POLL_EVERY_S
        self.overseer.look()
        return self.watch.should_stop()


def test_a_used_up_budget_has_workers_stop_at_their_next_checkpoint(tmp_path: Path) -> None:
    run = Watched(tmp_path)
    assert run.look() == "no"
    run.lab.now += 0.9 * 3600
    assert (run.look(), run.look(), run.near) == ("no", "no", ["0.9 of 1 hours"])
    run.lab.now += 0.2 * 3600
    assert run.look() == "at_checkpoint"


def test_a_wish_to_cancel_has_them_stop_now(tmp_path: Path) -> None:
    run = Watched(tmp_path)
    run.cancel.touch()
    assert run.look() == "now"
    assert run.lab.conduct.stopping


def test_ctrl_c_after_a_budget_has_them_stop_now(tmp_path: Path) -> None:
    run = Watched(tmp_path)
    run.lab.now += 2 * 3600
    assert run.look() == "at_checkpoint"
    run.stop.write_text("now")
    assert run.look() == "now"
    run.stop.unlink()
    assert run.look() == "now"


def test_what_runs_beside_have_used_counts(tmp_path: Path) -> None:
    run = Watched(tmp_path)
    assert run.look() == "no"
    run.beside = Usage(wall_hours=1.0)
    run.now += ASK_EVERY_S
    assert run.look() == "at_checkpoint"


def test_a_limit_that_is_met_while_stopping_softens_nothing(tmp_path: Path) -> None:
    run = Watched(tmp_path)
    run.cancel.touch()
    assert run.look() == "now"
    run.lab.now += 2 * 3600
    run.look()
    assert run.stop.read_text() == "now"


def test_stages_that_wait_for_a_node_which_does_not_come_are_told_of_once(tmp_path: Path) -> None:
    run = Watched(tmp_path)
    run.lab.conduct._capacity = lambda: Capacity(4, 0, ((4.0, 0.0),), 64)
    run.lab.conduct._resources = {"count": Resources(1, 1.0), "total": Resources(1, 0)}
    assert isinstance(run.lab.conduct.propose(), Assignment)
    for _ in range(4):
        run.now += ASK_EVERY_S
        run.look()
        run.lab.now += PATIENCE_S / 2
    (said,) = run.stranded
    assert "has not had for 10 minutes (1 for 1 CPU, 1 GPU)" in said
