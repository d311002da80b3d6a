"""One stage, done in this process: from its inputs to its record. Knows nothing of Ray."""

import contextlib
import importlib
import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from rotlab.execution.stage import provenance
from rotlab.execution.stage.pulse import Pulse
from rotlab.execution.stage.settle import settle
from rotlab.execution.stage.succession import Succession
from rotlab.planning.key import stage_key
from rotlab.planning.stage import DataRef, Stage, StageKind
from rotlab.store.carrying import send_files
from rotlab.store.lease import LIVES, STALE_S, Lease
from rotlab.store.mirror import mirrored
from rotlab.store.record import Record
from rotlab.store.store import Store, checksums, new_attempt_id
from rotlab.store.trunk import KeepStates, Lineage, read_origin
from rotnet.config import identity
from rotnet.data.few import CLASSES, few_videos
from rotnet.data.location import local_folder
from rotnet.errors import UserError
from rotnet.learning.watch import Stopped, Unwatched, Watch


@dataclass(frozen=True, slots=True)
class Work:
    """All that is needed to do any stage of a plan.

    Args:
        stages: the plan's.
        kinds: kind -> what it is.
        data: name of a data set -> the folder, or URL, it lies in.
        store: where results lie.
        cpus: kind -> threads its stages compute with.
        hung_s: seconds after which a stage without a sign of life is ended; None sets no limit.
        stale_s: seconds after which a lease that is not kept up may be taken over.
        continues: longer training -> shorter one from whose end it goes on, as the plan has it.
        keep_states: which training states of finished stages stay in the store.
        few: so many videos, at most, stand for each set, where stages are only tried; None: all.
        to_go_on: trainings from whose end stages that are still to come may go on.
        few_of: of so many classes, at most.
        gauge: "module:function" of what measures the device memory of stages that are tried: called
            with where to note it, it gives a context to compute in. None: nobody asks.
    """

    stages: Mapping[str, Stage]
    kinds: Mapping[str, StageKind]
    data: Mapping[str, Path | str]
    store: Path
    cpus: Mapping[str, int]
    hung_s: float | None = None
    stale_s: float = STALE_S
    continues: Mapping[str, str] = field(default_factory=dict)
    keep_states: KeepStates = "kind"
    few: int | None = None
    to_go_on: frozenset[str] = frozenset()
    few_of: int = CLASSES
    gauge: str | None = None


class Helpers(Protocol):
    """Other processes that compute a stage together with the one that performs it."""

    @property
    def processes(self) -> int:
        """How many there are, with this one."""

    def beside(self, inputs: Mapping[str, Path], folder: Path) -> AbstractContextManager[None]:
        """Have them `assist` with the inputs' folders and the attempt's during the block."""


def perform(
    key: str,
    work: Work,
    watch: Watch,
    attempt: str | None = None,
    gpus: float | None = None,
    stale: str | None = None,
    helpers: Helpers | None = None,
) -> Record:
    """Do a stage, or find it done, and return its record.

    Args:
        key: of the stage.
        work: the plan it is part of.
        watch: hears of steps and may stop it.
        attempt: identity of the attempt; None makes one.
        gpus: devices, or a share of one, that the stage was given; None is as good as all of one.
        stale: the lease of another attempt, to be taken over.
        helpers: that compute it together with this process; None: it is alone.

    Raises:
        HeldElsewhereError: if another attempt is at work.
        UserError: if an input has no record yet, or this process has another version of the code
            than the one that made the plan.
        Stopped: if the watch asked for it.
        Exception: whatever the stage raises; its traceback then also lies in the attempt's folder.
    """
    store, stage = Store(work.store), work.stages[key]
    done = store.record(key, stage.kind)
    if done is not None:
        return done
    _check_version(stage, work.kinds[stage.kind])
    sources = {
        name: _input_record(store, work.stages[parent]) for name, parent in stage.inputs.items()
    }
    inputs = {name: store.result_folder(record) for name, record in sources.items()}
    taken = {name: record.attempt for name, record in sources.items()}
    length = work.kinds[stage.kind].length
    lineage = Lineage(
        store,
        work.stages,
        work.continues,
        stage,
        length,
        taken,
        work.keep_states,
        key in work.to_go_on,
    )
    data = _located(stage, work)
    attempt = attempt or new_attempt_id()
    pulse = Pulse(watch, work.hung_s, store.log_path(stage, attempt))
    lease = store.lease_path(stage)
    with Lease(lease, attempt, stale, lambda: pulse.is_alive(LIVES * work.stale_s), work.stale_s):
        done = store.record(key, stage.kind)  # whoever held it before may have ended it
        if done is not None:
            return done
        try:
            folder = store.new_attempt(stage, attempt, lineage.plant, lineage.fits)
            return _run(lineage, work, inputs, data, folder, pulse, gpus, helpers)
        except Stopped:
            raise
        except Exception:
            winner = store.record(key, stage.kind)  # another's commit sweeps this folder away
            if winner is not None:
                return winner
            with contextlib.suppress(OSError):
                text = traceback.format_exc()
                store.error_path(stage, attempt).write_text(text, encoding="utf-8")
            raise


def assist(
    key: str, work: Work, inputs: Mapping[str, Path], folder: Path, gpus: float | None
) -> None:
    """Do this process's share of a stage that another performs, which it has met.

    Args:
        key: of the stage.
        work: the plan it is part of.
        inputs: folders of its inputs, by name.
        folder: of the attempt, into which the other writes.
        gpus: devices that this process was given.

    Raises:
        UserError: if this process has another version of the code.
        Exception: whatever the stage raises.
    """
    stage = work.stages[key]
    _check_version(stage, work.kinds[stage.kind])
    data, store = _located(stage, work), Store(work.store)
    if store.is_bucket:  # this may be another node than the leader's
        for parent in stage.inputs.values():
            store.result_folder(_input_record(store, work.stages[parent]))
    run = _load(work.kinds[stage.kind].run)
    settle(work.cpus[stage.kind], gpus)
    with few_videos(work.few, work.few_of):
        run(stage.config, inputs, data, folder, Unwatched())


def _located(stage: Stage, work: Work) -> tuple[tuple[DataRef, Path], ...]:
    return tuple((ref, local_folder(work.data[ref.name])) for ref in stage.data)


def _run(
    lineage: Lineage,
    work: Work,
    inputs: Mapping[str, Path],
    data: tuple[tuple[DataRef, Path], ...],
    folder: Path,
    pulse: Pulse,
    gpus: float | None,
    helpers: Helpers | None,
) -> Record:
    stage = lineage.stage
    run = _load(work.kinds[stage.kind].run)
    source = provenance.source(work.kinds[stage.kind].run)  # before it can be edited under way
    settle(work.cpus[stage.kind], gpus)
    started, clock = datetime.now(UTC), time.monotonic()
    together = contextlib.nullcontext() if helpers is None else helpers.beside(inputs, folder)
    heir = mirrored(Succession(pulse, folder), folder)
    few = few_videos(work.few, work.few_of)
    with heir as watch, pulse, together, _gauge(work, stage, gpus), few:
        metrics = _check_metrics(run(stage.config, inputs, data, folder, watch))
    origin = read_origin(folder)
    record = Record(
        key=stage.key,
        kind=stage.kind,
        attempt=folder.name,
        metrics=metrics,
        files=checksums(folder),
        seconds=time.monotonic() - clock,
        config=stage.config.model_dump(mode="json"),
        inputs=dict(stage.inputs),
        data=tuple(
            {"name": r.name, "role": r.role, "split": r.split, "fingerprint": r.fingerprint}
            for r in stage.data
        ),
        versions=provenance.versions(),
        host=provenance.host(),
        device=_device(),
        commit=provenance.commit(),
        started=started.isoformat(),
        ended=datetime.now(UTC).isoformat(),
        continued=origin.continued,
        not_continued=origin.not_continued,
        state=lineage.state(folder),
        source=source,
        processes=1 if helpers is None else helpers.processes,
    )
    lineage.check_inputs(origin)
    winner = lineage.store.commit(stage, folder, record)
    lineage.sweep()
    return winner


@contextlib.contextmanager
def _gauge(work: Work, stage: Stage, gpus: float | None) -> Iterator[None]:
    if work.gauge is None or not gpus:
        yield
        return
    note = Store(work.store).peak_path(stage)
    gauge: AbstractContextManager[None] = _load(work.gauge)(note)
    with gauge:
        yield
    send_files(note.parent, [note.name])


def _check_version(stage: Stage, kind: StageKind) -> None:
    """Refuse work whose result would not be what its key says."""
    here = stage_key(kind, identity(stage.config), stage.inputs, stage.data)
    if here != stage.key:
        raise UserError(
            f"{stage.kind} {stage.key[:12]} was planned by another version of the code: here this "
            f"work is {here[:12]}; bring all machines of the cluster to one version"
        )


def _input_record(store: Store, parent: Stage) -> Record:
    record = store.record(parent.key, parent.kind)
    if record is None:
        raise UserError(
            f"its input {parent.kind} {parent.key[:12]} is not in the store; "
            f"run that first: rotlab run-stage {parent.key[:12]} --local"
        )
    return record


def _load(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def _check_metrics(metrics: object) -> dict[str, float]:
    if not isinstance(metrics, Mapping):
        raise TypeError(f"a stage must return metrics by name, got {type(metrics).__name__}")
    found = {str(name): float(value) for name, value in metrics.items()}
    for name, value in found.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"metric {name!r} is {value}: the stage diverged")
    return found


def _device() -> str:
    if "torch" not in sys.modules:
        return "cpu"
    return importlib.import_module("rotlab.execution.stage.settle_torch").device_name()
