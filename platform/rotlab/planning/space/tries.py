"""How many settings a search tries, and how many at once, read and checked."""

from collections.abc import Mapping

from rotlab.planning.space.allowance import BUDGET, MOST_TRIES
from rotlab.planning.space.points import num_points
from rotlab.planning.space.ranges import Domain
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.samplers import Sampler

MOST = 10_000  # proposals: more is a slip
_MOST_POINTS = 100_000  # of a grid: they are put in an order
_SEARCH = ("search",)
_PROPOSALS = ("search", "proposals")
_NEEDED = "needs proposals, how many settings each arm may try, or budget, how many hours"


def read_proposals(report: Report, sampler: Sampler, settings: Mapping[str, Domain]) -> int:
    """Return how many proposals each search has at most.

    Of a grid that is all of its points unless told otherwise.

    Args:
        report: notes what is wrong.
        sampler: that makes them.
        settings: that are searched.
    """
    grid = _grid(report, settings) if sampler.name == "grid" else None
    if not report.has(_PROPOSALS):
        if grid is not None and grid <= MOST:
            return grid
        if report.has((*_SEARCH, BUDGET)):
            return MOST_TRIES
        if grid is not None:
            report.add(_SEARCH, f"the grid has {grid:,} points; give proposals, how many to try")
        elif sampler.name != "grid":
            report.add(_SEARCH, _NEEDED)
        return 1
    asked = _count(report, "proposals")
    if grid is not None and asked > grid:
        said = f"the grid has {grid} points, got {asked}; ask for no more than it has"
        report.add(_PROPOSALS, said)
    return asked


def read_at_once(report: Report) -> int:
    """Return how many proposals may be under way."""
    return _count(report, "at_once") if report.has((*_SEARCH, "at_once")) else 1


def _grid(report: Report, settings: Mapping[str, Domain]) -> int | None:
    """How many points a grid has; None after a problem."""
    for name, domain in settings.items():
        if domain.num_points is None:
            said = "has no grid; give a step, or a list of values"
            report.add((*_SEARCH, "settings", name), said)
    grid = num_points(settings)
    if grid is not None and grid > _MOST_POINTS:
        said = f"a grid has at most {_MOST_POINTS:,} points, got {grid:,}; take larger steps, "
        report.add((*_SEARCH, "sampler"), f"{said}or another sampler")
        return None
    return grid


def _count(report: Report, name: str) -> int:
    value: object = report.get((*_SEARCH, name))
    if isinstance(value, bool) or not isinstance(value, int):
        report.add((*_SEARCH, name), f"must be a whole number, got {shown(value)}")
        return 1
    if not 1 <= value <= MOST:
        report.add((*_SEARCH, name), f"must be at least 1 and at most {MOST}, got {value}")
        return 1
    return value
