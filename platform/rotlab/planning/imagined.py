"""A search as it may go, so that what it costs can be planned before it has begun."""

from collections.abc import Iterator, Mapping
from itertools import count, product
from typing import Any

from rotlab.planning.decisions import Decisions, Proposal, Tuning, Winner
from rotlab.planning.ranges import Domain
from rotlab.planning.search import Search

_FEW = 10  # values of a setting that are taken one by one


def imagine(tunings: Mapping[str, Tuning], search: Search, decisions: Decisions) -> Decisions:
    """Return decisions with all that are still to come made up: evenly spread settings.

    Args:
        tunings: key -> search.
        search: what they search.
        decisions: those that were made; they stay.
    """
    proposals = dict(decisions.proposals)
    winners = dict(decisions.winners)
    for key, tuning in tunings.items():
        made = decisions.proposed(key)
        spread = _spread({name: search.settings[name] for name in tuning.settings})
        known = {repr(dict(one.settings)) for one in made}
        found = list(made)
        for settings in spread if key not in winners else ():
            if len(found) >= tuning.proposals:
                break
            if repr(settings) not in known:
                found.append(Proposal(key, len(found) + 1, settings))
        proposals[key] = tuple(found)
        if key not in winners:
            first = found[0]
            values = {one.number: 0.0 for one in found}
            winners[key] = Winner(key, first.number, first.settings, 0.0, values)
    return Decisions(proposals, winners, values=decisions.values)


def _spread(domains: Mapping[str, Domain]) -> Iterator[dict[str, Any]]:
    """Settings spread evenly over their ranges; where there are but few, each of them once."""
    points = {name: domain.points() for name, domain in domains.items()}
    if all(found is not None and len(found) <= _FEW for found in points.values()):
        grid = product(*(found or () for found in points.values()))
        yield from (dict(zip(points, values, strict=True)) for values in grid)
        return
    for index in count(1):
        shares = (_halton(index, base) for base in _primes(len(domains)))
        yield {name: domains[name].at(share) for name, share in zip(domains, shares, strict=True)}


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
