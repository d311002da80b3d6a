"""How a search may stop tries that fall behind, by rules of Ray Tune, and their options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.samplers import NAME, Sampler
from rotlab.planning.stage import StageKind

PLACE = ("search", "pruner")
COUNT, FACTOR = "a whole number above 0", "a finite number above 1"
# As Ray Tune's schedulers have them, with its defaults; grace_period's is a share of the length.
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "asha": {"grace_period": COUNT, "reduction_factor": FACTOR},
    "hyperband": {"grace_period": COUNT, "reduction_factor": FACTOR, "brackets": COUNT},
    "median": {"grace_period": COUNT, "min_samples_required": COUNT},
}
DEFAULTS: Mapping[str, float] = {
    "reduction_factor": 4,
    "brackets": 3,
    "min_samples_required": 3,
}
# Curves cross early: after one epoch of 20 the best is often not ahead yet, after three it is.
GRACE_SHARE = 0.15
_MOST_FACTOR = 1e6
_ELSEWHERE = {
    "time_attr": "time is counted in epochs here",
    "metric": "it is the search's metric",
    "mode": "it is the search's goal",
    "max_t": "it is the length of the longest try",
    "hard_stop": "a try that is stopped frees its worker, and is not paused",
    "min_time_slice": "a try that is stopped frees its worker, and is not paused",
    "stop_last_trials": "a try that gets to its end is never stopped there",
}


@dataclass(frozen=True, slots=True)
class Pruner:
    """A rule by which tries of a search are stopped before their end.

    Args:
        name: of the rule.
        options: those that are given.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def grace(self, epochs: int) -> int:
        """Return before which epoch of so many none is stopped."""
        given = self.options.get("grace_period")
        return int(given) if given is not None else max(1, round(GRACE_SHARE * epochs))

    def option(self, name: str) -> float:
        """Return what an option is, given or not."""
        return float(self.options.get(name, DEFAULTS[name]))

    @property
    def whole(self) -> int:
        """How many tries of a search get to their end at least."""
        return int(self.option("min_samples_required")) if self.name == "median" else 1

    def __str__(self) -> str:
        said = ", ".join(f"{name} {shown(value)}" for name, value in self.options.items())
        return f"{self.name} ({said})" if said else self.name


def read_pruner(
    report: Report,
    by: StageKind | None,
    metric: str | None,
    sampler: Sampler,
    proposals: int | None,
) -> Pruner | None:
    """Return the pruner that a file names, None where it names none or says it wrongly.

    Args:
        report: notes what is wrong.
        by: the stage kind that judges tries, where that is known.
        metric: of that kind, likewise.
        sampler: that makes them.
        proposals: how many there are, likewise.
    """
    if not report.has(PLACE):
        return None
    given = report.get(PLACE)
    name = given.get(NAME) if isinstance(given, dict) else given
    if not isinstance(name, str) or name not in OPTIONS:
        is_nameless = isinstance(given, dict) and NAME not in given
        said = unknown("pruner", name, list(OPTIONS))
        report.add(PLACE, "needs a name, such as {name: asha}" if is_nameless else said)
        return None
    options = _read_options(report, name) if isinstance(given, dict) else {}
    pruner = Pruner(name, options)
    if (why := _why_not(pruner, by, metric, sampler, proposals)) is not None:
        report.add(PLACE, why)
    return pruner


def _read_options(report: Report, name: str) -> dict[str, Any]:
    allowed, options = OPTIONS[name], {}
    for option, value in report.get(PLACE).items():
        if option == NAME:
            continue
        if option in _ELSEWHERE:
            said = f"is no option here: {_ELSEWHERE[option]}; leave it out"
            report.add((*PLACE, option), said)
        elif option not in allowed:
            report.add((*PLACE, option), unknown(f"option of {name}", option, list(allowed)))
        elif not _fits(allowed[option], value):
            report.add((*PLACE, option), f"must be {allowed[option]}, got {shown(value)}")
        else:
            options[option] = value
    return options


def _why_not(
    pruner: Pruner,
    by: StageKind | None,
    metric: str | None,
    sampler: Sampler,
    proposals: int | None,
) -> str | None:
    """Why a search cannot have a pruner, with the way out; None where it can."""
    if sampler.name == "grid":
        return (
            "a grid is asked for to have every point of it, and some would be stopped; take "
            "sampler random or qmc, or leave pruner out"
        )
    judged = by.judged if by is not None else None
    if by is not None and judged is not None and metric is not None:
        if by.length is None or judged.by_epoch is None:
            return f"{by.name} tells its metrics at its end only; leave pruner out"
        if not judged.by_epoch(metric):
            return (
                f"{by.name} does not tell {metric!r} after each epoch, and there is nothing to "
                f"compare before its end; take metric {judged.metric}, or leave pruner out"
            )
    if proposals is not None and proposals <= pruner.whole:
        return (
            f"with {proposals} proposals none is ever stopped: {pruner.name} lets {pruner.whole} "
            "get to their end; ask for more proposals, or leave pruner out"
        )
    return None


def _fits(rule: str, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if rule == FACTOR:
        return 1 < value <= _MOST_FACTOR
    return isinstance(value, int) and value > 0
