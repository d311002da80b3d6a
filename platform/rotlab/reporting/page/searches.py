"""What searches found: which of their settings mattered, and what several objectives left open."""

from collections.abc import Sequence

from rotlab.execution.search.importance import Importance
from rotlab.planning.plan.findings import Finding
from rotlab.planning.plan.fronts import Front, arms_of, described
from rotlab.reporting.page.markup import listed, paragraph, table
from rotlab.reporting.tables import Column

_NOTE = (
    "Share of each setting in what tells the best proposals of a search from all its proposals "
    "(PED-ANOVA, on held-out videos). It holds for the ranges that were searched, and hangs on the "
    "proposals that were made: of few it is a hint."
)
_FRONTS = (
    "Tries than which no other of the same search is better by one objective and worse by none, as "
    "judged on held-out videos. Hours are those of the machine that they ran on."
)

_FOUND = (
    "The best try of each search, as judged on held-out videos. It is chosen among many, so its "
    "value is higher than what such settings come to again. The cells of the arms run with its "
    "settings."
)


def found_html(found: Sequence[Finding]) -> str:
    """Return a row for each search: how much it has tried, and what won; nothing where none is."""
    if not found:
        return ""
    columns = [
        Column("search of", tuple(arms_of(one.tuning) for one in found)),
        Column("tries", tuple(str(one.made) for one in found), number=True),
        Column("failed", tuple(str(one.failed) for one in found), number=True),
        *_only_some("stopped", [str(one.stopped) if one.stopped else "" for one in found]),
        *_only_some("hours used", [_hours(one) for one in found]),
        Column("held-out value", tuple(_value(one) for one in found), number=True),
        Column("won", tuple(_won(one) for one in found)),
    ]
    return table("found", "Winners of searches", columns) + paragraph(_FOUND, "note")


def searches_html(searches: Sequence[Importance]) -> str:
    """Return a row for each setting of each search, and why others have none."""
    rows = [(one, name, share) for one in searches for name, share in one.shares.items()]
    few = [f"{one.name}: {one.why}." for one in searches if not one.shares]
    if not rows:
        return listed(few, "note")
    columns = [
        Column("search of", tuple(one.name for one, _, _ in rows)),
        Column("setting", tuple(name for _, name, _ in rows)),
        Column("importance %", tuple(f"{100 * share:.0f}" for _, _, share in rows), number=True),
        Column("proposals", tuple(str(one.tried) for one, _, _ in rows), number=True),
    ]
    return table("importances", "Importance of searched settings", columns) + (
        paragraph(_NOTE, "note") + listed(few, "note")
    )


def fronts_html(fronts: Sequence[Front]) -> str:
    """Return a row for each try on a Pareto front; nothing where there are none."""
    if not fronts:
        return ""
    rows = [(front, one) for front in fronts for one in front.members]
    objectives = fronts[0].tuning.objectives
    columns = [
        Column("search of", tuple(arms_of(front.tuning) for front, _ in rows)),
        Column("proposal", tuple(str(one.number) for _, one in rows), number=True),
        *(
            Column(str(each), tuple(f"{one.values[at]:.4g}" for _, one in rows), number=True)
            for at, each in enumerate(objectives)
        ),
        Column("settings", tuple(described(one.settings) for _, one in rows)),
        Column("", tuple("runs with all replicates" * one.wins for _, one in rows)),
    ]
    return table("fronts", "Pareto fronts of searches", columns) + paragraph(_FRONTS, "note")


def _only_some(name: str, values: Sequence[str]) -> list[Column]:
    """A column of numbers, where there is any."""
    return [Column(name, tuple(one or "-" for one in values), number=True)] * any(values)


def _hours(one: Finding) -> str:
    return "" if one.hours is None else f"{one.hours:.3g} of {one.tuning.allowance}"


def _value(one: Finding) -> str:
    return "-" if one.value is None else f"{one.value:.4g}"


def _won(one: Finding) -> str:
    if one.number is None:
        return "not decided"
    return f"{described(one.settings)} (proposal {one.number})"
