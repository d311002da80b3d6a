"""What is said and returned at the end of a run that searched."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Assignment, Conduct
from rotlab.execution.conduct.failures import Failure
from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.listener import Event
from rotlab.execution.conduct.message import Message
from rotlab.execution.on_ray.conclude import DONE, INCOMPLETE, conclude
from tests.rotlab.execution.search.bowls import BOWL, Bowl, BowlConfig, make_searching_job


class Ear:
    """Remembers how the study ended."""

    def __init__(self) -> None:
        self.state = ""

    def record(self, event: Event) -> None:
        if event["event"] == "study_ended":
            self.state = event["state"]


def run(store: Path, fails: Callable[[Bowl], bool]) -> tuple[int, str, list[str], Job]:
    """Do all stages, of which some fail, and return how that ends."""
    job = make_searching_job(store)
    assert job.searches is not None
    job, ear = replace(job, plan=job.searches.catch_up(lambda _: {})), Ear()
    resources = {"bowl": BOWL.resources}
    conduct = Conduct(job.plan, {}, resources, lambda: Capacity(4, 0), ear, searches=job.searches)
    while isinstance(one := conduct.propose(), Assignment):
        conduct.began(one.key, one.attempt)
        line = [one, *one.then]
        while line:
            each = line.pop(0)
            config = conduct.plan.stages[each.key].config
            assert isinstance(config, BowlConfig)
            if not fails(config.bowl):
                height = -((math.log10(config.bowl.rate) + 2) ** 2)
                message = Message("FINISHED", metrics={"height": height}, seconds=1.0)
                conduct.heard(each.key, each.attempt, message)
                continue
            message = Message("FAILED", error="FloatingPointError: away", cause="diverged")
            conduct.heard(each.key, each.attempt, message)
            while line:  # its worker has ended with it
                rest = line.pop(0)
                conduct.died(rest.key, rest.attempt, Failure("worker", "ended"))
    job, said = replace(job, plan=conduct.plan), list[str]()
    return conclude(job, conduct, ear, said.append), ear.state, said, job


def test_a_study_is_done_though_proposals_have_failed(tmp_path: Path) -> None:
    status, state, said, job = run(tmp_path / "store", lambda bowl: bowl.side == "left")
    assert (status, state) == (DONE, "FINISHED")
    assert job.searches is not None
    failed, total = job.searches.num_failed, len(job.plan.stages)
    assert failed > 0
    assert said[0] == f"done: all {total - failed} stages are in the store"
    assert said[1].startswith(f"{failed} proposals failed, which ended searches have passed over")


def test_a_study_of_which_a_search_has_no_winner_is_not_done(tmp_path: Path) -> None:
    status, state, said, job = run(tmp_path / "store", lambda bowl: bowl.bend == 1)
    assert (status, state) == (INCOMPLETE, "FAILED")
    assert said[0] == "no settings yet for bowl.bend=1 on weizmann: all 10 proposals failed"
    assert said[1] == f"missing: 10 of {len(job.plan.stages)} stages: 10 failed"
