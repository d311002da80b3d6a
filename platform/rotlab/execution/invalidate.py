"""Which results a wish to have them made again means, and all that were made from those."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rotlab.execution.record import Record
from rotlab.planning.key import canonical
from rotnet.errors import UserError

OF_RECORDS = ("kind", "commit", "source", "host", "device")
_BY_BEGINNING = ("commit", "source")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a result must be.

    Args:
        name: "kind", "commit", "source", "host", "device", or a setting such as "pretrain.lr".
        value: plain; a commit or source may be given by its first characters.
    """

    name: str
    value: Any

    def __post_init__(self) -> None:
        if self.name not in OF_RECORDS and "." not in self.name:
            known = ", ".join(OF_RECORDS)
            raise UserError(
                f"--where {self.name}: must be {known}, or a setting such as pretrain.lr"
            )

    def holds(self, record: Record) -> bool:
        """Say whether a result is so."""
        if self.name in _BY_BEGINNING:
            return (getattr(record, self.name) or "").startswith(str(self.value))
        if self.name in OF_RECORDS:
            return bool(getattr(record, self.name) == self.value)
        found: Any = record.config
        for part in self.name.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return False
            found = found[part]
        return canonical(found) == canonical(self.value)


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
    return [record for record in among if all(one.holds(record) for one in conditions)]


def with_dependents(chosen: Iterable[Record], records: Iterable[Record]) -> list[Record]:
    """Return results and all that were made from them or go on from them, children first."""
    children: dict[str, list[Record]] = {}
    for record in records:
        behind = (record.continued,) if record.continued else ()
        for parent in (*record.inputs.values(), *behind):
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
