"""The nouns of a plan: stage kinds, stages and the data they name. Values only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel

from rotlab.planning.work import Size, Work

Role = Literal["pretrain", "train", "test", "weights"]
HELD_OUT = "-held-out"  # ends the name of the input that stands for a member on held-out videos


@dataclass(frozen=True, slots=True)
class Resources:
    """What one stage occupies while it runs. A how: never part of a key.

    Args:
        cpus: cores, and the number of threads torch computes with.
        gpus: devices, or a share of one; None takes one where the cluster has any, or one for each
            process.
        processes: that compute it together, among which all of that is divided evenly.
        measured: of one device it takes the share that its memory was measured to need; `gpus` is
            None then.
        model: Ray's name of the devices that it is for, such as "A100"; None: any will do.
    """

    cpus: int = 1
    gpus: float | None = None
    processes: int = 1
    measured: bool = False
    model: str | None = None

    def __post_init__(self) -> None:
        if self.measured and (self.gpus is not None or self.processes > 1):
            raise ValueError(
                f"a measured share is of one device, for one process, and not stated, got {self}"
            )

    @property
    def each(self) -> "Resources":
        """What one of its processes takes."""
        gpus = None if self.gpus is None else self.gpus / self.processes
        return Resources(self.cpus // self.processes, gpus)

    @property
    def is_even(self) -> bool:
        """Whether each of several processes gets whole cores, and a device or none."""
        several = self.processes > 1
        return self.cpus % self.processes == 0 and (
            not several or self.gpus in (None, 0, self.processes)
        )

    def resolved(self, *, has_gpu: bool) -> "Resources":
        """Return the request with its devices as a number, where there are any or none."""
        if self.gpus is not None:
            return self
        return replace(self, gpus=float(self.processes) if has_gpu else 0.0, measured=False)


@dataclass(frozen=True, slots=True)
class Input:
    """What a stage kind takes from another stage.

    Args:
        name: the kind's name for it.
        kind: that makes it.
        only_if: (choice of the cell, value) without which it is not taken, such as
            ("init", "rotation"); ("init", "pretext") takes it for every pretext.
        init: what the network behind it starts from; None: what the cell's network does.
    """

    name: str
    kind: str
    only_if: tuple[str, str] | None = None
    init: str | None = None


def is_held_out(name: str) -> bool:
    """Say whether an input of a joining stage is no member, but what stands for one."""
    return name.endswith(HELD_OUT)


def _supported(config: BaseModel) -> None:
    """Every configuration runs."""


def _judged(config: BaseModel) -> None:
    """Every configuration is judged."""


@dataclass(frozen=True, slots=True)
class Length:
    """How trainings of a kind that differ in their length hang together.

    Where a shorter one is the beginning of a longer one, that goes on from the state that the
    shorter one ended in, which its folder then holds as checkpoint.pt, and its result is the same.

    Args:
        setting: that says how long a stage trains, such as "pretrain.epochs".
        beginning: (config, epochs) -> what decides the first epochs, as plain values.
        undivided: says why no shorter one is the beginning of a config's training, and what would
            have some; or None where shorter ones are.
        kept: whether the final state stays in the store even where nothing in the plan goes on from
            it, for a longer one that is asked for later.
        changes: the setting that says what changes on the way, such as "pretrain.changes": a list
            of {after: EPOCHS, field: value}; None: nothing can.
        changing: the settings that can, such as "pretrain.lr".
    """

    setting: str
    beginning: Callable[[Any, int], Mapping[str, Any]]
    undivided: Callable[[Any], tuple[str, str] | None]
    kept: bool = False
    changes: str | None = None
    changing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """How stages of a kind are judged on videos that they did not learn from, without any test.

    Args:
        metric: that tells it, more being better.
        holding: setting -> value, of what has to hold so that it is told.
        lacking: says why a config tells no such metric, and which setting would have it; or None
            where it does.
        proxy: what it is not, where it stands for something else that people want to know.
        by_epoch: says whether a metric is reported after each epoch by its own name, so that a
            search may stop what falls behind; None: none is. The kind has a length then.
        others: further metrics on those videos, "*" for whatever a name goes on with; None: it is
            not said which there are.
    """

    metric: str
    holding: Mapping[str, Any] = field(default_factory=dict)
    lacking: Callable[[Any], tuple[str, str] | None] = _judged
    proxy: str | None = None
    by_epoch: Callable[[str], bool] | None = None
    others: tuple[str, ...] | None = None

    def tells(self, metric: str) -> bool | None:
        """Say whether a metric is told; None where that is not known."""
        if metric == self.metric:
            return True
        if self.others is None:
            return None
        return any(fnmatchcase(metric, one) for one in self.others)


@dataclass(frozen=True, slots=True)
class StageKind:
    """A sort of work. Registered under the entry point group `rotlab.stage_kinds`.

    Args:
        name: as it stands in keys, the store and `measure`.
        config: a frozen pydantic model. Its fields name the sections of settings that the kind
            reads (plus `modality` and `seed`, which the cell gives), and nothing else reaches it.
        version: raised by hand whenever the kind's results change for equal settings.
        run: "module:function", imported only where the stage runs; called as
            run(config, inputs, data, folder, watch) -> metrics.
        inputs: what it takes from other stages.
        roles: the data it is given. Only scoring kinds may name "test"; "weights" is a converted
            network, given only where `init` is supervised.
        resources: what it occupies unless the search space says otherwise.
        scored_by: the kind that turns its result into a cell's metrics; None if its own metrics
            are the cell's.
        joined_by: the kind that joins this kind's results over modalities, for `modality: fusion`.
        unsupported: says why a configuration can be planned but not run, or None where it can.
        inits: what the networks it works on may start from, "pretext" for every pretext; None
            where it does not say.
        misfit: says which setting does not go with the stages behind, parents first, and why; or
            None where all do.
        needs_held_out: of a kind that joins, says of which kind among the stages behind a member,
            parents first, it takes one more, by the member's settings but `judged.holding`, so that
            it has what such a network says of videos that it did not learn from; None where it
            needs none. The input is called "<member>-held-out".
        judged: how a search, or looks, may judge its stages; None: they may not.
        cost: says how much work a stage is, from its settings, the videos it is given by role (of a
            stage without data, those of the last one behind that has test rows, else any) and the
            stages behind, parents first; None, as its own answer too, where that is not known.
            Asked once for stages that differ in `seed` only.
        brief: returns the settings by which a stage is tried in small: of the same path through the
            code, and a few steps long. Equal ones are tried once; so it makes equal whatever does
            not change that path. Manifests give a few videos meanwhile (`rotnet.data.few`). None:
            stages of the kind are not tried.
        divides: says why so many processes, each with a device or none has one, cannot compute a
            stage of such a config together, and what could; or None where they can. They find one
            another as torch.distributed's default group. None: one process computes it.
        fills: says of how many videos a stage of a config needs as much of a device's memory as of
            any greater number: with them all of its batches are full, those of scorings too. None:
            its memory grows with the videos, or nobody knows; then it cannot be measured on some.
    """

    name: str
    config: type[BaseModel]
    version: int
    run: str
    inputs: tuple[Input, ...] = ()
    roles: tuple[Role, ...] = ()
    resources: Resources = Resources()
    scored_by: str | None = None
    joined_by: str | None = None
    unsupported: Callable[[Any], str | None] = _supported
    inits: tuple[str, ...] | None = None
    misfit: Callable[[Any, Sequence["Stage"]], tuple[str, str] | None] | None = None
    needs_held_out: Callable[[Any, Sequence["Stage"]], str | None] | None = None
    length: Length | None = None
    judged: Judged | None = None
    cost: Callable[[Any, Mapping[Role, Size], Sequence["Stage"]], Work | None] | None = None
    brief: Callable[[Any], BaseModel] | None = None
    divides: Callable[[Any, int, bool], str | None] | None = None
    fills: Callable[[Any], int] | None = None


@dataclass(frozen=True, slots=True)
class DataRef:
    """One data set in one role, for one split; or a network's weights.

    Args:
        name: as the search space has it.
        role: which of its rows the stage is given; "weights" is no rows but a network.
        split: the official split, counted from 1; None where the role does not depend on it.
        fingerprint: of the prepared set or the network, or "absent:<name>" where it is not on this
            machine.
    """

    name: str
    role: Role
    split: int | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One unit of work, known by its key.

    Args:
        key: identity of the work, in hexadecimal.
        kind: name of its stage kind.
        config: its settings.
        inputs: input name -> key of the stage that makes it, sorted by name. A joining stage
            has one input for each member, named by its modality (the second of two equal ones
            "rgb-2"), and "rgb-held-out" where it needs one that did not learn from all videos.
        data: its data.
    """

    key: str
    kind: str
    config: BaseModel
    inputs: Mapping[str, str] = field(default_factory=dict)
    data: tuple[DataRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the results: an arm on a target, for one replicate.

    Args:
        arm: axis -> value, only the axes that some stage of the cell reads.
        target: name of the data set it is measured on.
        replicate: "seed", and "split" where the target has splits; where stage kinds have seeds of
            their own, "seed" is the one by which results count as independent, and "seed.<kind>"
            those of the kinds.
        measure: what is measured, such as "finetune".
        result: key of the stage whose metrics are the cell's.
        stages: keys of all stages it needs, parents first.
        overrides: setting -> value, of what holds for this arm and is nothing to compare.
    """

    arm: Mapping[str, Any]
    target: str
    replicate: Mapping[str, int]
    measure: str
    result: str
    stages: tuple[str, ...]
    overrides: Mapping[str, Any] = field(default_factory=dict)
