"""`rotlab invalidate`: take results out of use, so that the next run makes them again."""

import argparse
from collections import Counter
from collections.abc import Collection

from rotlab.commands.asking import agreed
from rotlab.commands.options import add_store
from rotlab.store.condition import Condition, read_condition
from rotlab.store.invalidate import FACTS, bereft, chosen, with_dependents
from rotlab.store.overturned import Overturned, overturned, set_aside
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotnet.errors import UserError

DESCRIPTION = """\
Take results out of use, and all that were made from them, with what searches have decided by them.
The next run makes and decides them again. What was there is kept in the store, with the reason.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab invalidate`."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "keys", metavar="KEY", nargs="*", help="of a stage, or its first characters"
    )
    parser.add_argument(
        "--where",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_condition,
        help="of results so made: kind, commit, source, host, device or a setting such as "
        "pretrain.lr; given several times, all have to hold",
    )
    parser.add_argument("--because", metavar="TEXT", required=True, help="the reason, kept")
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Say what would go, ask, and set it aside; return 0, or 1 if the answer was no.

    Raises:
        UserError: if nothing is meant, nobody can be asked, or a search that stands on them is
            under way.
    """
    if not args.keys and not args.where:
        raise UserError("which results? give KEY or --where NAME=VALUE")
    if not args.because.strip():
        raise UserError("--because is empty: say why, for whoever wonders later")
    store = Store.open(args.store)
    records = list(store.all_records())
    meant = chosen(records, args.keys, args.where)
    if not meant:
        raise UserError(f"none of the {len(records)} results in {store.name} is meant")
    going = with_dependents(meant, records)
    print(f"{_counted(meant)} and what was made from them: {_counted(going)} in all")
    decided = overturned(store.root, {record.key for record in going})
    if decided:
        _refuse_at_work(store, {one.folder.name for one in decided})
        print(f"{_decided(decided)} stood on them, and will be decided anew by the next run")
    if not args.yes and not agreed(f"take {len(going)} results out of use?"):
        print("nothing was changed")
        return 1
    gone: set[str] = set()
    because = args.because.strip()
    while going:  # a run may have made more from them since they were listed
        for one in overturned(store.root, {record.key for record in going}):
            set_aside(one, because)
        for record in going:  # what needs most first: cut short, none is without what it needs
            store.set_aside(record, because)
        gone.update(record.key for record in going)
        going = bereft(store.all_records(), gone)
    for one in overturned(store.root, gone):  # likewise, by results that were still there
        set_aside(one, because)
    print(f"{len(gone)} results count no more; they are kept below <kind>/<key>/invalid")
    return 0


def _condition(text: str) -> Condition:
    try:
        return read_condition(text, FACTS)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _counted(records: list[Record]) -> str:
    counts = Counter(record.kind for record in records)
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))


def _refuse_at_work(store: Store, searches: Collection[str]) -> None:
    """A driver remembers what its searches have learnt, and would go on from that."""
    for name in store.studies():
        holder = store.driver(name)
        study = store.study(name) if holder is not None else None
        tunings = study.plan.get("tunings", ()) if study is not None else ()
        if any(one["key"] in searches for one in tunings):
            raise UserError(
                f"study {name!r} is being run by {holder}, and its searches stand on them; end "
                f"that first: rotlab cancel {name}"
            )


def _decided(found: list[Overturned]) -> str:
    winners = sum(one.num_winners for one in found)
    proposals = sum(one.num_proposals for one in found)
    said = [
        f"{number} {name}{'s' * (number != 1)}"
        for number, name in ((winners, "winner"), (proposals, "later proposal"))
        if number
    ]
    searches = f"{len(found)} search{'es' * (len(found) != 1)}"
    return searches + (f" ({', '.join(said)})" if said else "")
