"""Looks as people and programs read them: what is asked, what was decided. Nothing is printed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rotlab.planning.cost.bill_outline import hours
from rotlab.planning.cost.costed import Costed
from rotlab.planning.plan.planned import Planned
from rotlab.planning.release.scenario import duration
from rotlab.planning.release.simulated import Simulated
from rotlab.planning.space.looks import Family, Look, Verdict, is_over

_LISTED = 12  # differences of a family; more are counted only


@dataclass(frozen=True, slots=True)
class Least:
    """What a plan with looks comes to if all arms stop at the next one.

    Args:
        planned: as it is then.
        taken: key of a family -> the looks that were taken.
        missing: stages that the store has not.
        costed: what they cost.
        simulated: how a simulated run of them went, where that is to be said.
    """

    planned: Planned
    taken: Mapping[str, Sequence[Look]]
    missing: int
    costed: Costed
    simulated: Simulated | None


def plan_lines(planned: Planned, least: Least | None) -> list[str]:
    """Return when arms are looked at, what that may cost, and what was decided already."""
    plan = planned.plan
    looks = planned.spec.replicates.looks
    if looks is None:
        return []
    judged = dict.fromkeys(f"{one.metric} of {one.measure}" for one in plan.families.values())
    number = sum(len(one.pairs) for one in plan.families.values())
    lines = [
        f"looks: at {_listed(looks.at)} seeds, by {', '.join(judged)} on held-out videos; an arm "
        "whose difference to its baseline is shown, or hopeless, gets no more",
        f"  {_counted(number, 'difference')} in "
        f"{_counted(len(plan.families), 'family', 'families')}, which errs in at most 5 % of "
        "studies; a baseline has as many seeds as any arm against it",
    ]
    if least is not None:
        cells, most = len(least.planned.plan.cells), len(plan.cells)
        lines.append(
            f"  from {cells} to {most} cells; planned as if nothing open were ever settled"
            if cells < most
            else "  all is settled: nothing more will be asked for"
        )
    return lines


def least_lines(least: Least) -> list[str]:
    """Return what the rest of a study costs at least."""
    if all(map(is_over, least.taken.values())):
        return []
    bill = least.costed.bill
    has_gpu = bill.machine.device.has_gpu
    noun = "GPU-hours" if has_gpu else "CPU-hours"
    spent = bill.total.missing
    unknown = "+" if spent.unknown else ""
    lines = [
        f"at most what is missing above; at least, if the next look settles all: {least.missing} "
        f"stages, {hours(spent.hours(has_gpu=has_gpu))}{unknown} {noun}"
    ]
    if least.simulated is not None:
        makespan = duration(least.simulated.outcome.makespan_s)
        lines.append(
            "simulated as if all seeds up to the last look were asked for at once; if the next "
            f"look settles all, makespan {makespan}"
        )
    return lines


def looks_lines(
    families: Mapping[str, Family], looks: Mapping[str, Sequence[Look]]
) -> Iterator[str]:
    """Yield how far the looks of each family are, and what was decided of each difference."""
    for key, family in families.items():
        taken = looks.get(key, ())
        still = len(taken[-1].open) if taken else len(family.pairs)
        yield (
            f"looks: {family.measure} on {family.target}: {len(taken)} of {len(family.at)} taken, "
            f"{still} of {_counted(len(family.pairs), 'difference')} open"
            + (f"; the next at {family.at[len(taken)]} seeds" if not is_over(taken) else "")
        )
        if not taken:
            continue
        for place, (arm, base) in enumerate(family.pairs[:_LISTED]):
            names = " against ".join(_named(family.arms[one]) for one in (arm, base))
            yield f"  {names}: {_decided(family, taken, place)}"
        if len(family.pairs) > _LISTED:
            yield f"  and {len(family.pairs) - _LISTED} more"


def looks_json(
    families: Mapping[str, Family], looks: Mapping[str, Sequence[Look]]
) -> list[dict[str, Any]]:
    """Return the same as plain values."""
    return [
        {
            "target": family.target,
            "measure": family.measure,
            "metric": family.metric,
            "at": list(family.at),
            "taken": len(looks.get(key, ())),
            "differences": [
                {
                    "arm": dict(family.arms[arm]),
                    "baseline": dict(family.arms[base]),
                    "looks": [asdict(look.verdicts[place]) for look in looks.get(key, ())],
                }
                for place, (arm, base) in enumerate(family.pairs)
            ],
        }
        for key, family in families.items()
    ]


def _decided(family: Family, taken: Sequence[Look], place: int) -> str:
    """What became of a difference, and by which numbers."""
    number = next(
        (one.number for one in taken if one.verdicts[place].outcome != "open"), len(taken)
    )
    verdict = taken[number - 1].verdicts[place]
    said = f"{verdict.outcome} after {family.at[number - 1]} seeds"
    return f"{said} ({_numbers(verdict)})" if verdict.difference is not None else said


def _numbers(verdict: Verdict) -> str:
    found = [f"{verdict.difference:+.3g}"]
    if verdict.p is None:
        found.append("no spread to judge by")
    elif verdict.level is not None:
        sign = "<=" if verdict.p <= verdict.level else ">"
        found.append(f"p={verdict.p:.2g} {sign} {verdict.level:.2g}")
    if verdict.chance is not None:
        found.append(f"chance to be shown {verdict.chance:.0%}")
    return ", ".join(found)


def _named(arm: Mapping[str, Any]) -> str:
    return ", ".join(f"{axis}={value}" for axis, value in arm.items()) or "the one arm"


def _listed(numbers: Sequence[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _counted(number: int, noun: str, several: str | None = None) -> str:
    return f"{number} {noun if number == 1 else several or noun + 's'}"
