"""What a worker is told of a stage that came to the plan after it."""

import json
from pathlib import Path

from rotlab.execution.conduct.grown import behind, with_grown
from rotlab.execution.stage.perform import Work, perform
from rotlab.store.store import Store
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage


def test_a_worker_that_knew_nothing_can_do_all_that_it_was_told(tmp_path: Path) -> None:
    short = make_stage("learn", name="l", epochs=2)
    far = make_stage("learn", name="l", epochs=4)
    counts = [make_stage("count", name=name) for name in ("a", "b")]
    total = make_stage("total", {"a": counts[0], "b": counts[1]}, name="both")
    plan = make_plan([short, far, *counts, total])
    nothing = Work({}, KINDS, {}, tmp_path, dict.fromkeys(KINDS, 1))
    told = json.loads(json.dumps(behind(plan, total.key).json()))
    work = with_grown(nothing, told)
    assert work.stages.keys() == {total.key, *(one.key for one in counts)}
    for stage in (*counts, total):
        perform(stage.key, work, Unwatched())
    assert Store(tmp_path).records([total])[total.key].metrics == {"accuracy": 4.0}
    longer = with_grown(nothing, behind(plan, far.key).json())
    assert longer.continues == {far.key: short.key}
    perform(short.key, longer, Unwatched())
    assert perform(far.key, longer, Unwatched()).continued == short.key


def test_a_worker_that_was_told_nothing_knows_what_it_knew(tmp_path: Path) -> None:
    work = Work({}, KINDS, {}, tmp_path, {})
    assert with_grown(work, None) is work
