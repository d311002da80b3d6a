"""How many proposals searches that have hours are thought to make, by what their tries cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count

from rotlab.planning.cost.cost import Estimate, Machine, Timed
from rotlab.planning.cost.costed import cost
from rotlab.planning.cost.prices import Prices
from rotlab.planning.plan.decisions import Decisions, Proposed, Tuning
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import Planned
from rotlab.planning.space.allowance import UNITS, Allowance, Hours, Unit, words
from rotlab.planning.stage import StageKind

_SAMPLE = 16  # tries, spread evenly, whose mean stands for all that follow


def foresee(
    planned: Planned,
    decisions: Decisions,
    timed: Sequence[Timed],
    prices: Prices,
    device: str | None,
) -> Planned:
    """Return a plan as it may be once all is decided, its searches as long as they are foreseen.

    Args:
        planned: a file and its plan.
        decisions: those that were made.
        timed: stages that ran, of this plan or of others.
        prices: what hours cost and how fast devices are.
        device: to plan for; None as in `rotlab.planning.cost.costed.cost`.

    Raises:
        SpecError: whatever a search may try breaks a rule.
        UserError: a device is not known.
    """
    tunings = {key: one for key, one in planned.plan.tunings.items() if one.allowance}
    if not tunings:
        return planned.imagined(decisions)
    made = {key: len(decisions.proposed(key)) for key in tunings}
    sample = planned.imagined(decisions, tries={key: made[key] + _SAMPLE for key in made})
    costed = cost(sample, (), timed, prices, device)
    tries = _Tries(sample.plan, sample.kinds, costed.estimates, costed.bill.machine)
    foreseen: dict[str, int | None] = {}
    warnings: dict[str, None] = {}
    for key, tuning in tunings.items():
        allowance = tuning.allowance
        if allowance is None or key in decisions.winners:
            foreseen[key] = made[key]
            continue
        taken = tries.hours(key, allowance.unit, decisions.hours.get(key, {}))
        foreseen[key] = _number(tuning, allowance, taken, made[key])
        if taken and set(taken) == {0.0}:
            line = planned.spec.line("search.budget", "search")
            warnings[
                f"{line} search.budget.{allowance.unit}: on "
                f"{costed.bill.machine.device.name} tries take none, and `run` refuses that; "
                f"give {UNITS[1 - UNITS.index(allowance.unit)]}"
            ] = None
        if not made[key] and taken and taken[0] is not None and taken[0] > allowance.hours:
            line = planned.spec.line("search.budget", "search")
            warnings[
                f"{line} search.budget: one try is thought to take {taken[0]:.3g} "
                f"{words(allowance.unit)}, what it shares with others among them, and each search "
                f"has {allowance.hours:g}; it makes {allowance.at_once} and no more"
            ] = None
    known = {key: number for key, number in foreseen.items() if number is not None}
    whole = replace(planned.imagined(decisions, tries=known), foreseen=foreseen)
    plan = replace(whole.plan, warnings=(*whole.plan.warnings, *warnings))
    return replace(whole, plan=plan)


class _Tries:
    """What tries of searches are thought to take."""

    def __init__(
        self,
        plan: Plan,
        kinds: Mapping[str, StageKind],
        estimates: Mapping[str, Estimate],
        machine: Machine,
    ) -> None:
        self._plan, self._estimates = plan, estimates
        self._occupied = {name: machine.occupied(kind) for name, kind in kinds.items()}

    def hours(self, tuning: str, unit: Unit, used: Mapping[int, Hours]) -> list[float | None]:
        """Hours of each try of a search, in order: what it used, else what it is thought to take.

        What several need counts with the first of them.
        """
        seen: set[str] = set()
        found = []
        for one in self._plan.proposed:
            if one.proposal.tuning == tuning:
                known = used.get(one.proposal.number)
                found.append(self._of(one, unit, seen) if known is None else known[unit])
                seen.update(one.stages)
        return found

    def _of(self, one: Proposed, unit: Unit, seen: set[str]) -> float | None:
        total = 0.0
        for key in one.stages:
            if key in seen:
                continue
            seconds = self._estimates[key].seconds
            if seconds is None:
                return None
            occupied = self._occupied[self._plan.stages[key].kind]
            held = (occupied.gpus or 0.0) if unit == "gpu_hours" else occupied.cpus
            total += held * seconds / 3600
        return total


def _number(
    tuning: Tuning, allowance: Allowance, taken: Sequence[float | None], made: int
) -> int | None:
    """How many tries a search makes; None where it is not known what they take, or it is nothing.

    Args:
        tuning: the search.
        allowance: its hours.
        taken: hours of tries, in order: those made, and some that stand for what follows.
        made: how many are made.
    """
    later = [one for one in taken[min(made or 1, len(taken) - 1) :] if one is not None]
    most = tuning.proposals if tuning.points is None else min(tuning.proposals, tuning.points)
    if len(later) < 1 or None in taken or not sum(later):
        return None
    used = 0.0
    for number, hours in zip(count(1), _endless(taken, sum(later) / len(later)), strict=False):
        used += hours
        ends_at = number + allowance.at_once - 1
        if used >= allowance.hours or ends_at >= most:
            return max(min(ends_at, most), made)
    return None


def _endless(taken: Sequence[float | None], mean: float) -> Iterator[float]:
    return chain((one or 0.0 for one in taken), (mean for _ in count()))
