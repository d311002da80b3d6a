"""Why a plan's stages would run: what sets each apart from the likest result that is there."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from rotlab.planning.key import flat
from rotlab.planning.stage import Stage, StageKind
from rotlab.store.record import Record
from rotnet.config import identity

MOST_CHANGES = 3  # a stage that differs in more from all that is there is simply new
MOST_COMPARED = 500  # results of a kind, the newest
SEED = "seed"  # of a stage, as its replicate has it
_MISSING = "-"


@dataclass(frozen=True, slots=True)
class _Known:
    """A result: its key, its settings as texts, what it was made from, and of which data."""

    key: str
    settings: Mapping[str, str]
    inputs: Mapping[str, str]
    data: frozenset[tuple[str, int | None, str]]
    ended: str


def reasons(
    missing: Iterable[Stage],
    records: Iterable[Record],
    kinds: Mapping[str, StageKind],
    asked: Collection[str] = (),
) -> dict[str, str]:
    """Return key -> why a stage's result is not there.

    Args:
        missing: stages of a plan, parents first.
        records: of the store, of whatever study.
        kinds: stage kinds by name.
        asked: keys of all stages of the plan.
    """
    known: dict[str, list[_Known]] = {}
    for record in sorted(records, key=lambda one: one.ended, reverse=True):
        of_kind = known.setdefault(record.kind, [])
        if len(of_kind) < MOST_COMPARED and record.kind in kinds:
            of_kind.extend(_known(record, kinds[record.kind]))
    found: dict[str, str] = {}
    for stage in missing:
        of_kind = known.get(stage.kind, [])
        found[stage.key] = _reason(stage, of_kind, kinds[stage.kind], found, asked)
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
    stage: Stage,
    known: list[_Known],
    kind: StageKind,
    would_run: Mapping[str, str],
    asked: Collection[str],
) -> str:
    if not known:
        return f"the store has no result of {stage.kind}"
    settings, data = flat(identity(stage.config)), _data(stage)

    def distance(one: _Known) -> int:
        changed = len(settings.items() ^ one.settings.items())
        return changed + 2 * (dict(stage.inputs) != dict(one.inputs)) + 2 * (data != one.data)

    best = min(known, key=distance)
    changes = list(_changes(settings, best.settings))
    is_other_split = data != best.data and _without_split(data) == _without_split(best.data)
    if data != best.data:
        changes.append("another split" if is_other_split else "its data changed, or are others")
    different = {name for name, _ in settings.items() ^ best.settings.items()}
    if changes and different <= {SEED} and len(changes) == len(different) + is_other_split:
        replicate = (*different, *["split"] * is_other_split)
        return f"never run: another {' and '.join(replicate)}"
    if len(changes) > MOST_CHANGES:
        return f"new: it differs in {len(changes)} things from all that is there"
    if changes:
        return ", ".join(changes)
    behind = [key for key in stage.inputs.values() if key in would_run]
    if behind:
        return "what it starts from would run"
    if dict(stage.inputs) != dict(best.inputs):
        beside = "never run: it starts from another replicate, or arm"
        return beside if best.key in asked else "it starts from another result"
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
    yield _Known(record.key, flat(identity(config)), record.inputs, data, record.ended)


def _data(stage: Stage) -> frozenset[tuple[str, int | None, str]]:
    return frozenset((ref.role, ref.split, ref.fingerprint) for ref in stage.data)


def _without_split(data: Iterable[tuple[str, int | None, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((role, fingerprint) for role, _, fingerprint in data)
