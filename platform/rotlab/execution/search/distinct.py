"""Proposals that repeat no earlier one as long as there is another: a repeat tells nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rotlab.planning.key import canonical
from rotlab.planning.plan.decisions import Proposal
from rotlab.planning.space.points import all_points, num_points
from rotlab.planning.space.ranges import Domain
from rotlab.planning.space.samplers import Sampler

Told = float | tuple[float, ...] | None  # what a try came to, by each of several objectives
Draw = Callable[..., Proposal]  # see `rotlab.execution.search.sampling.propose`

MOST = 100_000  # different settings, of which one is looked for that was not tried
DRAWS = 8  # of a sampler that comes back to what was tried; then the first that was not is taken


def distinct(draw: Draw) -> Draw:
    """Return what draws likewise, but draws again where settings were proposed before.

    The sampler is told of a repeat as of any try: with its value where that may be known.

    Args:
        draw: proposes; `again` counts what it has drawn in vain.
    """

    def draw_another(
        tuning: str,
        number: int,
        domains: Mapping[str, Domain],
        sampler: Sampler,
        told: Sequence[tuple[Proposal, Told]],
        under_way: Sequence[Proposal],
        *,
        maximize: bool | tuple[bool, ...],
    ) -> Proposal:
        values = {_text(one.settings): value for one, value in told}
        known = values.keys() | {_text(one.settings) for one in under_way}
        told, under_way = list(told), list(under_way)
        more: dict[str, Any] = {}
        for again in range(1, DRAWS + 1):
            drawn = draw(
                tuning, number, domains, sampler, told, under_way, maximize=maximize, **more
            )
            text = _text(drawn.settings)
            if text not in known:
                return drawn
            if text in values:
                told.append((drawn, values[text]))
            else:
                under_way.append(drawn)
            more = {"again": again}
        number_of = num_points(domains)
        few = number_of is not None and number_of <= MOST
        for settings in all_points(domains) if few else ():
            if _text(settings) not in known:
                return Proposal(tuning, number, settings)
        return drawn

    return draw_another


def _text(settings: Mapping[str, Any]) -> str:
    return canonical(dict(settings))
