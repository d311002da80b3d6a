"""The stages that each cell needs, made once for all cells that need the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel

from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.key import stage_key
from rotlab.planning.plan.arms import Arm
from rotlab.planning.plan.configs import Configs, RefusedError, Settings
from rotlab.planning.space.problems import Problem
from rotlab.planning.space.replicates import Draw, draws_by_chance
from rotlab.planning.space.shape import Link, Member, applies, roles_of
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import HELD_OUT, DataRef, Role, Stage, StageKind


@dataclass(frozen=True, slots=True)
class Replicate:
    """Where and on which draw an arm is measured: target data set, seeds, the target's split."""

    target: DatasetInfo
    draw: Draw
    split: int | None


class Chains:
    """All stages so far, and how to get those of a further cell.

    Args:
        spec: whose cells they are for.
        kinds: stage kinds by name.
        datasets: all data sets, and weights, that the spec names.
    """

    def __init__(
        self,
        spec: Spec,
        kinds: Mapping[str, StageKind],
        datasets: Mapping[str, DatasetInfo],
    ) -> None:
        self.stages: dict[str, Stage] = {}
        self.problems: dict[Problem, None] = {}
        self._spec = spec
        self._kinds = kinds
        self._datasets = datasets
        self._configs = Configs(spec, kinds, self._refuse)
        self._keys: dict[tuple[object, ...], str] = {}

    def cell(self, arm: Arm, replicate: Replicate) -> tuple[str, tuple[str, ...]]:
        """Return the key of the stage that gives a cell its metrics, and of all it needs.

        Parents come first.

        Raises:
            RefusedError: the cell's settings or data break a rule; the problem is noted.
        """
        needed: dict[str, None] = {}
        shape = arm.shape
        ends = {}
        for member in shape.members:
            end = Link(shape.scorer, shape.init)
            own = arm.of_member(member.name)
            ends[member.name] = self._resolve(end, member, own, replicate, needed)
        if shape.joiner is None:
            return ends[shape.members[0].name], tuple(needed)
        link = Link(shape.joiner, shape.init)
        ends |= self._held_out(link, arm, replicate, ends, needed)
        key = self._stage(link, shape.members[0], arm, replicate, ends)
        needed[key] = None
        return key, tuple(needed)

    def part(
        self, link: Link, member: Member, arm: Arm, replicate: Replicate
    ) -> tuple[str, tuple[str, ...]]:
        """Return the key of a stage within the chain of a cell, and of all it needs.

        Args:
            link: one of the arm's shape.
            member: likewise.
            arm: of the cell.
            replicate: of the cell.

        Raises:
            RefusedError: as of a cell.
        """
        needed: dict[str, None] = {}
        return self._resolve(link, member, arm, replicate, needed), tuple(needed)

    def behind(self, keys: Iterable[str]) -> list[Stage]:
        """Return stages, and all that stand behind them, parents first."""
        found: dict[str, Stage] = {}
        self._collect({key: key for key in keys}, found)
        return list(found.values())

    def _held_out(
        self,
        link: Link,
        arm: Arm,
        replicate: Replicate,
        ends: Mapping[str, str],
        needed: dict[str, None],
    ) -> dict[str, str]:
        """Return what a joining stage needs beside its members: input name -> key.

        A member's stage that would hold nothing out either is none.
        """
        asks, members = link.kind.needs_held_out, arm.shape.members
        if asks is None:
            return {}
        settings = self._settings(link, members[0], arm, replicate)
        config, _ = self._configs.make(link, settings, arm)
        found = {}
        for member in members:
            behind: dict[str, Stage] = {}
            self._collect({member.name: ends[member.name]}, behind)
            kind = asks(config, tuple(behind.values()))
            if kind is None:
                continue
            (above,) = (one for one in arm.shape.links if one.kind.name == kind)
            own = arm.of_member(member.name)
            holding = above.kind.judged.holding if above.kind.judged else {}
            judged = replace(own, overrides={**own.overrides, **holding})
            key = self._resolve(above, member, judged, replicate, needed)
            if key not in behind:
                found[f"{member.name}{HELD_OUT}"] = key
        return found

    def _resolve(
        self, link: Link, member: Member, arm: Arm, replicate: Replicate, needed: dict[str, None]
    ) -> str:
        inputs = {}
        for source in link.kind.inputs:
            if applies(source, link.init, member.modality):
                above = Link(self._kinds[source.kind], source.init or link.init)
                inputs[source.name] = self._resolve(above, member, arm, replicate, needed)
        key = self._stage(link, member, arm, replicate, inputs)
        needed[key] = None
        return key

    def _stage(
        self,
        link: Link,
        member: Member,
        arm: Arm,
        replicate: Replicate,
        inputs: Mapping[str, str],
    ) -> str:
        kind = link.kind
        data = tuple(self._data(role, replicate) for role in roles_of(kind, link.init))
        settings = self._settings(link, member, arm, replicate)
        known = (settings, *inputs.items(), data)
        if known not in self._keys:
            config, counts = self._configs.make(link, settings, arm)
            self._refuse_misfit(kind, config, inputs, arm)
            key = stage_key(kind, counts, inputs, data)
            self._keys[known] = key
            if key not in self.stages:
                self.stages[key] = Stage(key, kind.name, config, dict(sorted(inputs.items())), data)
        return self._keys[known]

    def _settings(self, link: Link, member: Member, arm: Arm, replicate: Replicate) -> Settings:
        kind = link.kind
        seed = replicate.draw.of(kind.name) + member.seed_offset
        plain = {
            **({"modality": member.modality} if "modality" in kind.config.model_fields else {}),
            **({"seed": seed} if draws_by_chance(kind) else {}),
        }
        return self._configs.choice(link, arm, plain)

    def _refuse_misfit(
        self, kind: StageKind, config: BaseModel, inputs: Mapping[str, str], arm: Arm
    ) -> None:
        if kind.misfit is None:
            return
        behind: dict[str, Stage] = {}
        self._collect(inputs, behind)
        found = kind.misfit(config, tuple(behind.values()))
        if found is None:
            return
        setting, why = found
        place = self._spec.places[setting] if setting in arm.values else setting
        is_beside = setting in arm.overrides
        self._refuse(why, self._spec.place_beside([setting]) if is_beside else place)
        raise RefusedError

    def _collect(self, inputs: Mapping[str, str], behind: dict[str, Stage]) -> None:
        """Add all stages that stand behind these, parents first."""
        for key in inputs.values():
            if key not in behind:
                self._collect(self.stages[key].inputs, behind)
                behind[key] = self.stages[key]

    def _data(self, role: Role, replicate: Replicate) -> DataRef:
        """What a stage is given in a role.

        Pretraining on the target itself sees the split's training part only.
        """
        target = replicate.target
        if role == "weights":
            return self._weights()
        if role != "pretrain":
            if target.num_splits == 0:
                self._refuse(f"{target.name!r} has no split into train and test", "data.target")
                raise RefusedError
            return DataRef(target.name, role, replicate.split, target.fingerprint)
        if self._spec.pretrain_data is None:
            self._refuse("is missing: some stages pretrain; name their data set", "data.pretrain")
            raise RefusedError
        pool = self._datasets[self._spec.pretrain_data]
        same = pool.fingerprint == target.fingerprint
        return DataRef(pool.name, role, replicate.split if same else None, pool.fingerprint)

    def _weights(self) -> DataRef:
        """The network that `init: supervised` starts from."""
        if self._spec.weights is None:
            self._refuse(
                "is missing: init supervised starts from a converted network; name its folder",
                "data.weights",
            )
            raise RefusedError
        found = self._datasets[self._spec.weights]
        return DataRef(found.name, "weights", None, found.fingerprint)

    def _refuse(self, text: str, place: str) -> None:
        self.problems[self._spec.problem(text, place)] = None
