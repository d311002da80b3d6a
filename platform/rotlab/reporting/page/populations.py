"""The lineages of populations: what each member was in each generation, and from whom it had it."""

from collections.abc import Sequence

from rotlab.planning.plan.pedigree import Pedigree, Segment, schedule_line, take_over_line
from rotlab.reporting.page.markup import listed, paragraph, table
from rotlab.reporting.tables import Column

_NOTE = (
    "Values are of held-out videos at the end of each generation. \u2190 1 says that the member "
    "took over from member 1 at that generation's beginning; * is what the winner came from. Its "
    "schedule is what every cell replays, with its own seed, from the first epoch."
)


def populations_html(pedigrees: Sequence[Pedigree]) -> str:
    """Return a table for each population, what its members took over, and what its winner was."""
    parts = []
    for at, one in enumerate(pedigrees, 1):
        if not one.segments:
            continue
        parts.append(table(f"population-{at}", f"Population of {one.name}", _columns(one)))
        if one.winner is not None:
            parts.append(paragraph(f"Won, and replayed: {schedule_line(one, one.winner)}."))
        parts.append(listed([take_over_line(one, each) for each in one.take_overs()]))
    return "".join(parts) + (paragraph(_NOTE, "note") if parts else "")


def _columns(pedigree: Pedigree) -> list[Column]:
    """A row for each member, a column for each generation."""
    members = pedigree.population.members
    line = set()
    if pedigree.winner is not None:
        line = {one.number for one in pedigree.ancestry(pedigree.winner)}
    columns = [Column("member", tuple(str(one + 1) for one in range(members)))]
    for at in range(0, len(pedigree.segments), members):
        generation = pedigree.segments[at : at + members]
        shown = [_cell(pedigree, one, is_of_winner=one.number in line) for one in generation]
        shown += [""] * (members - len(shown))
        end = pedigree.epochs(generation[0])[1]
        columns.append(Column(f"to epoch {end}", tuple(shown)))
    return columns


def _cell(pedigree: Pedigree, segment: Segment, *, is_of_winner: bool) -> str:
    value = "-" if segment.value is None else f"{segment.value:.3g}"
    parent = pedigree.segments[segment.parent - 1].member if segment.parent is not None else None
    return value + f" \u2190 {parent}" * segment.took_over + " *" * is_of_winner
