"""The settings of stages, from fixed values and what an arm chooses; each is made once."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from rotlab.planning.arms import Arm
from rotlab.planning.inits import reads
from rotlab.planning.kinds import sections_of
from rotlab.planning.refusals import refusals
from rotlab.planning.settings import Made, variants, vocabulary
from rotlab.planning.shape import Link
from rotlab.planning.spec import Spec
from rotlab.planning.stage import StageKind
from rotnet.config import identity

Indices = tuple[tuple[str, tuple[int, ...]], ...]  # section -> indices of the values of its axes
Settings = tuple[str, str, Indices, tuple[tuple[str, Any], ...]]  # kind, init, indices, plain ones


class RefusedError(Exception):
    """A cell has no stages, because of a problem that is already noted."""


class Configs:
    """All configs so far, and how to get a further one.

    Args:
        spec: whose settings they hold.
        kinds: stage kinds by name.
        refuse: takes what is wrong, and the place of it in the file.
    """

    def __init__(
        self, spec: Spec, kinds: Mapping[str, StageKind], refuse: Callable[..., None]
    ) -> None:
        self._spec = spec
        self._refuse = refuse
        self._sections = {name: sections_of(kind) for name, kind in kinds.items()}
        self._models = vocabulary(kinds).sections
        self._variants: dict[tuple[str, str], dict[tuple[int, ...], Made]] = {}
        self._made: dict[Settings, tuple[BaseModel, dict[str, Any]]] = {}
        self._axes = _axes_by_section(spec)
        self._read: dict[tuple[str, str], tuple[str, ...]] = {}
        self._last_arm: Arm | None = None
        self._indices: dict[tuple[str, str], Indices] = {}

    def choice(self, link: Link, arm: Arm, plain: Mapping[str, Any]) -> Settings:
        """Return what tells a stage's settings from others: equal choices, equal configs.

        Args:
            link: kind and init of the stage.
            arm: that it is for.
            plain: what the config takes from the cell, beside its sections.
        """
        return link.kind.name, link.init, self._chosen(link, arm), tuple(plain.items())

    def make(self, link: Link, settings: Settings, arm: Arm) -> tuple[BaseModel, dict[str, Any]]:
        """Return a stage's config, and its identity.

        Raises:
            RefusedError: the settings break a rule; the problem is noted.
        """
        if settings not in self._made:
            _, _, indices, plain = settings
            sections = {name: self._section(name, chosen, link.init) for name, chosen in indices}
            try:
                config = link.kind.config.model_validate({**sections, **dict(plain)})
            except ValidationError as error:
                combination = ", ".join(f"{axis}={value}" for axis, value in arm.values.items())
                chosen = f" (with {combination})" if combination else ""
                for refusal in refusals(error, {}, link.kind.config):
                    said = f"{link.kind.name}: {refusal.text}{chosen}"
                    self._refuse(said, *self._place(refusal.text, arm))
                raise RefusedError from error
            self._made[settings] = (config, identity(config))
        return self._made[settings]

    def _place(self, rule: str, arm: Arm) -> tuple[str, ...]:
        """Where the setting stands that a rule of several sections begins with."""
        setting = rule.partition(" ")[0]
        section, _, field = setting.partition(".")
        if setting in arm.values:
            return "axes", setting
        return (section, field) if field in self._spec.settings.get(section, {}) else ("axes",)

    def _chosen(self, link: Link, arm: Arm) -> Indices:
        """What an arm chooses on the axes that a kind reads."""
        if arm is not self._last_arm:  # an arm's cells come one after another
            self._last_arm, self._indices = arm, {}
        known = (link.kind.name, link.init)
        if known not in self._indices:
            self._indices[known] = tuple(
                (section, tuple(arm.chosen[axis] for axis in self._read_axes(section, link.init)))
                for section in self._sections[link.kind.name]
            )
        return self._indices[known]

    def _read_axes(self, section: str, init: str) -> tuple[str, ...]:
        if (section, init) not in self._read:
            self._read[section, init] = tuple(
                axis
                for axis in self._axes.get(section, ())
                if reads(init, section, axis.partition(".")[2])
            )
        return self._read[section, init]

    def _section(self, section: str, indices: tuple[int, ...], init: str) -> BaseModel:
        """A section of settings for a choice on its axes; made once for each choice."""
        if (section, init) not in self._variants:
            self._variants[section, init] = self._all_variants(section, init)
        made = self._variants[section, init][indices]
        if isinstance(made, BaseModel):
            return made
        axes = self._read_axes(section, init)
        chosen = ", ".join(
            f"{axis}={self._spec.axes[axis][index]}"
            for axis, index in zip(axes, indices, strict=True)
        )
        for refusal in made:
            said = f"{refusal.text} (with {chosen})" if chosen else refusal.text
            self._refuse(said, *(("axes", axes[0]) if axes else (section,)))
        raise RefusedError

    def _all_variants(self, section: str, init: str) -> dict[tuple[int, ...], Made]:
        axes = {
            axis.partition(".")[2]: self._spec.axes[axis] for axis in self._read_axes(section, init)
        }
        fixed = self._spec.settings.get(section, {})
        return variants(self._models[section], section, self._spec.base, fixed, axes, init)


def _axes_by_section(spec: Spec) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for axis in spec.axes:
        found.setdefault(axis.partition(".")[0], []).append(axis)
    return {section: tuple(axes) for section, axes in found.items()}
