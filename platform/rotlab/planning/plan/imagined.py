"""A search as it may go, so that what it costs can be planned before it has begun."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import count, islice
from typing import Any

from rotlab.planning.key import canonical
from rotlab.planning.plan.breeding import breed, can_win, won
from rotlab.planning.plan.decisions import Decisions, Proposal, Tuning, Winner
from rotlab.planning.space.points import all_points, applying
from rotlab.planning.space.population import Population
from rotlab.planning.space.ranges import Domain
from rotlab.planning.space.search import Search

_FEW = 10  # values of a setting that are taken one by one
_IDLE = 1000  # draws without news, after which all settings are taken to have been seen
_TRIES = 200  # settings that are tried for some that break no rule, beside the proposals


class NothingFitsError(ValueError):
    """No settings of a search were found that break no rule; the text gives some that do."""


def imagine(
    tunings: Mapping[str, Tuning],
    search: Search,
    decisions: Decisions,
    fits: Callable[[Proposal], bool],
    tries: Mapping[str, int] | None = None,
) -> Decisions:
    """Return decisions with all that are still to come made up: evenly spread settings.

    Args:
        tunings: key -> search.
        search: what they search.
        decisions: those that were made; they stay.
        fits: says whether a proposal breaks no rule; only such a one can win.
        tries: key of a search -> how many proposals it makes; None: as many as it may, or of one
            that has hours as many as are under way at first.

    Raises:
        NothingFitsError: all break one.
    """
    proposals = dict(decisions.proposals)
    winners = dict(decisions.winners)
    for key, tuning in tunings.items():
        if key in winners:
            continue
        made = decisions.proposed(key)
        domains = {name: search.settings[name] for name in tuning.settings}
        further = _unknown(domains, {canonical(dict(one.settings)) for one in made})
        number = (tries or {}).get(key) or _number(tuning)
        new = islice(further, max(number - len(made), 0))
        found = [*made, *(Proposal(key, at, one) for at, one in enumerate(new, len(made) + 1))]
        if tuning.population is not None:
            found = _bred(tuning, tuning.population, domains, search, decisions)
        able = (one for one in found if can_win(tuning, one.number))
        fitting = (one for one in able if not decisions.is_given_up(one) and fits(one))
        beside = (Proposal(key, 1, one) for one in islice(further, _TRIES))
        first = next(fitting, None) or next(filter(fits, beside), None)
        if first is None:
            given = ", ".join(f"{name}={value}" for name, value in found[0].settings.items())
            raise NothingFitsError(given)
        proposals[key] = tuple(found)
        values = {one.number: 0.0 for one in found}
        winners[key] = Winner(key, first.number, won(tuning, first), 0.0, values)
    return replace(decisions, proposals=proposals, winners=winners, looks={})


def _number(tuning: Tuning) -> int:
    """How many proposals a search makes, as far as it can be said without what they take."""
    if tuning.allowance is None:
        return tuning.proposals
    return min(tuning.allowance.at_once, tuning.proposals)


def _bred(
    tuning: Tuning,
    population: Population,
    domains: Mapping[str, Domain],
    search: Search,
    decisions: Decisions,
) -> list[Proposal]:
    """The members of all generations, those that are to come as if all did equally well."""
    found = [*decisions.proposed(tuning.key)]
    values = decisions.values.get(tuning.key, {})
    while len(found) < tuning.proposals:
        number = len(found) + 1
        known = found[: population.before(number)]
        told = [(one, values.get(one.number, 0.0)) for one in known]
        beside, way = found[len(known) :], search.maximizes
        found.append(breed(tuning.key, population, number, domains, told, beside, maximize=way))
    return found


def _unknown(domains: Mapping[str, Domain], known: Collection[str]) -> Iterator[dict[str, Any]]:
    """Settings spread evenly, each once and none that is known, until there is hardly another."""
    seen, idle = set(known), 0
    for settings in _spread(domains):
        text = canonical(settings)
        idle = idle + 1 if text in seen else 0
        if idle > _IDLE:
            return
        if text not in seen:
            seen.add(text)
            yield settings


def _spread(domains: Mapping[str, Domain]) -> Iterator[dict[str, Any]]:
    """Settings spread evenly over their ranges; where there are but few, each of them once."""
    numbers = [domain.num_points for domain in domains.values()]
    if all(number is not None and number <= _FEW for number in numbers):
        yield from all_points(domains)
        return
    for index in count(1):
        shares = (_halton(index, base) for base in _primes(len(domains)))
        found = zip(domains.items(), shares, strict=True)
        yield applying(domains, {name: domain.at(share) for (name, domain), share in found})


def _halton(index: int, base: int) -> float:
    """The index-th number of the van der Corput sequence of a base, in (0, 1)."""
    share, weight = 0.0, 1.0
    while index:
        weight /= base
        index, digit = divmod(index, base)
        share += digit * weight
    return share


def _primes(number: int) -> list[int]:
    found: list[int] = []
    for one in count(2):
        if len(found) == number:
            break
        if all(one % prime for prime in found):
            found.append(one)
    return found
