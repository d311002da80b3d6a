"""The settings of stages, from fixed values and what an arm chooses; each is made once."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from rotlab.planning.inits import reads
from rotlab.planning.key import canonical
from rotlab.planning.kinds import sections_of
from rotlab.planning.plan.arms import Arm
from rotlab.planning.space.refusals import refusals
from rotlab.planning.space.settings import Made, make_section, vocabulary
from rotlab.planning.space.shape import Link
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import StageKind
from rotnet.config import identity

# A section, the indices of the values of its axes (None: an axis that the arm does not have), and
# the texts of what is set beside them.
Choice = tuple[str, tuple[int | None, ...], tuple[tuple[str, str], ...]]
Settings = tuple[str, str, tuple[Choice, ...], tuple[tuple[str, Any], ...]]  # with kind and init


class RefusedError(Exception):
    """A cell has no stages, because of a problem that is already noted."""


class Configs:
    """All configs so far, and how to get a further one.

    Args:
        spec: whose settings they hold.
        kinds: stage kinds by name.
        refuse: takes what is wrong, and the dotted place of it in the file.
    """

    def __init__(
        self, spec: Spec, kinds: Mapping[str, StageKind], refuse: Callable[[str, str], None]
    ) -> None:
        self._spec = spec
        self._refuse = refuse
        self._sections = {name: sections_of(kind) for name, kind in kinds.items()}
        self._models = vocabulary(kinds).sections
        self._variants: dict[tuple[Choice, str], Made] = {}
        self._made: dict[Settings, tuple[BaseModel, dict[str, Any]]] = {}
        self._axes = _axes_by_section(spec)
        self._read: dict[tuple[str, str], tuple[str, ...]] = {}
        self._last_arm: Arm | None = None
        self._choices: dict[tuple[str, str], tuple[Choice, ...]] = {}

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
            _, _, choices, plain = settings
            sections = {one[0]: self._section(one, link.init, arm) for one in choices}
            try:
                config = link.kind.config.model_validate({**sections, **dict(plain)})
            except ValidationError as error:
                choices_made = {**arm.values, **arm.overrides}
                combination = ", ".join(f"{axis}={value}" for axis, value in choices_made.items())
                chosen = f" (with {combination})" if combination else ""
                for refusal in refusals(error, {}, link.kind.config):
                    said = f"{link.kind.name}: {refusal.text}{chosen}"
                    self._refuse(said, self._place(refusal.text, arm))
                raise RefusedError from error
            self._made[settings] = (config, identity(config))
        return self._made[settings]

    def _place(self, rule: str, arm: Arm) -> str:
        """Where the setting stands that a rule of several sections begins with."""
        setting = rule.partition(" ")[0]
        section, _, field = setting.partition(".")
        if setting in arm.values:
            return self._spec.places[setting]
        if setting in arm.overrides:
            return self._spec.place_beside([setting])
        return setting if field in self._spec.settings.get(section, {}) else "axes"

    def _chosen(self, link: Link, arm: Arm) -> tuple[Choice, ...]:
        """What an arm chooses on the axes that a kind reads, and what is set beside."""
        if arm is not self._last_arm:  # an arm's cells come one after another
            self._last_arm, self._choices = arm, {}
        known = (link.kind.name, link.init)
        if known not in self._choices:
            self._choices[known] = tuple(
                (
                    section,
                    tuple(arm.chosen.get(axis) for axis in self._read_axes(section, link.init)),
                    tuple(
                        (setting, canonical(value))
                        for setting, value in arm.overrides.items()
                        if setting.partition(".")[0] == section
                    ),
                )
                for section in self._sections[link.kind.name]
            )
        return self._choices[known]

    def _read_axes(self, section: str, init: str) -> tuple[str, ...]:
        if (section, init) not in self._read:
            self._read[section, init] = tuple(
                axis
                for axis in self._axes.get(section, ())
                if reads(init, section, axis.partition(".")[2])
            )
        return self._read[section, init]

    def _section(self, choice: Choice, init: str, arm: Arm) -> BaseModel:
        """A section of settings for a choice on its axes; made once for each choice."""
        section, indices, _ = choice
        axes = self._read_axes(section, init)
        chosen = {
            axis: self._spec.axes[axis][index]
            for axis, index in zip(axes, indices, strict=True)
            if index is not None
        }
        beside = {
            setting: value
            for setting, value in arm.overrides.items()
            if setting.partition(".")[0] == section
        }
        if (choice, init) not in self._variants:
            varied = {
                setting.partition(".")[2]: value for setting, value in (chosen | beside).items()
            }
            changes = {**self._spec.settings.get(section, {}), **varied}
            self._variants[choice, init] = make_section(
                self._models[section], section, self._spec.base, changes, init
            )
        made = self._variants[choice, init]
        if isinstance(made, BaseModel):
            return made
        said = ", ".join(f"{setting}={value}" for setting, value in (chosen | beside).items())
        place = (
            self._spec.place_beside(beside)
            if beside
            else self._spec.places[next(iter(chosen))]
            if chosen
            else section
        )
        for refusal in made:
            self._refuse(f"{refusal.text} (with {said})" if said else refusal.text, place)
        raise RefusedError


def _axes_by_section(spec: Spec) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for axis in spec.axes:
        found.setdefault(axis.partition(".")[0], []).append(axis)
    return {section: tuple(axes) for section, axes in found.items()}
