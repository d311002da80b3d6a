"""How long each stage takes: as like stages took, else by its arithmetic. Every source is said."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from pydantic import BaseModel

from rotlab.planning.cost.devices import Device, rate_text
from rotlab.planning.cost.sizes import Sizes
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import DataRef, Resources, Role, Stage, StageKind
from rotlab.planning.work import Precision, Size, Work

Source = Literal["record", "like", "flops", "model", "unknown"]


@dataclass(frozen=True, slots=True)
class Timed:
    """A stage that ran.

    Args:
        stage: what it was; its key is the record's.
        seconds: that it took.
        device: "cpu", or the GPU's name.
        continued: key of the shorter training that it went on from, whose seconds are not in it.
        processes: how many computed it together.
    """

    stage: Stage
    seconds: float
    device: str
    continued: str | None = None
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Machine:
    """What stages run on.

    Args:
        device: of stages that take a GPU; or "cpu", where there is none.
        core: one CPU core, for the others.
        resources: kind -> what its stages occupy, where that is not the kind's own default.
    """

    device: Device
    core: Device
    resources: Mapping[str, Resources]

    def occupied(self, kind: StageKind) -> Resources:
        """Return what a stage of a kind occupies here, its GPUs as a number."""
        wanted = self.resources.get(kind.name, kind.resources)
        if not self.device.has_gpu:
            return replace(wanted, gpus=0.0, measured=False)
        return wanted.resolved(has_gpu=True)


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a stage takes, and what it leaves.

    Args:
        seconds: None where that is not known.
        source: "record" of the stage itself; "like": records of like stages; "flops" over the
            device's rate; "model": the kind's own word; "unknown".
        why: in words, with numbers.
        result_bytes: what its result takes on disk; 0 where that is not known.
        amount: of its work, in FLOPs; 0 where it is not counted in them.
        alone: seconds that it would take if it went on from no shorter one; None where that is
            the same.
    """

    seconds: float | None
    source: Source
    why: str
    result_bytes: int = 0
    amount: float = 0.0
    alone: float | None = None

    @property
    def seconds_alone(self) -> float | None:
        """Seconds that it would take if it went on from no shorter one."""
        return self.seconds if self.alone is None else self.alone


def estimate(
    plan: Plan,
    kinds: Mapping[str, StageKind],
    sizes: Sizes,
    machine: Machine,
    timed: Iterable[Timed] = (),
) -> dict[str, Estimate]:
    """Return how long every stage of a plan takes: key -> estimate.

    A training that goes on from a shorter one takes what is beyond that one's end only.

    Like stages are those of one kind whose cost model says so (`Work.like`), on the same device:
    their seconds per amount of work hold for the others. Records on other devices tell nothing.
    Twice the processes are taken to need half the time.

    Args:
        plan: whose stages.
        kinds: stage kinds by name.
        sizes: of the data sets.
        machine: that stages are to run on.
        timed: stages that ran, of this plan or of others.
    """
    timed = tuple(timed)
    full = _Estimates(kinds, sizes, machine, timed).of(plan.stages)
    continued = {one.stage.key: one.continued for one in timed if one.continued}
    return _less_what_is_shared(full, plan.continues, continued)


def _less_what_is_shared(
    full: Mapping[str, Estimate], continues: Mapping[str, str], continued: Mapping[str, str]
) -> dict[str, Estimate]:
    """Take away what a training shares with the shorter one that it goes on from.

    Args:
        full: of every stage, as if nothing were shared, but for those with a record of their own.
        continues: longer training -> shorter one, as the plan has it.
        continued: likewise, as records have it.
    """
    found: dict[str, Estimate] = {}

    def settle(key: str) -> Estimate:
        if key in found:
            return found[key]
        one = found[key] = full[key]
        shorter = (continued if one.source == "record" else continues).get(key)
        if shorter is None or shorter not in full or one.seconds is None:
            return one
        before = settle(shorter).seconds_alone
        if before is None:
            return one
        if one.source == "record":
            found[key] = replace(one, alone=one.seconds + before)
        else:
            beyond = max(0.0, one.seconds - before)
            found[key] = replace(
                one, seconds=beyond, alone=one.seconds, why=f"{one.why}, {_BEYOND}"
            )
        return found[key]

    return {key: settle(key) for key in full}


def seconds_of(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Return key -> seconds, of the stages whose time is known."""
    return {key: one.seconds for key, one in estimates.items() if one.seconds is not None}


@dataclass(slots=True)
class _Likes:
    """Like stages that ran."""

    count: int = 0
    seconds: float = 0.0
    amount: float = 0.0

    def add(self, seconds: float, amount: float) -> None:
        self.count, self.seconds, self.amount = (
            self.count + 1,
            self.seconds + seconds,
            self.amount + amount,
        )

    def seconds_for(self, amount: float) -> float:
        return amount * self.seconds / self.amount if self.amount else self.seconds / self.count


class _Estimates:
    """What is known of the time that stages take."""

    def __init__(
        self,
        kinds: Mapping[str, StageKind],
        sizes: Sizes,
        machine: Machine,
        timed: Iterable[Timed],
    ) -> None:
        self._kinds, self._sizes, self._machine = kinds, sizes, machine
        self._occupied = {name: machine.occupied(kind) for name, kind in kinds.items()}
        self._own: dict[str, float] = {}
        self._likes: dict[tuple[str, Hashable], _Likes] = {}
        usable = [one for one in timed if self._tells(one)]
        works = _Works(kinds, sizes, {one.stage.key: one.stage for one in usable})
        for one in usable:
            self._own[one.stage.key] = one.seconds
            work = works.of(one.stage)
            if isinstance(work, Work) and one.continued is None:
                likes = self._likes.setdefault((one.stage.kind, work.like), _Likes())
                likes.add(one.seconds * one.processes, work.amount)

    def of(self, stages: Mapping[str, Stage]) -> dict[str, Estimate]:
        """Return key -> estimate; stages that differ in their seeds only are reckoned once."""
        works = _Works(self._kinds, self._sizes, stages)
        numbers: dict[Hashable, int] = {}
        number_of: dict[str, int] = {}
        reckoned: dict[int, Estimate] = {}
        found = {}
        for key, stage in stages.items():
            behind = map(number_of.__getitem__, stage.inputs.values())
            alike = (stage.kind, *_settings(stage.config), stage.data, *behind)
            number = number_of[key] = numbers.setdefault(alike, len(numbers))
            if key in self._own:
                found[key] = self._one(stage, works.of(stage))
                continue
            if number not in reckoned:
                reckoned[number] = self._one(stage, works.of(stage))
            found[key] = reckoned[number]
        return found

    def _tells(self, one: Timed) -> bool:
        """Whether a record is of the machine that stages are to run on."""
        kind = self._kinds.get(one.stage.kind)
        if kind is None:
            return False
        takes_gpus = self._machine.resources.get(kind.name, kind.resources).gpus != 0
        return not takes_gpus or self._machine.device.is_called(one.device)

    def _one(self, stage: Stage, work: Work | str) -> Estimate:
        own = self._own.get(stage.key)
        if isinstance(work, str):
            return Estimate(own, *(("unknown", work) if own is None else ("record", _OWN)))
        size, amount = work.result_bytes, work.amount if work.unit == "flop" else 0.0
        if own is not None:
            return Estimate(own, "record", _OWN, size, amount)
        likes = self._likes.get((stage.kind, work.like)) if self._likes else None
        if likes is not None:
            said = f"{likes.count} like stage{'' if likes.count == 1 else 's'} that ran"
            seconds = likes.seconds_for(work.amount) / self._occupied[stage.kind].processes
            return Estimate(seconds, "like", said, size, amount)
        if work.unit == "second":
            return Estimate(work.amount, "model", "its kind's own word", size)
        occupied = self._occupied[stage.kind]
        device = self._machine.device if occupied.gpus else self._machine.core
        rate = device.flops.get(work.precision)
        if rate is None:
            why = f"no flops of {device.name} for {work.precision}"
            return Estimate(None, "unknown", why, size, amount)
        seconds = work.amount / (rate * (occupied.gpus or occupied.cpus))
        said = _over(rate, device.name, work.precision) if work.amount else _NOTHING
        return Estimate(seconds, "flops", said, size, amount)


def _settings(config: BaseModel) -> list[int]:
    """What tells a config from others but for its seed: which objects its values are.

    Sections are shared between configs; where equal ones are not, they are reckoned twice.
    """
    return [id(value) for name, value in config.__dict__.items() if name != "seed"]


_OWN = "its own record"
_BEYOND = "beyond the shorter one"
_NOTHING = "no arithmetic to speak of"


@cache
def _over(rate: float, device: str, precision: Precision) -> str:
    return f"FLOPs over {rate_text(rate)} of {device} in {precision}"


def _last_data(behind: Sequence[Stage]) -> tuple[DataRef, ...]:
    """What a stage without data is about: what was tested last, else what was learnt from last."""
    found = [one.data for one in behind if one.data]
    tested = [data for data in found if any(ref.role == "test" for ref in data)]
    return (tested or found or [()])[-1]


class _Works:
    """What cost models say of stages among which are all that stand behind them."""

    def __init__(
        self, kinds: Mapping[str, StageKind], sizes: Sizes, stages: Mapping[str, Stage]
    ) -> None:
        self._kinds, self._sizes, self._stages = kinds, sizes, stages
        self._behind: dict[str, tuple[Stage, ...]] = {}
        self._known_sizes: dict[tuple[DataRef, ...], Mapping[Role, Size]] = {}

    def of(self, stage: Stage) -> Work | str:
        """Return the work of a stage, or why it is not known."""
        cost, roles = self._kinds[stage.kind].cost, self._kinds[stage.kind].roles
        if cost is None:
            return f"the kind {stage.kind} has no cost model"
        behind = self._all_behind(stage)
        refs = stage.data or _last_data(behind)
        sizes = self._sizes_of(refs)
        if isinstance(sizes, str):
            return sizes
        for role in roles:
            if role not in sizes and role != "weights":
                return f"which data it is given as {role} is not known"
        work = cost(stage.config, sizes, behind)
        return f"not known to {stage.kind}'s cost model" if work is None else work

    def _sizes_of(self, refs: tuple[DataRef, ...]) -> Mapping[Role, Size] | str:
        if refs not in self._known_sizes:
            found: dict[Role, Size] = {}
            for ref in refs:
                size = self._sizes.of(ref)
                if size is not None:
                    found[ref.role] = size
                elif ref.role != "weights":
                    return f"how many videos {ref.name} has is not known; prepare it"
            self._known_sizes[refs] = found
        return self._known_sizes[refs]

    def _all_behind(self, stage: Stage) -> tuple[Stage, ...]:
        """All stages that stand behind one, parents first, as far as they are there."""
        if not stage.inputs:
            return ()
        if stage.key not in self._behind:
            found: dict[str, Stage] = {}
            for key in stage.inputs.values():
                parent = self._stages.get(key)
                if parent is not None:
                    found.update((one.key, one) for one in self._all_behind(parent))
                    found[key] = parent
            self._behind[stage.key] = tuple(found.values())
        return self._behind[stage.key]
