"""`rotlab diff`: what a run of a file would do now, and why."""

import argparse
from collections import Counter

from rotlab.commands.options import add_data, add_file, add_store
from rotlab.execution.decision_book import DecisionBook
from rotlab.execution.difference import other_code, reasons
from rotlab.execution.provenance import commit
from rotlab.execution.store import Store
from rotlab.planning.planned import plan_file

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
    planned = planned.decided(DecisionBook(store.root).read(planned.plan.tunings))
    plan = planned.plan
    records = store.records(plan.stages.values())
    missing = [stage for key, stage in plan.stages.items() if key not in records]
    more = ", and what its searches then ask for" * bool(plan.awaited)
    print(f"{plan.name}: {len(missing)} of {len(plan.stages)} stages would run{more}")
    why = reasons(missing, store.all_records(plan.count_by_kind()), planned.kinds)
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
            print(f"{len(dropped)} stages of its last run are asked for no more; results stay")
    others = other_code(records.values(), commit())
    if others:
        made = ", ".join(f"{number} by {name[:12]}" for name, number in sorted(others.items()))
        print(
            f"{sum(others.values())} results that it uses are of other code of the same versions: "
            f"{made}; now {(commit() or 'no commit')[:12]}"
        )
    return 0
