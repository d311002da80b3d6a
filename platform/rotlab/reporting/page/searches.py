"""Which of the settings that a search tuned mattered."""

from collections.abc import Sequence

from rotlab.execution.importance import Importance
from rotlab.reporting.page.markup import listed, paragraph, table
from rotlab.reporting.tables import Column

_NOTE = (
    "Share of each setting in what tells the best proposals of a search from all its proposals "
    "(PED-ANOVA, on held-out videos). It holds for the ranges that were searched, and hangs on the "
    "proposals that were made: of few it is a hint."
)


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
