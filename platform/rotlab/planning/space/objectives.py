"""What tries of a search are judged by, one thing or several, and which of them that makes best."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rotlab.planning.space.allowance import UNITS, Unit
from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.stage import Judged

GOALS = ("maximize", "minimize")
CHOOSE, WITHIN = "choose", "within"
_METRIC, _GOAL = ("search", "metric"), ("search", "goal")
_CLOSE = 1e-9  # 0.62 and 0.61 are within 0.01


@dataclass(frozen=True, slots=True)
class Objective:
    """One thing that tries are judged by.

    Args:
        name: a metric on videos held out of training, or "gpu_hours" or "cpu_hours" of a try.
        goal: "maximize" or "minimize".
    """

    name: str
    goal: str

    @property
    def maximizes(self) -> bool:
        """Whether more is better."""
        return self.goal == GOALS[0]

    @property
    def unit(self) -> Unit | None:
        """The hours that it is, where it is some."""
        return next((one for one in UNITS if one == self.name), None)

    def __str__(self) -> str:
        return f"{'highest' if self.maximizes else 'lowest'} {self.name}"


def pareto_front(
    points: Mapping[int, Sequence[float]], objectives: Sequence[Objective]
) -> tuple[int, ...]:
    """Return the numbers of those than which no other is better in one thing and worse in none.

    Args:
        points: number -> what it came to, in the order of the objectives.
        objectives: at least one.
    """
    gains = {number: _gains(values, objectives) for number, values in points.items()}
    return tuple(
        number
        for number, own in sorted(gains.items())
        if not any(
            other != own and all(one >= mine for one, mine in zip(other, own, strict=True))
            for other in gains.values()
        )
    )


def best(
    points: Mapping[int, Sequence[float]], objectives: Sequence[Objective], within: float = 0.0
) -> int:
    """Return the number of the one that is taken, always one of the Pareto front.

    That is the best by the second objective, then the third, of those that by the first are no
    further than `within` from its best; of equals, the best by the first, then the earliest.

    Args:
        points: number -> what it came to, in the order of the objectives; at least one.
        objectives: at least one.
        within: in units of the first objective, 0 or more.

    Worked: {1: (0.62, 3.0), 2: (0.61, 1.0), 3: (0.5, 0.5)}, accuracy and hours: 1, and within 0.01
    it is 2.
    """
    gains = {number: _gains(values, objectives) for number, values in points.items()}
    top = max(first for first, *_ in gains.values())
    near = [n for n, (first, *_) in gains.items() if top - first <= within * (1 + _CLOSE)]
    return max(near, key=lambda number: (*gains[number][1:], gains[number][0], -number))


def _gains(values: Sequence[float], objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The values, so that more of each is better."""
    pairs = zip(values, objectives, strict=True)
    return tuple(value if one.maximizes else -value for value, one in pairs)


def read_objectives(report: Report, by: str, judged: Judged) -> tuple[Objective, ...]:
    """Return what a file judges tries by, the first first; empty where it says that wrongly.

    Args:
        report: notes what is wrong.
        by: the stage kind that judges.
        judged: what that tells of held-out videos.
    """
    given = report.get(_METRIC)
    if not isinstance(given, dict):
        return _read_one(report, by, judged)
    if report.has(_GOAL):
        said = f"stands in metric, beside each of several ({', '.join(map(str, given))}); leave it"
        report.add(_GOAL, f"{said} out")
    found = []
    for name, goal in given.items():
        place = (*_METRIC, name)
        if goal not in GOALS:
            report.add(place, unknown("goal", goal, GOALS))
        elif name in UNITS and goal != GOALS[1]:
            report.add(place, f"must be {GOALS[1]}, got {goal}: nobody wants a try to take longer")
        elif name in UNITS or _is_told(report, place, name, by, judged):
            found.append(Objective(name, goal))
    if not found and not report.refuses(_METRIC):
        report.add(_METRIC, "is empty; name what decides, as in {val_accuracy: maximize}")
    elif found and found[0].unit is not None and not report.refuses(_METRIC):
        said = f"begins with {found[0].name}, by which the shortest training is the best of all"
        report.add(_METRIC, f"{said}; name first what {by} reaches on held-out videos")
    return () if report.refuses(_METRIC) else tuple(found)


def read_within(report: Report, objectives: Sequence[Objective]) -> float:
    """Return how far the one that is taken may be from the best by the first objective."""
    place = ("search", CHOOSE)
    if not report.has(place):
        return 0.0
    if report.get(place) == "best":
        return 0.0
    if not isinstance(report.get(place), dict):
        said = f"must be best, or {{{WITHIN}: 0.01}}, of the first metric"
        report.add(place, f"{said}; got {shown(report.get(place))}")
        return 0.0
    value = report.mapping(place, (WITHIN,), "rule").get(WITHIN)
    if len(objectives) == 1:
        report.add(place, "chooses between several objectives, and metric names one; leave it out")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        if not report.refuses(place):
            said = f"must be a finite number greater than 0, got {shown(value)}"
            report.add((*place, WITHIN), said)
    elif not 0 < value <= sys.float_info.max:
        said = f"must be a finite number greater than 0, got {shown(value)}"
        report.add((*place, WITHIN), said)
    else:
        return float(value)
    return 0.0


def _read_one(report: Report, by: str, judged: Judged) -> tuple[Objective, ...]:
    goal = report.get(_GOAL) if report.has(_GOAL) else GOALS[0]
    if goal not in GOALS:
        report.add(_GOAL, unknown("goal", goal, GOALS))
        goal = GOALS[0]
    if not report.has(_METRIC):
        return (Objective(judged.metric, goal),)
    metric = report.text(_METRIC)
    if metric is None or not _is_told(report, _METRIC, metric, by, judged):
        return ()
    if metric != judged.metric and not report.has(_GOAL):  # of a loss, less is better
        said = f"needs goal beside it, {' or '.join(GOALS)}: it is not said here whether more "
        report.add(_METRIC, f"{said}{metric} is better")
    return (Objective(metric, goal),)


def _is_told(report: Report, place: tuple[str, ...], name: object, by: str, judged: Judged) -> bool:
    if isinstance(name, str) and judged.tells(name) is not False:
        return True
    among_several = len(place) > len(_METRIC)
    known = (judged.metric, *(judged.others or ()), *(UNITS if among_several else ()))
    report.add(place, unknown(f"metric of {by} on held-out videos", name, known))
    return False
