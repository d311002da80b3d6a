"""The stages that each cell needs, made once for all cells that need the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from rotlab.planning.arms import Arm
from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.key import stage_key
from rotlab.planning.kinds import sections_of
from rotlab.planning.problems import Problem
from rotlab.planning.refusals import Refusal, refusals
from rotlab.planning.settings import variants, vocabulary
from rotlab.planning.shape import applies
from rotlab.planning.spec import Spec
from rotlab.planning.stage import DataRef, Role, Stage, StageKind
from rotnet.config import identity

Made = BaseModel | tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Replicate:
    """Where and on which draw an arm is measured: target data set, seed, the target's split."""

    target: DatasetInfo
    seed: int
    split: int | None


class RefusedError(Exception):
    """A cell has no stages, because of a problem that is already noted."""


class Chains:
    """All stages so far, and how to get those of a further cell.

    Args:
        spec: whose cells they are for.
        kinds: stage kinds by name.
        datasets: all data sets that the spec names.
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
        self._sections = {name: sections_of(kind) for name, kind in kinds.items()}
        self._models = vocabulary(kinds).sections
        self._variants: dict[str, dict[tuple[int, ...], Made]] = {}
        self._configs: dict[tuple[object, ...], tuple[BaseModel, dict[str, Any]]] = {}
        self._keys: dict[tuple[object, ...], str] = {}
        self._axes = _axes_by_section(spec)
        self._last_arm: Arm | None = None
        self._choices: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {}

    def cell(self, arm: Arm, replicate: Replicate) -> tuple[str, tuple[str, ...]]:
        """Return the key of the stage that gives a cell its metrics, and of all it needs.

        Parents come first.

        Raises:
            RefusedError: the cell's settings or data break a rule; the problem is noted.
        """
        needed: dict[str, None] = {}
        shape = arm.shape
        ends = {
            member: self._resolve(shape.scorer, member, arm, replicate, needed)
            for member in shape.members
        }
        if shape.joiner is None:
            return ends[shape.members[0]], tuple(needed)
        key = self._stage(shape.joiner, "", arm, replicate, ends)
        needed[key] = None
        return key, tuple(needed)

    def _resolve(
        self, kind: StageKind, member: str, arm: Arm, replicate: Replicate, needed: dict[str, None]
    ) -> str:
        inputs = {
            source.name: self._resolve(self._kinds[source.kind], member, arm, replicate, needed)
            for source in kind.inputs
            if applies(source, arm.shape.init, member)
        }
        key = self._stage(kind, member, arm, replicate, inputs)
        needed[key] = None
        return key

    def _stage(
        self,
        kind: StageKind,
        member: str,
        arm: Arm,
        replicate: Replicate,
        inputs: Mapping[str, str],
    ) -> str:
        data = tuple(self._data(role, replicate) for role in kind.roles)
        reads = kind.config.model_fields
        chosen = self._choice_of(kind, arm)
        choice = {"modality": member} if "modality" in reads else {}
        drawn = {"seed": replicate.seed} if "seed" in reads else {}
        settings = (kind.name, chosen, *choice.values(), *drawn.values())
        known = (settings, *inputs.items(), data)
        if known not in self._keys:
            config, counts = self._config(kind, settings, chosen, {**choice, **drawn}, arm)
            key = stage_key(kind, counts, inputs, data)
            self._keys[known] = key
            if key not in self.stages:
                self.stages[key] = Stage(key, kind.name, config, dict(sorted(inputs.items())), data)
        return self._keys[known]

    def _choice_of(self, kind: StageKind, arm: Arm) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """What an arm chooses on the axes that a kind reads: section -> indices of values."""
        if arm is not self._last_arm:  # an arm's cells come one after another
            self._last_arm, self._choices = arm, {}
        if kind.name not in self._choices:
            self._choices[kind.name] = tuple(
                (section, tuple(arm.chosen[axis] for axis in self._axes.get(section, ())))
                for section in self._sections[kind.name]
            )
        return self._choices[kind.name]

    def _config(
        self,
        kind: StageKind,
        settings: tuple[object, ...],
        chosen: tuple[tuple[str, tuple[int, ...]], ...],
        plain: Mapping[str, Any],
        arm: Arm,
    ) -> tuple[BaseModel, dict[str, Any]]:
        """A kind's config for a choice of settings, and its identity; made once for each choice."""
        if settings not in self._configs:
            sections = {section: self._section(section, indices) for section, indices in chosen}
            try:
                config = kind.config.model_validate({**sections, **plain})
            except ValidationError as error:
                combination = ", ".join(f"{axis}={value}" for axis, value in arm.values.items())
                for refusal in refusals(error, {}, kind.config):
                    self._refuse(f"{kind.name}: {refusal.text} (with {combination})", "axes")
                raise RefusedError from error
            self._configs[settings] = (config, identity(config))
        return self._configs[settings]

    def _section(self, section: str, indices: tuple[int, ...]) -> BaseModel:
        """A section of settings for a choice on its axes; made once for each choice."""
        if section not in self._variants:
            self._variants[section] = self._all_variants(section)
        made = self._variants[section][indices]
        if isinstance(made, BaseModel):
            return made
        axes = self._axes[section]
        chosen = ", ".join(
            f"{axis}={self._spec.axes[axis][index]}"
            for axis, index in zip(axes, indices, strict=True)
        )
        for refusal in made:
            self._refuse(f"{refusal.text} (with {chosen})", "axes", axes[0])
        raise RefusedError

    def _all_variants(self, section: str) -> dict[tuple[int, ...], Made]:
        axes = {
            axis.partition(".")[2]: self._spec.axes[axis] for axis in self._axes.get(section, ())
        }
        fixed = self._spec.settings.get(section, {})
        return variants(self._models[section], section, self._spec.base, fixed, axes)

    def _data(self, role: Role, replicate: Replicate) -> DataRef:
        """What a stage is given in a role.

        Pretraining on the target itself sees the split's training part only.
        """
        target = replicate.target
        if role != "pretrain":
            if target.num_splits == 0:
                self._refuse(f"{target.name!r} has no split into train and test", "data", "target")
                raise RefusedError
            return DataRef(target.name, role, replicate.split, target.fingerprint)
        if self._spec.pretrain_data is None:
            self._refuse(
                "is missing: some stages pretrain; name their data set", "data", "pretrain"
            )
            raise RefusedError
        pool = self._datasets[self._spec.pretrain_data]
        same = pool.fingerprint == target.fingerprint
        return DataRef(pool.name, role, replicate.split if same else None, pool.fingerprint)

    def _refuse(self, text: str, *place: str) -> None:
        lines = self._spec.lines
        line = lines.get(".".join(place)) or lines.get(place[0]) or 1
        self.problems[Problem(text, ".".join(place), line)] = None


def _axes_by_section(spec: Spec) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for axis in spec.axes:
        found.setdefault(axis.partition(".")[0], []).append(axis)
    return {section: tuple(axes) for section, axes in found.items()}
