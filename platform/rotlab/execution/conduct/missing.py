"""What the end of a run says of stages that failed and of those that wait for them. Words only."""

import shlex
from collections.abc import Collection, Mapping, Sequence

from rotlab.execution.conduct.failures import Failure, debug_line, store_option
from rotlab.planning.plan.plan import Plan

MAX_LISTED = 5
_REASON_CHARS = 400  # the way out stands at the end


def describe_missing(
    plan: Plan,
    failures: Mapping[str, Failure],
    missing: Collection[str],
    options: Sequence[str],
) -> list[str]:
    """Return lines that name each reason once, with the commands that show a stage fail for it.

    Args:
        plan: that was run.
        failures: key -> why it failed.
        missing: keys of all stages that are not done, the failed ones among them.
        options: of the run, as `debug_line` takes them.
    """
    waiting = {key: _num_waiting(plan, key, missing) for key in failures}
    lines = [_heading(plan, failures, missing)]
    for (kind, reason), keys in _by_reason(plan, failures).items():
        lines.append(f"{_counted(len(keys), f'{kind} stage')} failed: {reason}")
        for key in sorted(keys, key=lambda key: -waiting[key])[:MAX_LISTED]:
            held = f"  # {_wait(waiting[key])} for it" if waiting[key] else ""
            lines.append(f"  {debug_line(key, options)}{held}")
        if len(keys) > MAX_LISTED:
            status = shlex.join(["rotlab", "status", plan.name, *store_option(options)])
            lines.append(f"  and {len(keys) - MAX_LISTED} more: {status}")
    if failures:
        retry = shlex.join(["rotlab", "retry", plan.name, *store_option(options)])
        lines.append(
            "These commands show a stage fail; the same `run` tries all of them again, and "
            f"`{retry} KEY` one of them"
        )
    return lines


def describe_undecided(plan: Plan, key: str, why: str) -> str:
    """Return a line that says which search has found no settings, or which look is not taken.

    Args:
        plan: that it is of.
        key: of the search, or of what is looked at.
        why: there is no decision.
    """
    if key in plan.families:
        return f"{plan.families[key].measure} on {plan.families[key].target}: {why}"
    tuning = plan.tunings[key]
    arms = "; ".join(
        ", ".join(f"{axis}={value}" for axis, value in arm.items()) or "the one arm"
        for arm in tuning.arms[:MAX_LISTED]
    )
    more = f" and {len(tuning.arms) - MAX_LISTED} more" * (len(tuning.arms) > MAX_LISTED)
    return f"no settings yet for {arms}{more} on {tuning.place}: {why}"


def _heading(plan: Plan, failures: Mapping[str, Failure], missing: Collection[str]) -> str:
    held = plan.outcomes_of(failures) & set(missing)
    held -= failures.keys()
    rest = len(missing) - len(failures) - len(held)
    parts = [f"{len(failures)} failed"] if failures else []
    if held:
        parts.append(f"{_wait(len(held), noun='')} for {'it' if len(failures) == 1 else 'them'}")
    parts += [f"{rest} not started"] if rest else []
    return f"missing: {len(missing)} of {len(plan.stages)} stages: {', '.join(parts)}"


def _by_reason(plan: Plan, failures: Mapping[str, Failure]) -> dict[tuple[str, str], list[str]]:
    """(kind, reason) -> the stages that failed so, in the plan's order."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, stage in plan.stages.items():
        if key in failures:
            reason = failures[key].reason
            cut = reason if len(reason) <= _REASON_CHARS else f"{reason[: _REASON_CHARS - 3]}..."
            found.setdefault((stage.kind, cut), []).append(key)
    return found


def _num_waiting(plan: Plan, key: str, missing: Collection[str]) -> int:
    return len((plan.outcomes_of([key]) - {key}) & set(missing))


def _wait(number: int, noun: str = "stage") -> str:
    counted = _counted(number, noun) if noun else str(number)
    return f"{counted} {'waits' if number == 1 else 'wait'}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
