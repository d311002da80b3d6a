"""`rotlab diff`: what a run of a file would do now, and why."""

import argparse
from collections import Counter
from collections.abc import Mapping

from rotlab.commands.options import add_data, add_file, add_store
from rotlab.execution.stage.provenance import commit, source
from rotlab.planning.outline.looks_outline import looks_lines
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.stage import StageKind
from rotlab.store.decision_book import DecisionBook
from rotlab.store.difference import drift, reasons
from rotlab.store.record import Record
from rotlab.store.store import Store

_LISTED = 12  # reasons of a kind; more are counted only


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab diff`."""
    add_file(parser)
    add_data(parser)
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Print which stages would run, by kind and reason, and what is asked for no more; return 0.

    Raises:
        UserError: the search space, a data set or the store is not in order.
    """
    store = Store.open(args.store, writing=False)
    planned = plan_file(args.file, args.data)
    planned = planned.decided(
        DecisionBook(store.root).read(planned.plan.tunings, planned.plan.families)
    )
    plan = planned.plan
    records = store.records(plan.stages.values())
    missing = [stage for key, stage in plan.stages.items() if key not in records]
    deciders = "looks" if plan.families else "searches"
    more = f", and what its {deciders} then ask for" * (not plan.is_decided)
    print(f"{plan.name}: {len(missing)} of {len(plan.stages)} stages would run{more}")
    for line in looks_lines(plan.families, plan.looks):
        print(line)
    why = reasons(missing, store.all_records(plan.count_by_kind()), planned.kinds, plan.stages)
    counts = Counter((stage.kind, why[stage.key]) for stage in missing)
    for kind in plan.count_by_kind():
        of_kind = [(one, number) for (name, one), number in counts.items() if name == kind]
        of_kind.sort(key=lambda one: -one[1])
        for reason, number in of_kind[:_LISTED]:
            print(f"  {number:>5} {kind}: {reason}")
        if len(of_kind) > _LISTED:
            rest = sum(number for _, number in of_kind[_LISTED:])
            print(f"  {rest:>5} {kind}: for {len(of_kind) - _LISTED} further reasons")
    last = store.study(plan.name)
    if last is not None:
        dropped = {stage["key"] for stage in last.plan["stages"]} - plan.stages.keys()
        if dropped:
            when = "no more" if plan.is_decided else f"no more, or not until {deciders} end"
            print(f"{len(dropped)} stages of its last run are asked for {when}; results stay")
    _tell_drift(records, planned.kinds)
    return 0


def _tell_drift(records: Mapping[str, Record], kinds: Mapping[str, StageKind]) -> None:
    """Print which results were made by other source than there is now; they are not made again."""
    sources = {record.kind: source(kinds[record.kind].run) for record in records.values()}
    now = commit()
    drifted = drift(records.values(), sources, now)
    if not drifted:
        return
    total = sum(counts.total() for counts in drifted.values())
    print(
        f"note: {total} results that it uses were made by other source of the same code versions; "
        f"now {_short(now or 'no commit')}"
    )
    for kind, counts in drifted.items():
        made = ", ".join(f"{number} by {_short(name)}" for name, number in counts.most_common())
        print(f"  {counts.total():>5} {kind}: {made}")
    print("  they are taken as they are; rotlab invalidate has results made again")


def _short(commit: str) -> str:
    """Return a commit's first digits, and whether the files differed from it.

    >>> _short("0123456789abcdef-dirty")
    '0123456789ab-dirty'
    """
    name, dash, rest = commit.partition("-")
    return f"{name[:12]}{dash}{rest}"
