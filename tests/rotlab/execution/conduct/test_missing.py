"""What the end of a run says of stages that failed."""

from pathlib import Path

from rotlab.execution.conduct.failures import Failure
from rotlab.execution.conduct.missing import MAX_LISTED, describe_missing, describe_undecided
from rotlab.planning.stage import Stage
from tests.rotlab.execution.lab import make_plan, make_stage
from tests.rotlab.execution.search.throws import looking

A, B, C = (make_stage("count", name=name) for name in "abc")
BOTH = make_stage("total", {"a": A, "b": B}, name="both")
ONE = make_stage("total", {"a": A}, name="one")
ABOVE = make_stage("total", {"x": ONE}, name="above")
OPTIONS = ("--data", "d", "--store", "s t")
PLAN = make_plan([A, B, C, BOTH, ONE, ABOVE])


def describe(*missing: Stage, **failed: str) -> list[str]:
    stages = {"a": A, "b": B, "c": C}
    failures = {stages[name].key: Failure("bug", why) for name, why in failed.items()}
    return describe_missing(PLAN, failures, [stage.key for stage in missing], OPTIONS)


def test_a_failure_is_told_with_its_reason_its_command_and_what_waits_for_it() -> None:
    assert describe(A, BOTH, ONE, ABOVE, a="ValueError: no") == [
        "missing: 4 of 6 stages: 1 failed, 3 wait for it",
        "1 count stage failed: ValueError: no",
        f"  rotlab run-stage {A.key[:12]} --local --data d --store 's t'  # 3 stages wait for it",
        "These commands show a stage fail; the same `run` tries all of them again, and "
        "`rotlab retry lab --store 's t' KEY` one of them",
    ]


def test_equal_reasons_are_told_once_and_what_holds_up_most_comes_first() -> None:
    lines = describe(A, B, C, BOTH, ONE, ABOVE, b="E: x", a="E: x", c="E: y")
    assert lines[0] == "missing: 6 of 6 stages: 3 failed, 3 wait for them"
    assert [line for line in lines if "failed: E" in line] == [
        "2 count stages failed: E: x",
        "1 count stage failed: E: y",
    ]
    assert A.key[:12] in lines[2]
    assert lines[3].endswith(f"{B.key[:12]} --local --data d --store 's t'  # 1 stage waits for it")
    assert lines[5].endswith("--store 's t'")


def test_of_many_equal_failures_a_few_are_listed() -> None:
    stages = [make_stage("count", name=str(number)) for number in range(MAX_LISTED + 7)]
    failures = {stage.key: Failure("worker", "lost") for stage in stages}
    lines = describe_missing(make_plan(stages), failures, failures, OPTIONS)
    assert sum("run-stage" in line for line in lines) == MAX_LISTED
    assert "  and 7 more: rotlab status lab --store 's t'" in lines


def test_stages_that_were_never_started_are_counted_apart() -> None:
    assert describe(B, C, BOTH, b="E: x")[0] == (
        "missing: 3 of 6 stages: 1 failed, 1 waits for it, 1 not started"
    )


def test_a_long_reason_is_cut() -> None:
    assert len(describe(C, c="x" * 1000)[1]) < 450


def test_a_look_that_is_not_taken_is_told_with_its_reason(tmp_path: Path) -> None:
    looks = looking(tmp_path)
    looks.lost(list(looks.plan.stages)[:1])
    ((key, why),) = looks.undecided().items()
    assert describe_undecided(looks.plan, key, why) == (
        "throw on weizmann: the look at 3 seeds is not taken yet: 0 of 9 stages have ended, and 1 "
        "failed; it is taken once they are made"
    )
