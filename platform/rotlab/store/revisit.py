"""A saved study taken up again without its file: what of it is meant, and can still be done."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from rotlab.planning.key import stage_key
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.weights import find_data
from rotlab.planning.stage import Stage, StageKind
from rotlab.store.condition import Condition
from rotlab.store.study import SavedStudy
from rotlab.tracking.past import Past
from rotnet.config import identity
from rotnet.errors import UserError

FACTS = ("kind", "cause")


def meant(
    plan: Plan,
    done: Collection[str],
    past: Past,
    keys: Iterable[str],
    conditions: Iterable[Condition],
) -> list[str]:
    """Return the keys of stages to be tried again, in the plan's order.

    Args:
        plan: of the study.
        done: keys of its stages that have a result.
        past: how its stages ended.
        keys: of the stages, or their first characters; empty means all that were given up.
        conditions: all of which have to hold.

    Raises:
        UserError: if a key means none, several, or one that is done; or if nothing is meant.
    """
    keys, conditions = list(keys), list(conditions)
    failed = [key for key in plan.stages if key in past.failures and key not in done]
    among = [_find(plan, done, key) for key in keys] if keys else failed
    if not among:
        raise UserError(
            f"no stage of {plan.name!r} was given up; `rotlab run` makes what is missing"
        )
    found = [key for key in among if _is_meant(plan.stages[key], past, conditions)]
    if not found:
        which = "named" if keys else "given up"
        raise UserError(
            f"none of the {len(among)} stages of {plan.name!r} that were {which} is meant: see "
            f"rotlab status {plan.name}"
        )
    order = {key: number for number, key in enumerate(plan.stages)}
    return sorted(set(found), key=order.__getitem__)


def check_key(stage: Stage, kind: StageKind, study: SavedStudy) -> None:
    """Refuse a stage that today's code would do differently: it must not go by the old key.

    Raises:
        UserError: if it is one.
    """
    today = stage_key(kind, identity(stage.config), stage.inputs, stage.data)
    if today != stage.key:
        raise UserError(
            f"{stage.kind} {stage.key[:12]} was planned for another version of the code, which "
            f"now knows this work as {today[:12]}; plan study {study.name!r} again with "
            "`rotlab run FILE`, which makes what the new version needs"
        )


def locate(stages: Iterable[Stage], root: Path | str) -> Mapping[str, Path | str]:
    """Return where the data of stages lie.

    Args:
        stages: that are to be done.
        root: where prepared data sets lie.

    Raises:
        UserError: if some are not there.
    """
    refs = {ref.name: ref for stage in stages for ref in stage.data}
    found = {name: find_data(ref, root) for name, ref in refs.items()}
    absent = [name for name, each in found.items() if each.folder is None]
    if absent:
        raise UserError(
            f"not prepared under {root}: {', '.join(absent)}; give --data another folder"
        )
    return {name: each.location for name, each in found.items() if each.location is not None}


def _find(plan: Plan, done: Collection[str], key: str) -> str:
    hits = [one for one in plan.stages if one.startswith(key)]
    if len(hits) != 1:
        how_many = (
            f"{len(hits)} stages of {plan.name!r} have"
            if hits
            else f"no stage of {plan.name!r} has"
        )
        raise UserError(f"{how_many} a key that begins with {key!r}")
    if hits[0] in done:
        raise UserError(
            f"{plan.stages[hits[0]].kind} {hits[0][:12]} is done; to have it made again: "
            f"rotlab invalidate {hits[0][:12]} --because TEXT"
        )
    return hits[0]


def _is_meant(stage: Stage, past: Past, conditions: Iterable[Condition]) -> bool:
    end = past.failures.get(stage.key, {})
    facts = {"kind": stage.kind, "cause": end.get("cause")}
    config = stage.config.model_dump(mode="json")
    return all(one.holds(facts, config) for one in conditions)
