"""How each generation of a population comes from the one before it: who takes over, and what.

The rule is that of population-based training (Jaderberg et al. 2017, arXiv 1711.09846) as Ray Tune
has it: the worst quarter takes over from the best quarter (truncation selection), and then changes
each setting, by a factor of 0.8 or 1.2 or, one time in four, to one drawn anew; of listed values,
it goes to the next one in the list. Three things differ. Ray's rule draws from the process's global
random numbers, and here each draw is seeded by search, generation and member, so that a population
is the same whatever ends first. Ray's factors lead out of the ranges, and here they end at them.
And no weights are copied: a member is a whole training whose settings change on its way, which goes
on from the end of the member whose settings it shares until then.
"""

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from rotlab.planning.plan.decisions import Proposal, Tuning
from rotlab.planning.space.population import Population
from rotlab.planning.space.ranges import Domain, OneOf

FACTORS = (0.8, 1.2)
_DRAWS = 8  # of settings that another member has, too; then it is that one once more
PARENT = "parent"  # note of a proposal: the number of the one that it goes on from; None: of none


def breed(
    tuning: str,
    population: Population,
    number: int,
    domains: Mapping[str, Domain],
    told: Sequence[tuple[Proposal, float | None]],
    beside: Sequence[Proposal],
    *,
    maximize: bool,
) -> Proposal:
    """Return a member of a generation; the same one whenever it is asked with the same arguments.

    Its settings are those of a whole training: what it begins with, its length until the end of
    this generation, and what changed on its way.

    Args:
        tuning: key of the search.
        population: that it is of.
        number: of the proposal, from 1: all members of a generation, then those of the next.
        domains: setting -> what it may be.
        told: all members of the generations before, in order, with their values, None where one
            failed.
        beside: members of its own generation with lower numbers; it becomes none of them, nor one
            that goes on as it was, as long as there is another.
        maximize: whether more is better.
    """
    generation, member = population.generation(number), population.member(number)
    rng = Random(f"{tuning}:{generation}:{member}")  # noqa: S311  (nothing secret)
    last = told[population.before(number) - population.members :] if generation > 1 else []
    best, worst = _ends(population, last, maximize=maximize)
    if not best:  # none to go on from
        drawn = {name: domain.at(rng.random()) for name, domain in domains.items()}
        length = {population.length: generation * population.every}
        return Proposal(tuning, number, drawn | length, {PARENT: None})
    parent = last[member - 1][0]
    if parent.number not in worst:
        return Proposal(tuning, number, _on(population, parent, {}), {PARENT: parent.number})
    parent = rng.choice(best)
    now = in_force(population, parent)
    known = [_on(population, one, {}) for one, _ in last if one.number not in worst]
    known += [dict(one.settings) for one in beside]
    for _ in range(_DRAWS):
        new = {name: _explore(population, one, now[name], rng) for name, one in domains.items()}
        changed = {name: value for name, value in new.items() if value != now[name]}
        settings = _on(population, parent, changed)
        if settings not in known:
            break
    return Proposal(tuning, number, settings, {PARENT: parent.number})


def in_force(population: Population, proposal: Proposal) -> dict[str, Any]:
    """Return by which settings a member is trained at its end."""
    section = population.length.partition(".")[0]
    found = {
        name: value
        for name, value in proposal.settings.items()
        if name not in (population.length, population.changes)
    }
    for change in proposal.settings.get(population.changes, ()):
        found |= {f"{section}.{name}": value for name, value in change.items() if name != "after"}
    return found


def won(tuning: Tuning, proposal: Proposal) -> dict[str, Any]:
    """Return what cells take of the best proposal: of a member all but its length, which is theirs.

    With what changed on its way that is a whole training's schedule, which each cell replays.
    """
    length = None if tuning.population is None else tuning.population.length
    return {name: value for name, value in proposal.settings.items() if name != length}


def can_win(tuning: Tuning, number: int) -> bool:
    """Say whether a proposal is as long as what cells replay: a member of the last generation."""
    return tuning.population is None or number > tuning.population.before(tuning.proposals)


def _on(population: Population, parent: Proposal, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a member that goes on from another for a generation, by some that changed."""
    length, name = int(parent.settings[population.length]), population.changes
    changes = [dict(one) for one in parent.settings.get(name, ())]
    if changed:
        fields = {setting.partition(".")[2]: value for setting, value in changed.items()}
        changes.append({"after": length, **fields})
    on_the_way = {name: changes} if changes else {}
    return {**parent.settings, population.length: length + population.every, **on_the_way}


def _ends(
    population: Population, last: Sequence[tuple[Proposal, float | None]], *, maximize: bool
) -> tuple[list[Proposal], set[int]]:
    """The best of a generation, best first, and the numbers of those that take over from them."""
    sign = -1 if maximize else 1
    told = [(sign * value, one.number, one) for one, value in last if value is not None]
    failed = {one.number for one, value in last if value is None}
    ranked = [one for _, _, one in sorted(told, key=lambda each: each[:2])]
    share = math.ceil(population.quantile_fraction * len(last))
    number = min(share, len(last) // 2)
    best = ranked[: max(number, 1)]
    down = max(min(number - len(failed), len(ranked) - len(best)), 0)
    worst = {one.number for one in ranked[len(ranked) - down :]}
    return best, worst | failed


def _explore(population: Population, domain: Domain, now: Any, rng: Random) -> Any:  # noqa: ANN401  # plain values of any sort
    """Another value of a setting, or the same at the end of what it may be."""
    if rng.random() < population.resample_probability:
        return domain.at(rng.random())
    if isinstance(domain, OneOf):
        at = domain.values.index(now) + rng.choice((-1, 1))
        return domain.values[min(max(at, 0), len(domain.values) - 1)]
    return domain.nearest(now * rng.choice(FACTORS))
