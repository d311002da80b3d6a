"""Why a plan's stages would run: what sets each apart from the likest result that is there."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from rotlab.execution.record import Record
from rotlab.planning.key import flat
from rotlab.planning.stage import Stage, StageKind
from rotnet.config import identity

MOST_CHANGES = 3  # a stage that differs in more from all that is there is simply new
MOST_COMPARED = 500  # results of a kind, the newest
_MISSING = "-"


@dataclass(frozen=True, slots=True)
class _Known:
    """A result: its settings as texts, what it was made from, and of which data."""

    settings: Mapping[str, str]
    inputs: Mapping[str, str]
    data: frozenset[tuple[str, int | None, str]]
    ended: str


def reasons(
    missing: Iterable[Stage], records: Iterable[Record], kinds: Mapping[str, StageKind]
) -> dict[str, str]:
    """Return key -> why a stage's result is not there.

    Args:
        missing: stages of a plan, parents first.
        records: of the store, of whatever study.
        kinds: stage kinds by name.
    """
    known: dict[str, list[_Known]] = {}
    for record in sorted(records, key=lambda one: one.ended, reverse=True):
        of_kind = known.setdefault(record.kind, [])
        if len(of_kind) < MOST_COMPARED and record.kind in kinds:
            of_kind.extend(_known(record, kinds[record.kind]))
    found: dict[str, str] = {}
    for stage in missing:
        found[stage.key] = _reason(stage, known.get(stage.kind, []), kinds[stage.kind], found)
    return found


def drift(
    records: Iterable[Record], sources: Mapping[str, str | None], commit: str | None
) -> dict[str, Counter[str]]:
    """Return kind -> commit -> how many of these results other source made; no key tells of that.

    Of a result that does not say which source made it, the commit is compared.

    Args:
        records: of results whose keys are those of today.
        sources: kind -> digest of its source now.
        commit: of the source now.
    """
    found: dict[str, Counter[str]] = {}
    for record in records:
        now, then = (commit, record.commit)
        if record.source is not None:
            now, then = (sources[record.kind], record.source)
        if now != then:
            found.setdefault(record.kind, Counter())[record.commit or "no commit"] += 1
    return found


def _reason(
    stage: Stage, known: list[_Known], kind: StageKind, would_run: Mapping[str, str]
) -> str:
    if not known:
        return f"the store has no result of {stage.kind}"
    settings, data = flat(identity(stage.config)), _data(stage)

    def distance(one: _Known) -> int:
        changed = len(settings.items() ^ one.settings.items())
        return changed + 2 * (dict(stage.inputs) != dict(one.inputs)) + 2 * (data != one.data)

    best = min(known, key=distance)
    changes = list(_changes(settings, best.settings))
    if data != best.data:
        before = {role: fingerprint for role, _, fingerprint in best.data}
        is_same = all(before.get(role) == fingerprint for role, _, fingerprint in data)
        changes.append("another split" if is_same else "its data changed, or are others")
    if len(changes) > MOST_CHANGES:
        return f"new: it differs in {len(changes)} things from all that is there"
    if changes:
        return ", ".join(changes)
    behind = [key for key in stage.inputs.values() if key in would_run]
    if behind:
        return "what it starts from would run"
    if dict(stage.inputs) != dict(best.inputs):
        return "it starts from another result"
    return f"the code of {stage.kind} is another version, now {kind.version}"


def _changes(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*now, *before}):
        if now.get(name) != before.get(name):
            yield f"{name} {before.get(name, _MISSING)} -> {now.get(name, _MISSING)}"


def _known(record: Record, kind: StageKind) -> Iterator[_Known]:
    """A result as it is compared; nothing where its kind no longer takes such settings."""
    try:
        config = kind.config.model_validate_json(json.dumps(record.config))
    except ValidationError:
        return
    data = frozenset((ref["role"], ref["split"], ref["fingerprint"]) for ref in record.data)
    yield _Known(flat(identity(config)), record.inputs, data, record.ended)


def _data(stage: Stage) -> frozenset[tuple[str, int | None, str]]:
    return frozenset((ref.role, ref.split, ref.fingerprint) for ref in stage.data)
