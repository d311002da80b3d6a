"""Before a study: how much of a device's memory its sorts of stages need, if it asks for that."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from rotlab.execution.conduct.conduct import Event
from rotlab.execution.conduct.display import duration
from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.peaks import Peaks, read_peak
from rotlab.execution.conduct.shares import Shares
from rotlab.execution.on_ray.tuning import Surroundings
from rotlab.execution.smoke import run_small, to_try, work_of
from rotlab.execution.stage.perform import Work
from rotlab.planning.release.smoke import Smoke
from rotlab.planning.stage import Resources
from rotlab.store.carrying import bring
from rotlab.store.store import Store

_AMPLE = 2  # times the videos that fill a batch: classes have unequal numbers of them


def measure_first(
    job: Job,
    to_do: Collection[str],
    resources: Mapping[str, Resources],
    run: str,
    around: Surroundings,
    say: Callable[[str], None],
) -> Shares | None:
    """Measure each sort of stage that takes a measured share, once on each sort of device.

    A sort is tried in small (`rotlab.execution.smoke`), but on as many videos as fill its batches,
    and with a whole device for itself. What is known of it stays in the store, and is not measured
    again by the same code. What cannot be measured is told, and takes a whole device.

    Args:
        job: the study.
        to_do: keys of its stages that are to be done, as far as they are known.
        resources: kind -> request, resolved: a whole device where a share is measured.
        run: identity of the run.
        around: where it runs.
        say: takes the lines that remain.

    Returns:
        The shares; None where none is measured.

    Raises:
        KeyboardInterrupt: if it was to stop.
    """
    kinds = {k: resources[k] for k, one in job.resources.items() if one.measured}
    kinds = {kind: each for kind, each in kinds.items() if each.gpus}
    if not kinds:
        return None
    wanted = [key for key in to_do if job.plan.stages[key].kind in kinds]
    peaks = Peaks(job.store.peaks_folder(), job.kinds)
    smoke, models = to_try(job, wanted), around.cluster.capacity().models
    for model in models or (None,):
        known = Shares(peaks, job.kinds, kinds, (model or "",))
        fresh = known.unmeasured(smoke, model)
        if fresh:
            _measure(job, smoke.only(fresh), fresh, _on(model, resources), run, around, say, known)
    shares = Shares(peaks, job.kinds, kinds, around.cluster.capacity().models or None)
    for line in shares.lines(job.plan, wanted):
        say(line)
    return shares


def _on(model: str | None, resources: Mapping[str, Resources]) -> dict[str, Resources]:
    """What stages take, on devices of a model alone."""
    return {
        kind: replace(each, model=model or None) if each.gpus else each
        for kind, each in resources.items()
    }


def _measure(
    job: Job,
    smoke: Smoke,
    wanted: Collection[str],
    resources: Mapping[str, Resources],
    run: str,
    around: Surroundings,
    say: Callable[[str], None],
    known: Shares,
) -> None:
    """Measure sorts, and what they start from with them."""
    stages, began = smoke.plan.stages, time.monotonic()
    say(
        f"gpus: auto: measuring the memory of {len(wanted)} sort{'' if len(wanted) == 1 else 's'} "
        "of stages, each on a whole device"
    )
    store = job.store.smoke_store(job.plan.name, run)
    try:
        work = _work(job, smoke, store, resources)
        conduct = run_small(job, smoke, work, resources, _Nobody(), around, say)
        names = around.cluster.capacity().models
        model = next(iter(resources[stages[key].kind].model for key in wanted)) or ""
        model = names[0] if not model and len(names) == 1 else model  # it has come since
        missing = conduct.missing()
        measured = 0
        for key in wanted:
            note = store.peak_path(stages[key])
            bring(note.parent, note.name)
            peak = None if key in missing else read_peak(note)
            if peak is not None:
                known.learn(stages[key], model, peak)
                measured += 1
            else:
                failure = conduct.failures.get(key)
                why = failure.reason if failure else missing.get(key, "nothing was noted")
                say(f"warning: {smoke.names[key]} could not be measured: {why}")
    finally:
        store.discard()
    took = duration(time.monotonic() - began)
    say(f"gpus: auto: measured {measured} of {len(wanted)} in {took}")


def _work(job: Job, smoke: Smoke, store: Store, resources: Mapping[str, Resources]) -> Work:
    stages = smoke.plan.stages.values()
    fills = (job.kinds[stage.kind].fills for stage in stages)
    few = max(
        fill(stage.config) for fill, stage in zip(fills, stages, strict=True) if fill is not None
    )
    work = work_of(job, smoke, store, resources)
    return replace(work, few=_AMPLE * few, few_of=_AMPLE * few, gauge=job.gauge)


class _Nobody:
    """Hears of events, and keeps none."""

    def record(self, event: Event) -> None:
        """Take an event."""
