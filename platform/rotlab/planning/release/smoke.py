"""The stages of a plan in small: each sort of them once. Pure.

Of one sort are stages that take the same path through the code: of one kind, alike in brief
(`StageKind.brief`), that start from stages of the same sorts and are given the same data sets.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel

from rotlab.planning.key import flat, stage_key
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import DataRef, Stage, StageKind
from rotnet.config import identity

Traits = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Smoke:
    """What is to be tried before a study.

    Args:
        plan: a stage for each sort, which starts from those of its parents' sorts.
        counts: key in `plan` -> how many of the study's stages to do are of that sort.
        names: key in `plan` -> kind, and what tells the sort from others of it, such as
            "pretrain (clip.frames 16, modality dif)".
        untried: why stages cannot be tried -> how many of the study's stages to do.
        sorts: key of a stage of the study, to do or behind one -> that of its sort.
    """

    plan: Plan
    counts: Mapping[str, int]
    names: Mapping[str, str]
    untried: Mapping[str, int]
    sorts: Mapping[str, str]

    def only(self, wanted: Collection[str]) -> "Smoke":
        """Return the part of it that some sorts need."""
        needed = _with_parents(self.plan, wanted)
        stages = {key: stage for key, stage in self.plan.stages.items() if key in needed}
        return replace(self, plan=replace(self.plan, stages=stages))


def smoke_of(plan: Plan, kinds: Mapping[str, StageKind], to_do: Collection[str]) -> Smoke:
    """Return what is to be tried before stages of a plan are done.

    Of settings that change no result, a sort has those of its first stage in the plan.

    Args:
        plan: of the study.
        kinds: stage kinds by name.
        to_do: keys of its stages that are to be done; what they start from is tried with them.
    """
    needed = _with_parents(plan, to_do)
    splits = _splits(plan)
    briefs = _Briefs(kinds)
    stages: dict[str, Stage] = {}
    sort_of: dict[str, str] = {}
    counts: dict[str, int] = {}
    why_not: dict[str, str] = {}
    untried: dict[str, int] = {}
    for key, stage in plan.stages.items():
        if key not in needed:
            continue
        lacking = next((why_not[one] for one in stage.inputs.values() if one in why_not), None)
        if kinds[stage.kind].brief is None:
            lacking = f"kind {stage.kind} has no settings in brief (StageKind.brief)"
        if lacking is not None:
            why_not[key] = lacking
            untried[lacking] = untried.get(lacking, 0) + (key in to_do)
            continue
        inputs = {name: sort_of[parent] for name, parent in stage.inputs.items()}
        data = tuple(_first_split(ref, splits) for ref in stage.data)
        config, what = briefs.of(stage)
        sort = stage_key(kinds[stage.kind], what, inputs, data)
        stages.setdefault(sort, Stage(sort, stage.kind, config, inputs, data))
        sort_of[key] = sort
        counts[sort] = counts.get(sort, 0) + (key in to_do)
    tried = replace(plan, cells=(), stages=stages, unsupported={}, continues={})
    return Smoke(
        tried, counts, _names(stages), {why: n for why, n in untried.items() if n}, sort_of
    )


class _Briefs:
    """Settings in brief, and their identities; each config, which many stages share, once."""

    def __init__(self, kinds: Mapping[str, StageKind]) -> None:
        self._kinds = kinds
        self._made: dict[tuple[str, int], tuple[BaseModel, dict[str, object]]] = {}

    def of(self, stage: Stage) -> tuple[BaseModel, dict[str, object]]:
        """Return those of a stage whose kind has any."""
        known = (stage.kind, id(stage.config))
        if known not in self._made:
            brief = self._kinds[stage.kind].brief
            config = brief(stage.config) if brief is not None else stage.config
            self._made[known] = (config, identity(config))
        return self._made[known]


def _with_parents(plan: Plan, keys: Collection[str]) -> set[str]:
    """Keys, and all that they start from, at once or through others."""
    needed = set(keys)
    for key in reversed(tuple(plan.stages)):
        if key in needed:
            needed.update(plan.stages[key].inputs.values())
    return needed


def _splits(plan: Plan) -> dict[str, int]:
    """Data set -> the first of its splits that the plan has."""
    found: dict[str, int] = {}
    for stage in plan.stages.values():
        for ref in stage.data:
            if ref.split is not None:
                found[ref.name] = min(found.get(ref.name, ref.split), ref.split)
    return found


def _first_split(ref: DataRef, splits: Mapping[str, int]) -> DataRef:
    return ref if ref.split is None else replace(ref, split=splits[ref.name])


def _names(stages: Mapping[str, Stage]) -> dict[str, str]:
    """Name sorts by what differs among those of their kind, in their settings or behind them."""
    traits: dict[str, Traits] = {}
    for key, stage in stages.items():
        traits[key] = _traits(stage, [traits[one] for one in stage.inputs.values()], stages)
    names = {}
    for kind in dict.fromkeys(stage.kind for stage in stages.values()):
        alike = {key: traits[key] for key, stage in stages.items() if stage.kind == kind}
        varying = _varying(alike.values())
        for key, one in alike.items():
            said = ", ".join(f"{name} {one[name]}" for name in varying if name in one)
            names[key] = f"{kind} ({said})" if said else kind
    return names


def _varying(traits: Collection[Traits]) -> list[str]:
    """Names that have several values where there is their section; "" is one where they lack."""
    values: dict[str, set[str]] = {}
    names = {name for one in traits for name in one}
    for one in traits:
        sections = {name.partition(".")[0] for name in one}
        for name in names:
            if name.partition(".")[0] in sections:
                values.setdefault(name, set()).add(one.get(name, ""))
    return sorted(name for name, found in values.items() if len(found) > 1)


def _traits(stage: Stage, behind: Collection[Traits], stages: Mapping[str, Stage]) -> Traits:
    """What a stage is, and what is behind it, where that says more than it does itself."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(name for one in behind for name in one):
        values = dict.fromkeys(one[name] for one in behind if name in one)
        found[name] = "+".join(values)
    own = {name: text.strip('"') for name, text in flat(identity(stage.config)).items()}
    parents = [stages[key].kind for key in stage.inputs.values()]
    chains = dict.fromkeys(
        f"{one['after']} > {kind}".removeprefix("nothing > ")
        for kind, one in zip(parents, behind, strict=True)
    )
    data = dict.fromkeys(ref.name for ref in stage.data)
    return {**found, **own, "after": " and ".join(chains) or "nothing", "data": "+".join(data)}
