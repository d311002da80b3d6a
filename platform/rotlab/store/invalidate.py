"""Which results a wish to have them made again means, and all that were made from those."""

from collections.abc import Iterable

from rotlab.store.condition import Condition
from rotlab.store.record import Record
from rotnet.errors import UserError

FACTS = ("kind", "commit", "source", "host", "device")


def chosen(
    records: Iterable[Record], keys: Iterable[str], conditions: Iterable[Condition]
) -> list[Record]:
    """Return the results that are meant.

    Args:
        records: all of a store.
        keys: their keys, or the first characters of them; empty means all that the conditions do.
        conditions: all of which have to hold.

    Raises:
        UserError: if a key means none, or more than one.
    """
    records, conditions = list(records), list(conditions)
    found: dict[str, Record] = {}
    for key in keys:
        hits = [record for record in records if record.key.startswith(key)]
        if len(hits) != 1:
            how_many = f"{len(hits)} results have" if hits else "no result has"
            raise UserError(f"{how_many} a key that begins with {key!r}")
        found[hits[0].key] = hits[0]
    among = found.values() if found else records
    return [record for record in among if _is_meant(record, conditions)]


def with_dependents(chosen: Iterable[Record], records: Iterable[Record]) -> list[Record]:
    """Return results and all that were made from them or go on from them, children first."""
    children: dict[str, list[Record]] = {}
    for record in records:
        for parent in record.parents:
            children.setdefault(parent, []).append(record)
    found: dict[str, Record] = {}

    def visit(record: Record) -> None:
        if record.key not in found:
            for child in children.get(record.key, ()):
                visit(child)
            found[record.key] = record

    for record in chosen:
        visit(record)
    return list(found.values())


def bereft(records: Iterable[Record], gone: Iterable[str]) -> list[Record]:
    """Return results that lack what they were made from, and all made from them, children first.

    Args:
        records: all of a store, as they are now.
        gone: keys of results that were withdrawn from it.
    """
    records = list(records)
    lacking = set(gone).difference(record.key for record in records)
    return with_dependents((one for one in records if lacking.intersection(one.parents)), records)


def _is_meant(record: Record, conditions: Iterable[Condition]) -> bool:
    facts = {name: getattr(record, name) for name in FACTS}
    return all(one.holds(facts, record.config) for one in conditions)
