"""All settings of a search together: which are searched beside which, and how many there are."""

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from rotlab.planning.space.ranges import Domain


def num_points(domains: Mapping[str, Domain]) -> int | None:
    """Return how many different settings there are, None where they cannot be counted."""
    found = 0
    for deciding in _deciding(domains):
        numbers = [domains[name].num_points for name in _others(domains, deciding)]
        if None in numbers:
            return None
        found += prod(number or 0 for number in numbers)
    return found


def all_points(domains: Mapping[str, Domain]) -> Iterator[dict[str, Any]]:
    """Yield all different settings, of domains that can be counted."""
    for deciding in _deciding(domains):
        others = _others(domains, deciding)
        points = [domains[name].points() or () for name in others]
        for values in product(*points):
            yield deciding | dict(zip(others, values, strict=True))


def applying(domains: Mapping[str, Domain], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings less those whose condition the others do not meet.

    Args:
        domains: setting -> what it may be, each after those that it hangs on.
        settings: a value of each.
    """
    found: dict[str, Any] = {}
    for name, domain in domains.items():
        if holds(domain, found):
            found[name] = settings[name]
    return found


def holds(domain: Domain, settings: Mapping[str, Any]) -> bool:
    """Say whether a setting is searched beside others that have these values."""
    return all(
        name in settings and settings[name] in values for name, values in domain.when.items()
    )


def _deciding(domains: Mapping[str, Domain]) -> list[dict[str, Any]]:
    """All different values of the settings on which others hang; of none, one that is empty."""
    names = {name for domain in domains.values() for name in domain.when}
    found: list[dict[str, Any]] = [{}]
    for name, domain in domains.items():
        if name in names:
            found = [
                each
                for one in found
                for each in (
                    [one | {name: value} for value in domain.points() or ()]
                    if holds(domain, one)
                    else [one]
                )
            ]
    return found


def _others(domains: Mapping[str, Domain], deciding: Mapping[str, Any]) -> list[str]:
    """The settings that are searched beside those on which others hang."""
    names = {name for domain in domains.values() for name in domain.when}
    return [name for name, one in domains.items() if name not in names and holds(one, deciding)]
