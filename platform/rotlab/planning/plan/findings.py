"""What searches have found so far: how much each has tried, and the settings that won."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rotlab.planning.plan.decisions import Decisions, Tuning


@dataclass(frozen=True, slots=True)
class Finding:
    """What one search has found, and by how much effort: the same for all, or it was not fair.

    Args:
        tuning: the search.
        made: proposals that it has made.
        failed: of them.
        stopped: of them, before their end.
        hours: that those which have ended used, where it has only so many; else None.
        number: of the winning proposal; None: that is not decided.
        value: of the winner's metric on held-out videos, likewise.
        settings: of the winner; empty where there is none.
    """

    tuning: Tuning
    made: int
    failed: int
    stopped: int
    hours: float | None
    number: int | None
    value: float | None
    settings: Mapping[str, Any]


def findings(tunings: Mapping[str, Tuning], decisions: Decisions) -> Iterator[Finding]:
    """Yield what each search has found; not of populations, which have a lineage.

    Args:
        tunings: key -> search.
        decisions: of them.
    """
    for key, tuning in tunings.items():
        if tuning.population is not None:
            continue
        winner = decisions.winners.get(key)
        values = decisions.values.get(key, {})
        hours = None
        if tuning.allowance is not None:
            used = decisions.hours.get(key, {}).values()
            hours = math.fsum(one[tuning.allowance.unit] for one in used)
        yield Finding(
            tuning,
            len(decisions.proposed(key)),
            sum(one is None for one in values.values()),
            len(decisions.pruned.get(key, ())),
            hours,
            None if winner is None else winner.number,
            None if winner is None else winner.value,
            {} if winner is None else winner.settings,
        )
