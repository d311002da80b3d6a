"""`rotlab status`: how far a study is, from what lies in the store."""

import argparse
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from rich.console import Console
from rich.table import Table

from rotlab.commands.options import add_store, add_study
from rotlab.execution.conduct.failures import debug_line
from rotlab.planning.outline.looks_outline import looks_lines
from rotlab.planning.plan.fronts import arms_of, described, fronts
from rotlab.planning.plan.pedigree import Pedigree, pedigrees, schedule_line, take_over_line
from rotlab.planning.plan.serial_looks import families_from_json
from rotlab.planning.plan.serial_searches import searches_from_json
from rotlab.planning.space.names import unknown
from rotlab.store.added import added
from rotlab.store.decision_book import DecisionBook
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy
from rotlab.tracking.journal import Journal
from rotlab.tracking.past import in_order, look_back
from rotnet.errors import UserError

_TOLD = 6  # members of a population that took over


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab status`."""
    add_study(parser)
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Print how far a study is; return 0.

    Raises:
        UserError: if the store holds no such study.
    """
    store = Store.open(args.store, writing=False)
    study = store.study(args.study)
    if study is None:
        said = unknown("study", args.study, store.studies())
        raise UserError(f"{said}; looked in {store.name}")
    events = in_order(Journal(path).read() for path in store.journals(args.study))
    past = look_back(events)
    kinds = {stage["key"]: stage["kind"] for stage in study.plan["stages"]}
    kinds |= added(store, study)
    done = store.records_of(kinds)
    failed = {key: end for key, end in past.failures.items() if key in kinds and key not in done}
    print(f"{study.name}: {len(done)} of {len(kinds)} stages done (revision {study.revision})")
    pruned = _pruned(store, study) - done.keys()
    Console().print(_table(kinds, set(done), failed.keys() - pruned, pruned))
    for line in (*_searches(store, study), *_looks(store, study), *_lengths(done.values())):
        print(line)
    if past.last is not None:
        when = datetime.fromtimestamp(past.last["time"]).astimezone()
        print(f"last activity: {when:%Y-%m-%d %H:%M:%S}, {past.last['event'].replace('_', ' ')}")
    options = ("--store", args.store) if args.store else ()
    for key, event in failed.items():
        print(f"failed: {kinds[key]} {key[:12]}: {event['error']}")
        print(f"  to see it fail: {debug_line(key, options)}")
    return 0


def _searches(store: Store, study: SavedStudy) -> Iterator[str]:
    """How far searches are."""
    tunings = searches_from_json(study.plan).get("tunings")
    if not tunings:
        return
    decisions = DecisionBook(store.root).read(tunings)
    made = sum(len(decisions.proposed(key)) for key in tunings)
    asked = sum(one.ends_after(decisions.proposed(key)) for key, one in tunings.items())
    of = "" if any(one.allowance for one in tunings.values()) else f" of {asked}"
    failed = sum(one is None for each in decisions.values.values() for one in each.values())
    pruned = sum(map(len, decisions.pruned.values()))
    yield (
        f"searches: {len(decisions.winners)} of {len(tunings)} have ended, "
        f"{made}{of} proposals made"
        + f", {failed} of them failed" * bool(failed)
        + f", {pruned} of them pruned" * bool(pruned)
    )
    for key, tuning in tunings.items():
        if tuning.allowance is not None:
            hours = decisions.hours.get(key, {}).values()
            used = sum(one[tuning.allowance.unit] for one in hours)
            yield f"  {arms_of(tuning)}: {used:.3g} of {tuning.allowance} used by those that ended"
    for key, winner in decisions.winners.items():
        if tunings[key].population is not None:
            continue
        yield (
            f"  {arms_of(tunings[key])}: {described(winner.settings)} "
            f"(proposal {winner.number}, {winner.value:.4g})"
        )
    for each in pedigrees(tunings, decisions):
        yield from _population(each)
    for front in fronts(tunings, decisions):
        names = ", ".join(map(str, front.tuning.objectives))
        yield f"  {arms_of(front.tuning)}: Pareto front of {front.tried} tries ({names})"
        for one in front.members:
            came_to = ", ".join(f"{value:.4g}" for value in one.values)
            wins = ", which wins" * one.wins
            yield f"    {came_to}: {described(one.settings)} (proposal {one.number}{wins})"


def _population(pedigree: Pedigree) -> Iterator[str]:
    """How far a population is, what it came to, and who took over from whom."""
    every, moved = pedigree.population.every, pedigree.take_overs()
    made = len(pedigree.segments) // pedigree.population.members
    yield (
        f"  {pedigree.name}: {pedigree.population.members} members, generation {made} of "
        f"{pedigree.generations}, each of {every} epoch{'' if every == 1 else 's'}; "
        f"{len(moved)} took over from another"
    )
    if pedigree.winner is not None:
        won = pedigree.segments[pedigree.winner - 1]
        told = schedule_line(pedigree, won.number)
        yield f"    won by member {won.member} ({won.value:.4g}): {told}"
    yield from (f"    {take_over_line(pedigree, one)}" for one in moved[:_TOLD])
    if len(moved) > _TOLD:
        yield f"    and {len(moved) - _TOLD} more; `rotlab report` shows all"


def _pruned(store: Store, study: SavedStudy) -> set[str]:
    """Stages that were stopped before their end, as they fell behind in a search."""
    book = DecisionBook(store.root)
    tunings = searches_from_json(study.plan).get("tunings", {})
    return {one.key for key in tunings for one in book.all_pruned(key)}


def _looks(store: Store, study: SavedStudy) -> Iterator[str]:
    """How far looks are, and what they decided."""
    saved = families_from_json(study.plan)
    if not saved:
        return iter(())
    taken = DecisionBook(store.root).read({}, saved["families"]).looks
    of_revision = saved["looks"]  # all that there is of a study that was imported
    return looks_lines(saved["families"], {key: taken[key] or of_revision[key] for key in taken})


def _lengths(records: Collection[Record]) -> Iterator[str]:
    """What went on from shorter trainings, and what should have and did not."""
    went_on = [record for record in records if record.continued is not None]
    if went_on:
        seconds = sum(record.seconds for record in went_on)
        stages = "stage" if len(went_on) == 1 else "stages"
        yield f"{len(went_on)} {stages} went on from shorter trainings, in {seconds:,.0f} s"
    for record in records:
        if record.not_continued is not None:
            yield (
                f"{record.kind} {record.key[:12]} did not go on as planned: {record.not_continued}"
            )


def _table(kinds: dict[str, str], done: set[str], failed: Iterable[str], pruned: set[str]) -> Table:
    lost = set(failed)
    table = Table("stages", box=None, padding=(0, 2, 0, 0))
    has_pruned = not pruned.isdisjoint(kinds)
    for name in ("done", "failed", *["pruned"] * has_pruned, "missing"):
        table.add_column(name, justify="right")
    for kind in dict.fromkeys(kinds.values()):
        keys = {key for key, each in kinds.items() if each == kind}
        cut = [len(keys & pruned)] * has_pruned
        numbers = (len(keys & done), len(keys & lost), *cut, len(keys - done - lost - pruned))
        table.add_row(kind, *(str(number) for number in numbers))
    return table
