"""A plan as people and programs read it before spending anything on it. Nothing is printed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rotlab.planning.cost.bill_outline import bill_json, bill_lines, budget_line
from rotlab.planning.cost.costed import Costed
from rotlab.planning.key import canonical
from rotlab.planning.lengths import Shared, shared_lengths, unshared_lengths
from rotlab.planning.outline.fitting_outline import held_out_lines
from rotlab.planning.outline.looks_outline import (
    Least,
    least_lines,
    looks_json,
    looks_lines,
    plan_lines,
)
from rotlab.planning.outline.population_outline import population_lines
from rotlab.planning.plan.collapse import Collapsed
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import Planned
from rotlab.planning.plan.weights import how_to_get
from rotlab.planning.release.simulated import Simulated
from rotlab.planning.space.search import Search

_LISTED = 12  # arms under one reason; more are counted only


def outline(
    planned: Planned,
    done: Mapping[str, int],
    costed: Costed | None = None,
    simulated: Simulated | None = None,
    least: Least | None = None,
) -> str:
    """Return the plan as text: cells, what collapsed or is excluded, stages, what is in the way.

    Args:
        planned: a file and its plan.
        done: kind -> number of its stages that are already in the store.
        costed: what it costs, where that is to be said.
        simulated: how a simulated run of it went, likewise.
        least: what it comes to if the next look settles all, where there are looks.
    """
    plan, spec = planned.plan, planned.spec
    lines = [f"{plan.name}: {plan.question}" if plan.question else plan.name, ""]
    lines.append(f"{plan.num_arms} arms, {len(plan.cells)} cells on {', '.join(spec.targets)}")
    lines += [f"collapsed: {_collapse(one)}" for one in plan.collapsed]
    impossible = ((one.because, one.arm) for one in plan.excluded if one.impossible)
    for because, arms in _by_reason(impossible).items():
        lines += _listed(f"left out: {because}", arms)
    excluded = ((one.because, one.arm) for one in plan.excluded if not one.impossible)
    for because, arms in _by_reason(excluded).items():
        lines += _listed(f"excluded: {_counted(len(arms), 'arm')}: {because}", arms)
    if plan.baseline:
        lines.append(
            f"baseline: {_described(plan.baseline)}; the others differ from it in one thing"
        )
    for one in plan.overridden:
        settings = _described(one.settings)
        heading = f"overridden: {_counted(len(one.arms), 'arm')} with {settings}: {one.because}"
        lines += _listed(heading, list(one.arms))
    lines += _searched(planned)
    lines += plan_lines(planned, least)
    taken = least.taken if least else {}
    lines += looks_lines(plan.families, taken) if any(taken.values()) else []
    lines += ["", *_table(plan, done), *held_out_lines(plan), *_lengths(planned)]
    lines += ["", *bill_lines(costed)] if costed else []
    lines += ["", *simulated.lines()] if simulated else []
    rest = least_lines(least) if least else []
    lines += ["", *rest] if rest else []
    lines += [""] * bool(plan.absent or plan.unsupported or spec.budget or plan.warnings)
    for name in plan.absent:
        lines.append(f"absent: {name}; prepare it with: {how_to_get(plan, name, planned.root)}")
    for because, arms in unsupported_arms(plan).items():
        lines += _listed(f"cannot run yet: {_counted(len(arms), 'arm')}: {because}", arms)
    if spec.budget:
        lines.append(budget_line(spec.budget, costed))
    lines += [f"warning: {warning}" for warning in plan.warnings]
    return "\n".join(lines)


def outline_json(
    planned: Planned,
    done: Mapping[str, int],
    costed: Costed | None = None,
    simulated: Simulated | None = None,
    least: Least | None = None,
) -> dict[str, Any]:
    """Return the same as plain values; `stages` and `stages_unshared` count each kind."""
    plan, spec = planned.plan, planned.spec
    return {
        "name": plan.name,
        "question": plan.question,
        "axes": {axis: list(values) for axis, values in spec.axes.items()},
        "arms": plan.num_arms,
        "cells": len(plan.cells),
        "stages": plan.count_by_kind(),
        "stages_total": len(plan.stages),
        "stages_unshared": dict(plan.stages_unshared),
        "stages_unshared_total": sum(plan.stages_unshared.values()),
        "stages_done": {kind: done.get(kind, 0) for kind in plan.count_by_kind()},
        "lengths_shared": [
            {**asdict(one), "saved": one.epochs - one.trained} for one in _shared(planned)
        ],
        "lengths_unshared": [asdict(one) for one in unshared_lengths(plan.stages, planned.kinds)],
        "collapsed": [
            {
                "axes": list(one.axes),
                "where": {choice: list(values) for choice, values in one.where.items()},
                "combinations": one.combinations,
                "arms": one.arms,
            }
            for one in plan.collapsed
        ],
        "excluded": [{"arm": dict(one.arm), "because": one.because} for one in plan.excluded],
        "overridden": [
            {
                "settings": dict(one.settings),
                "because": one.because,
                "arms": list(map(dict, one.arms)),
            }
            for one in plan.overridden
        ],
        "baseline": dict(plan.baseline),
        "absent": {name: how_to_get(plan, name, planned.root) for name in plan.absent},
        "unsupported": [
            {"because": because, "arms": arms} for because, arms in unsupported_arms(plan).items()
        ],
        "searches": [
            {
                "arms": list(map(dict, one.arms)),
                "target": one.target,
                "split": one.split,
                "proposals": one.proposals,
                "budget": {one.allowance.unit: one.allowance.hours} if one.allowance else None,
                "proposals_foreseen": planned.foreseen.get(one.key, one.proposals),
                "pruned_from_epoch": one.contest.grace if one.contest else None,
                "population": one.population.plain() if one.population else None,
            }
            for one in plan.tunings.values()
        ],
        "looks": looks_json(plan.families, least.taken if least else {}),
        "least": {
            "cells": len(least.planned.plan.cells),
            "stages_missing": least.missing,
            "costs": bill_json(least.costed),
            "simulated": least.simulated.json() if least.simulated else None,
        }
        if least
        else None,
        "budget": asdict(spec.budget),
        "warnings": list(plan.warnings),
        "costs": bill_json(costed) if costed else None,
        "simulated": simulated.json() if simulated else None,
    }


def unsupported_arms(plan: Plan) -> dict[str, list[Mapping[str, Any]]]:
    """Return why -> the arms that can be planned but not yet run."""
    return _by_reason(
        (why, cell.arm)
        for cell in plan.cells
        for why in dict.fromkeys(
            plan.unsupported[key] for key in cell.stages if key in plan.unsupported
        )
    )


def _by_reason(
    found: Iterable[tuple[str, Mapping[str, Any]]],
) -> dict[str, list[Mapping[str, Any]]]:
    """Each reason with its arms, every arm once."""
    by_reason: dict[str, dict[str, Mapping[str, Any]]] = {}
    texts: dict[int, str] = {}  # cells of one arm share one mapping
    for because, arm in found:
        text = texts.get(id(arm)) or texts.setdefault(id(arm), canonical(arm))
        by_reason.setdefault(because, {})[text] = arm
    return {because: list(arms.values()) for because, arms in by_reason.items()}


def _listed(heading: str, arms: list[Mapping[str, Any]]) -> list[str]:
    if len(arms) > _LISTED:
        return [heading]
    return [heading, *(f"  {_described(arm)}" for arm in arms)]


def _described(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{axis}={value}" for axis, value in values.items())


def _collapse(one: Collapsed) -> str:
    where = " and ".join(
        f"{choice} is {' or '.join(values)}" for choice, values in one.where.items()
    )
    axes = ", ".join(one.axes) + (f" where {where}" if where else "")
    them = "it" if len(one.axes) == 1 else "them"
    arms = _counted(one.arms, "arm")
    return (
        f"{axes}: {one.combinations} combinations are {arms}, because no stage there reads {them}"
    )


def _table(plan: Plan, done: Mapping[str, int]) -> list[str]:
    planned = plan.count_by_kind()
    rows = [("stages", "planned", "unshared", "saved", "in the store")]
    rows += [
        _row(kind, planned[kind], plan.stages_unshared[kind], done.get(kind, 0)) for kind in planned
    ]
    unshared = sum(plan.stages_unshared.values())
    rows.append(_row("total", len(plan.stages), unshared, sum(done.values())))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]


def _searched(planned: Planned) -> list[str]:
    """What is searched, how, and for how many arms."""
    search, plan = planned.spec.search, planned.plan
    if search is None:
        return []
    ranges = "; ".join(f"{name} {domain}" for name, domain in search.settings.items())
    number = _counted(len(plan.tunings), "search").replace("searchs", "searches")
    size = _counted(search.proposals, "proposal")
    if search.allowance is not None:
        size = f"{search.allowance}{_foreseen(planned.foreseen)}"
    contests = [one.contest for one in plan.tunings.values() if one.contest is not None]
    stopped = []
    if search.pruner is not None and contests:
        graces = sorted({one.grace for one in contests})
        grace = str(graces[0]) if len(graces) == 1 else f"{graces[0]} to {graces[-1]}"
        stopped = [
            f"  what falls behind is stopped by {search.pruner}, from epoch {grace} on; planned, "
            "and simulated, as if none were"
        ]
    if search.population is not None:
        return [f"searched: {ranges}", *population_lines(search, search.population, plan)]
    return [
        f"searched: {ranges}",
        f"  {number} of {size}, {search.at_once} at once, by {search.sampler}; {_judged(search)}",
        "  planned as if proposals were spread evenly; a simulation starts all of them at once",
        *stopped,
    ]


def _judged(search: Search) -> str:
    """By what a try wins."""
    first, *others = search.objectives
    said = f"the {first} of {search.by} on held-out videos"
    if not others:
        return f"{said} wins"
    rest = " and ".join(f"the {one}" for one in others)
    near = (
        f"the {others[0]} within {search.within:g} of the first" if search.within else "the first"
    )
    return f"for {said} and {rest}; {near} wins"


def _foreseen(numbers: Mapping[str, int | None]) -> str:
    """How many proposals searches that have hours are thought to make."""
    known = sorted(number for number in numbers.values() if number is not None)
    if not known or len(known) < len(numbers):
        return " each (how many proposals that is, nobody knows yet)"
    least = "" if known[0] == known[-1] else f"{known[0]} to "
    return f" each (some {least}{_counted(known[-1], 'proposal')})"


def _lengths(planned: Planned) -> list[str]:
    """What is saved by trainings that go on from shorter ones, and where none can."""
    lines = [
        f"{one.setting}: {one.going_on} of {one.stages} trainings go on from the end of a shorter "
        f"one: {one.trained:,} of {one.epochs:,} epochs are trained, "
        f"{one.epochs - one.trained:,} saved"
        for one in _shared(planned)
    ]
    for one in unshared_lengths(planned.plan.stages, planned.kinds):
        lengths = ", ".join(map(str, one.lengths))
        lines.append(
            f"{one.setting} {lengths} share nothing: {one.because}; with {one.otherwise}, "
            f"{one.trained:,} of {one.epochs:,} epochs would be trained"
        )
    return [""] * bool(lines) + lines


def _shared(planned: Planned) -> tuple[Shared, ...]:
    return shared_lengths(planned.plan.stages, planned.kinds, planned.plan.continues)


def _row(name: str, planned: int, unshared: int, done: int) -> tuple[str, str, str, str, str]:
    return name, str(planned), str(unshared), f"{unshared / planned:.1f}x", str(done)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
