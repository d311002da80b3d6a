"""Trainings that differ in their length: which goes on from which, and which could not. No state.

A stage's key does not depend on it: what was reached through a shorter one is the same result.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

from pydantic import BaseModel

from rotlab.planning.key import canonical
from rotlab.planning.stage import Length, Stage, StageKind
from rotnet.config import identity


@dataclass(frozen=True, slots=True)
class Shared:
    """What trainings of one kind save by going on from shorter ones.

    Args:
        setting: that says how long they train.
        stages: how many there are.
        going_on: those that go on from a shorter one.
        epochs: of all of the kind, each from its beginning.
        trained: epochs, where those that go on train the rest only.
    """

    setting: str
    stages: int
    going_on: int
    epochs: int
    trained: int


@dataclass(frozen=True, slots=True)
class Unshared:
    """Trainings that differ in nothing but their length and yet have no common part.

    Args:
        setting: that says how long they train.
        lengths: in epochs, rising.
        groups: how many groups there are, each with all of these lengths.
        because: why.
        otherwise: what would have a common part.
        epochs: of all groups.
        trained: epochs, were it so.
    """

    setting: str
    lengths: tuple[int, ...]
    groups: int
    because: str
    otherwise: str
    epochs: int
    trained: int


def continuations(stages: Mapping[str, Stage], kinds: Mapping[str, StageKind]) -> dict[str, str]:
    """Return, for stages that are the beginning of longer ones, longer -> longest shorter one.

    Args:
        stages: by key.
        kinds: by name.

    Example:
        Of 50, 100 and 200 epochs at a constant rate, 200 goes on from 100 and 100 from 50.
    """
    return Continuations(kinds).of(stages)


class Continuations:
    """Finds continuations of a plan that grows: what a stage does is read once.

    Args:
        kinds: by name.
    """

    def __init__(self, kinds: Mapping[str, StageKind]) -> None:
        self._kinds = kinds
        self._same: dict[Length, _Same] = {}
        self._stages: dict[
            str, tuple[Stage, int]
        ] = {}  # kept, as `_Same` knows configs by identity
        self._ends: dict[tuple[str, int], Hashable] = {}

    def of(self, stages: Mapping[str, Stage]) -> dict[str, str]:
        """Return them as `continuations` does, of stages of which some were there before."""
        found: dict[str, str] = {}
        for length, alike in _by_kind(stages.values(), self._kinds):
            epochs_of = {stage.key: self._epochs(stage, length) for stage in alike}
            exits = sorted(set(epochs_of.values()), reverse=True)
            if len(exits) == 1:
                continue
            ends = {self._until(epochs_of[one.key], one, length): one.key for one in alike}
            for stage in alike:
                shorter = (epochs for epochs in exits if epochs < epochs_of[stage.key])
                trunks = (ends.get(self._until(epochs, stage, length)) for epochs in shorter)
                trunk = next((one for one in trunks if one is not None), None)
                if trunk is not None:
                    found[stage.key] = trunk
        return {key: found[key] for key in stages if key in found}

    def _epochs(self, stage: Stage, length: Length) -> int:
        if stage.key not in self._stages:
            self._stages[stage.key] = stage, _epochs(stage, length)
        return self._stages[stage.key][1]

    def _until(self, epochs: int, stage: Stage, length: Length) -> Hashable:
        known = (stage.key, epochs)
        if known not in self._ends:
            same = self._same.setdefault(length, _Same(length.beginning))
            self._ends[known] = same.until(epochs, stage)
        return self._ends[known]


def shared_lengths(
    stages: Mapping[str, Stage], kinds: Mapping[str, StageKind], continues: Mapping[str, str]
) -> tuple[Shared, ...]:
    """Return what is saved, for each kind of which some stage goes on from a shorter one.

    Args:
        stages: by key.
        kinds: by name.
        continues: as `continuations` gives it.
    """
    found = []
    for length, alike in _by_kind(stages.values(), kinds):
        trunks = [stages[continues[stage.key]] for stage in alike if stage.key in continues]
        epochs = sum(_epochs(stage, length) for stage in alike)
        saved = sum(_epochs(trunk, length) for trunk in trunks)
        if trunks:
            found.append(Shared(length.setting, len(alike), len(trunks), epochs, epochs - saved))
    return tuple(found)


def unshared_lengths(
    stages: Mapping[str, Stage], kinds: Mapping[str, StageKind]
) -> tuple[Unshared, ...]:
    """Return the lengths that have no common part, though nothing else differs, and why."""
    groups: dict[tuple[Length, str, str], dict[Hashable, set[int]]] = {}
    for length, alike in _by_kind(stages.values(), kinds):
        same = _Same(partial(_rest, length))
        for stage in alike:
            why = length.undivided(stage.config)
            if why is not None:
                group = groups.setdefault((length, *why), {})
                group.setdefault(same.until(0, stage), set()).add(_epochs(stage, length))
    found = []
    for (length, because, otherwise), by_rest in groups.items():
        several = [tuple(sorted(lengths)) for lengths in by_rest.values() if len(lengths) > 1]
        for lengths in dict.fromkeys(several):
            count = several.count(lengths)
            total, longest = count * sum(lengths), count * max(lengths)
            found.append(
                Unshared(length.setting, lengths, count, because, otherwise, total, longest)
            )
    return tuple(found)


def _by_kind(
    stages: Iterable[Stage], kinds: Mapping[str, StageKind]
) -> list[tuple[Length, list[Stage]]]:
    """The stages of each kind that has lengths."""
    found: dict[str, tuple[Length, list[Stage]]] = {}
    for stage in stages:
        length = kinds[stage.kind].length
        if length is not None:
            found.setdefault(stage.kind, (length, []))[1].append(stage)
    return list(found.values())


def _epochs(stage: Stage, length: Length) -> int:
    value: Any = stage.config
    for name in length.setting.split("."):
        value = getattr(value, name)
    return value


def _rest(length: Length, config: BaseModel, _epochs: int) -> dict[str, Any]:
    """What decides a training, but its length."""
    settings = identity(config)
    *sections, name = length.setting.split(".")
    del reduce(dict.__getitem__, sections, settings)[name]
    return settings


class _Same:
    """Tells whether stages do the same; each config, which many stages share, is read once.

    Args:
        decides: (config, epochs) -> what decides that, as plain values.
    """

    def __init__(self, decides: Callable[[Any, int], Mapping[str, Any]]) -> None:
        self._decides = decides
        self._texts: dict[tuple[int, int], str] = {}

    def until(self, epochs: int, stage: Stage) -> Hashable:
        """Return what is equal for stages that do the same for so many epochs."""
        known = (id(stage.config), epochs)
        if known not in self._texts:
            self._texts[known] = canonical(self._decides(stage.config, epochs))
        data = tuple((ref.role, ref.split, ref.fingerprint) for ref in stage.data)
        return epochs, self._texts[known], tuple(sorted(stage.inputs.items())), data
