"""`rotlab gc`: show what nothing in a store needs, ask, and remove it."""

import argparse
from collections.abc import Collection, Iterable, Iterator

from rich.console import Console
from rich.table import Table

from rotlab.commands.asking import agreed
from rotlab.commands.options import add_store, an_amount
from rotlab.planning.cost.bill_outline import size
from rotlab.planning.kinds import load_kinds
from rotlab.planning.space.names import unknown
from rotlab.planning.stage import StageKind
from rotlab.store.clear import clear, free, tell
from rotlab.store.gate import removing, store_time
from rotlab.store.leftovers import CLASSES, Leftover, Survey, survey
from rotlab.store.needs import Needs, StageId, needs_of
from rotlab.store.store import Store
from rotnet.errors import UserError

KEEP_DAYS = 7.0
_DAY_S = 86400.0
DESCRIPTION = """\
Show what nothing in the store needs any more, ask, and remove it. Results that a study's last
revision asks for stay, and all that a run is at. What is in MLflow stays too.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab gc`."""
    parser.description = DESCRIPTION
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--study", metavar="STUDY", help="only what belongs to this study")
    which.add_argument(
        "--drop",
        metavar="STUDY",
        help="only this study, however new: its plan, its journal, what no other one asks for",
    )
    parser.add_argument(
        "--keep-days",
        metavar="N",
        type=an_amount("days"),
        default=KEEP_DAYS,
        help="leave what changed within so many days [%(default)g]",
    )
    parser.add_argument(
        "--keep",
        metavar="CLASS",
        action="append",
        choices=tuple(CLASSES),
        default=[],
        help=f"leave this class; may be given several times: {', '.join(CLASSES)}",
    )
    parser.add_argument("--dry-run", action="store_true", help="show it, remove nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Show, ask and remove; return 0, or 1 if the answer was no.

    Raises:
        UserError: if there is no such study, it is being run, or nobody can be asked.
    """
    store = Store.open(args.store, writing=not args.dry_run)
    kinds = load_kinds()
    name = args.study or args.drop
    if name is not None and name not in store.studies():
        raise UserError(f"{unknown('study', name, store.studies())}; looked in {store.name}")
    holder = store.driver(args.drop) if args.drop else None
    if holder is not None:
        raise UserError(
            f"study {args.drop!r} is being run by {holder}; end that first: rotlab cancel "
            f"{args.drop}"
        )
    if not store.is_there():
        print(f"nothing to remove: there is no store at {store.name}")
        return 0
    found, needs = _look(store, kinds, args, among=None)
    going = _chosen(found, args.keep)
    for line in _notes(found, needs, args):
        print(line)
    if not going:
        print("nothing to remove")
        return 0
    Console().print(_table(going))
    if args.dry_run:
        return 0
    if not args.yes and not agreed(f"remove {_summed(going)}?"):
        print("nothing was changed")
        return 1
    _remove(store, kinds, args, going)
    return 0


def _look(
    store: Store,
    kinds: dict[str, StageKind],
    args: argparse.Namespace,
    among: Collection[StageId] | None,
) -> tuple[Survey, Needs]:
    needs = needs_of(store, kinds, but=args.drop)
    now = store_time(store.root)
    keep_s = 0.0 if args.drop else args.keep_days * _DAY_S
    return survey(store, needs, now, keep_s, args.study, args.drop, among), needs


def _chosen(found: Survey, keep: Collection[str]) -> list[Leftover]:
    return [one for one in found.leftovers if one.sort not in keep]


def _remove(
    store: Store, kinds: dict[str, StageKind], args: argparse.Namespace, shown: list[Leftover]
) -> None:
    """Remove what was shown, and is still to be removed now that nothing else can begin."""
    known = {(one.sort, one.path) for one in shown}
    stages = {one.stage for one in shown if one.stage is not None}
    with removing(store.root) as check:
        found, needs = _look(store, kinds, args, among=stages)
        going = [one for one in _chosen(found, args.keep) if (one.sort, one.path) in known]
        cleared = clear(store, going, store_time(store.root), check)
    for study, number in tell(store, cleared.gone, needs).items():
        print(f"{study}: {number} results of earlier revisions are gone; a run makes them again")
    free(cleared)
    print(f"removed {_summed(cleared.gone)}")
    left = len(shown) - len(cleared.gone)
    if left:
        print(f"{left} were left: somebody has begun to use them, or has removed them")


def _notes(found: Survey, needs: Needs, args: argparse.Namespace) -> Iterator[str]:
    if found.busy:
        yield f"{len(found.busy)} stages are left: somebody works at them, or runs their study"
    if found.young:
        days = f"{args.keep_days:g}"
        yield f"{_summed(found.young)} are left: they changed within {days} days (--keep-days)"
    for study, why in needs.unread.items():
        yield f"{study}: training states are left, for its plan cannot be read: {why}"
    for why in found.unread:
        yield f"left as it is: {why}"


def _table(going: Iterable[Leftover]) -> Table:
    table = Table("class", "what", box=None, padding=(0, 2, 0, 0))
    for name in ("number", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    for sort, words in CLASSES.items():
        of_sort = [one for one in going if one.sort == sort]
        if of_sort:
            table.add_row(sort, words, f"{len(of_sort):,}", size(sum(one.size for one in of_sort)))
    return table


def _summed(going: Collection[Leftover]) -> str:
    things = "thing" if len(going) == 1 else "things"
    return f"{len(going):,} {things}, {size(sum(one.size for one in going))}"
