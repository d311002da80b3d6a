"""What MLflow is to hold of a study, from its plan and events. Pure: no MLflow, clock or disk."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from rotlab.planning.plan.decisions import Awaited
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial import grown_cells, grown_stages
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.artifacts import result_of
from rotlab.tracking.costs import COSTS_TAG, costs_tag
from rotlab.tracking.journal import Event
from rotlab.tracking.progress import Progress
from rotlab.tracking.roster import (
    BASELINE_TAG,
    LOOKS_TAG,
    canonical,
    cell_key,
    looks_of,
    roster_tags,
)
from rotlab.tracking.run_write import DataUse, Point, RunWrite, Status, flatten, merge, points_of
from rotnet.config import identity

_STATUS: dict[str, Status] = {
    "FINISHED": "FINISHED",
    "REUSED": "FINISHED",
    "FAILED": "FAILED",
    "KILLED": "KILLED",
    "CANCELLED": "KILLED",
    "PRUNED": "KILLED",
}
_DONE = ("FINISHED", "REUSED")
_ERROR_CHARS = 4000
_MOST_ARMS = 20  # a search of a study has them all; MLflow cuts long tags
_ORIGIN = ("attempt", "commit", "device", "host")  # where a result comes from


class Ledger:
    """Turns events, in their order, into writes to runs.

    Args:
        plan: the study as it is planned now, to which events may add. Events of stages that it no
            longer holds are passed over.
        configs: stage kind -> what its settings are, for stages that are added.
    """

    def __init__(self, plan: Plan, configs: Mapping[str, type[BaseModel]] | None = None) -> None:
        self._configs = configs or {}
        self._rows = plan.rows()
        self._stages: dict[str, Progress] = {}
        self._start_ms: int | None = None
        self._last_ms = 0
        self._first = plan
        self._plan = plan
        self._cells_of: dict[str, list[Cell]] = {}
        self._proposals: dict[str, list[str]] = {}
        self._begin_anew()

    def take(self, events: Iterable[Event]) -> list[RunWrite]:
        """Return the writes that events ask for: one for each run, in order of first mention."""
        merged: dict[str, RunWrite] = {}
        for event in events:
            if event["event"] == "results_removed":  # told when no run was there
                continue
            for write in self._writes(event):
                known = merged.get(write.key)
                merged[write.key] = write if known is None else merge(known, write)
        return list(merged.values())

    def study(self) -> RunWrite:
        """Return the study's own run as it is to be made, or be found, before any other."""
        return self._study_write(None)

    def decided_cells(self) -> list[RunWrite]:
        """Return the runs of all cells whose result is there, written before or not."""
        return [self._cell_write(cell) for cell in self._plan.cells if self._is_done(cell.result)]

    def _writes(self, event: Event) -> list[RunWrite]:
        time_ms = round(event["time"] * 1000)
        before_ms, self._last_ms = self._last_ms, time_ms
        if self._start_ms is None:
            self._start_ms = time_ms
        match event["event"]:
            case "study_started":
                self._begin_anew()
                return [self._study_write("RUNNING"), *self._abandoned(before_ms)]
            case "study_ended":
                return [self._study_write(_STATUS[event["state"]], time_ms)]
            case "study_grew":
                return self._grow(event)
        if event.get("key") not in self._plan.stages:
            return []
        return self._of_stage(self._plan.stages[event["key"]], time_ms, event)

    def _of_stage(self, stage: Stage, time_ms: int, event: Event) -> list[RunWrite]:
        match event["event"]:
            case "stage_started":
                return self._started(stage, time_ms, event)
            case "stage_metrics" | "stage_gauges":
                return self._reported(stage, time_ms, event)
            case "stage_pruned":
                return [self._pruned(stage, time_ms, event)]
            case "stage_held":
                self._progress(stage, time_ms).pay(event["attempt"], time_ms)
            case "stage_ended":
                return self._ended(stage, time_ms, event)
        return []

    def _begin_anew(self) -> None:
        """Take the plan as it is now, without what an earlier driver decided to add to its own."""
        self._plan, self._rows = self._first, self._first.rows()
        self._cells_of, self._proposals = {}, {}
        self._note_cells(self._plan.cells)
        for one in self._plan.proposed:
            self._note_proposal(one.proposal.tuning, one.proposal.number, one.results)

    def _grow(self, event: Event) -> list[RunWrite]:
        """Take in what decisions added to the plan; write the cells whose results are there."""
        stages = grown_stages(event, self._configs, self._plan.stages)
        cells = grown_cells(event)
        known = {(cell.result, canonical(cell.arm)) for cell in self._plan.cells}
        there = {*self._plan.stages, *stages}
        cells = tuple(
            cell
            for cell in cells
            if (cell.result, canonical(cell.arm)) not in known and there.issuperset(cell.stages)
        )
        self._plan = replace(
            self._plan,
            stages={**self._plan.stages, **stages},
            cells=(*self._plan.cells, *cells),
        )
        self._note_cells(cells)
        for one in event["proposals"]:
            self._note_proposal(one["tuning"], one["number"], one["results"])
        there_now = [self._cell_write(cell) for cell in cells if self._is_done(cell.result)]
        listed = {_identity(row) for row in self._rows}
        unlisted = tuple(cell for cell in cells if _identity(cell) not in listed)
        self._rows = (*self._rows, *unlisted)
        return [self._study_write("RUNNING"), *there_now] if unlisted else there_now

    def _note_cells(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            for key in cell.stages:
                self._cells_of.setdefault(key, []).append(cell)

    def _note_proposal(self, tuning: str, number: int, results: Iterable[str]) -> None:
        for key in results:
            self._proposals.setdefault(key, []).append(f"{tuning}:{number}")

    def _started(self, stage: Stage, time_ms: int, event: Event) -> list[RunWrite]:
        progress = self._progress(stage, time_ms)
        progress.state = "RUNNING"
        progress.pruned = "" if progress.pruned else progress.pruned  # something else needs it
        if "cpus" in event:
            progress.attempts[event["attempt"]] = (time_ms, event["cpus"], event["gpus"])
        return [self._stage_write(stage, status="RUNNING")]

    def _reported(self, stage: Stage, time_ms: int, event: Event) -> list[RunWrite]:
        progress, step = self._progress(stage, time_ms), int(event["step"])
        if event["event"] == "stage_metrics":  # gauges count their own looks
            progress.step = max(progress.step, step)
        return [self._stage_write(stage, points=points_of(event["metrics"], time_ms, step))]

    def _pruned(self, stage: Stage, time_ms: int, event: Event) -> RunWrite:
        """Note why a stage is stopped; its worker's word that it was comes later, or never."""
        is_at_work = stage.key in self._stages and self._stages[stage.key].state == "RUNNING"
        progress = self._progress(stage, time_ms)
        value = "" if event["value"] is None else f", at {event['value']:.4g}"
        progress.pruned = f"after epoch {event['epoch']}{value}, by {event['because']}"
        if is_at_work:
            return self._stage_write(stage)
        progress.state, progress.end_ms = "PRUNED", time_ms
        return self._stage_write(stage, status="KILLED", end_ms=time_ms)

    def _ended(self, stage: Stage, time_ms: int, event: Event) -> list[RunWrite]:
        known = self._stages.get(stage.key)
        metrics = dict(event.get("metrics") or {})
        if (
            event["state"] == "REUSED"
            and known is not None
            and known.state in _DONE
            and known.metrics == metrics
        ):
            return []  # met again by a later start of the same study, which already has it
        progress = self._progress(stage, time_ms)
        progress.state, progress.end_ms, progress.metrics = event["state"], time_ms, metrics
        if progress.pruned and progress.state == "KILLED":  # nobody goes on with it
            progress.state = "PRUNED"
        progress.pay(event.get("attempt"), time_ms)
        progress.origin = {name: str(event[name]) for name in _ORIGIN if event.get(name)}
        seconds = {"seconds": event["seconds"]} if event.get("seconds") else {}
        progress.seconds = event.get("seconds") or progress.seconds
        shown = {**metrics, **progress.hours, **seconds}
        had_error, progress.error = progress.error, str(event.get("error") or "")[-_ERROR_CHARS:]
        error = {"rotlab.error": progress.error} if progress.error or had_error else {}
        write = self._stage_write(stage, points=points_of(shown, time_ms, progress.step))
        write = replace(
            write,
            tags={**write.tags, **error},
            status=_STATUS[progress.state],
            end_ms=time_ms,
            result=result_of(stage, event),
        )
        return [write, *self._cells_after(stage.key)]

    def _cells_after(self, key: str) -> list[RunWrite]:
        """Return the cells to write after a stage: it is their result, or they tell of it."""
        return [
            self._cell_write(cell)
            for cell in self._cells_of.get(key, [])
            if cell.result == key or self._is_done(cell.result)
        ]

    def _abandoned(self, time_ms: int) -> list[RunWrite]:
        """Return the ends of stages that were running when the study's last driver vanished."""
        writes = []
        for key, progress in self._stages.items():
            if progress.state == "RUNNING" and key in self._plan.stages:
                progress.state = "PRUNED" if progress.pruned else "KILLED"
                progress.end_ms = time_ms
                progress.pay(None, time_ms)
                writes.append(
                    self._stage_write(self._plan.stages[key], status="KILLED", end_ms=time_ms)
                )
        return writes

    def _progress(self, stage: Stage, time_ms: int) -> Progress:
        return self._stages.setdefault(stage.key, Progress(start_ms=time_ms))

    def _is_done(self, key: str) -> bool:
        return key in self._stages and self._stages[key].state in _DONE

    def _study_write(self, status: Status | None, end_ms: int | None = None) -> RunWrite:
        tags = {
            "rotlab.type": "study",
            "rotlab.study": self._plan.name,
            "rotlab.question": self._plan.question,
            BASELINE_TAG: canonical(self._plan.baseline),
            LOOKS_TAG: canonical(looks_of(self._plan)),
            **roster_tags(self._plan.axes, self._rows),
        }
        if status is not None:
            tags["rotlab.state"] = status
        return RunWrite(
            key=f"study:{self._plan.name}",
            name=self._plan.name,
            start_ms=self._start_ms or 0,
            params={},
            tags=tags,
            status=status,
            end_ms=end_ms,
        )

    def _stage_write(
        self,
        stage: Stage,
        *,
        points: tuple[Point, ...] = (),
        status: Status | None = None,
        end_ms: int | None = None,
    ) -> RunWrite:
        progress = self._stages[stage.key]
        tags = {
            "rotlab.type": "stage",
            "rotlab.study": self._plan.name,
            "rotlab.kind": stage.kind,
            "rotlab.state": progress.state,
            "rotlab.parents": json.dumps(dict(stage.inputs)),
            "rotlab.data": json.dumps(
                [
                    f"{ref.role}:{ref.name}" + (f":{ref.split}" if ref.split else "")
                    for ref in stage.data
                ]
            ),
        }
        tags |= {f"rotlab.{name}": value for name, value in progress.origin.items()}
        if progress.state == "REUSED":
            tags["reused"] = "true"
        if progress.pruned is not None:
            tags["rotlab.pruned"] = progress.pruned
        if stage.key in self._proposals:
            tags["rotlab.proposals"] = json.dumps(self._proposals[stage.key])
            tags["rotlab.arms"] = canonical(self._tried_for(stage.key))
        return RunWrite(
            key=f"stage:{stage.key}",
            name=f"{stage.kind} {stage.key[:8]}",
            start_ms=progress.start_ms,
            params=flatten(identity(stage.config)),
            tags=tags,
            points=points,
            data=tuple(
                DataUse(ref.name, ref.role, ref.split, ref.fingerprint) for ref in stage.data
            ),
            status=status,
            end_ms=end_ms,
        )

    def _tried_for(self, key: str) -> list[dict[str, Any]]:
        """The arms whose searches try a stage, as `rotlab.arm` has each; the first of many."""
        searches = dict.fromkeys(one.partition(":")[0] for one in self._proposals[key])
        tunings = [self._plan.tunings[one] for one in searches if one in self._plan.tunings]
        return [dict(arm) for tuning in tunings for arm in tuning.arms][:_MOST_ARMS]

    def _cell_write(self, cell: Cell) -> RunWrite:
        result = self._stages[cell.result]
        known = [self._stages[key] for key in cell.stages if key in self._stages]
        metrics = (
            {**self._pretext_metrics(cell), **result.metrics} if self._is_done(cell.result) else {}
        )
        tags = {
            "rotlab.type": "cell",
            "rotlab.study": self._plan.name,
            "rotlab.kind": cell.measure,
            "rotlab.arm": canonical(cell.arm),
            "rotlab.overrides": canonical(cell.overrides),
            "rotlab.target": cell.target,
            "rotlab.replicate": canonical(cell.replicate),
            "rotlab.state": result.state,
            "rotlab.parents": json.dumps(list(cell.stages)),
            "rotlab.result": cell.result,
            COSTS_TAG: costs_tag(self._stages.get(key) for key in cell.stages),
        }
        if result.state == "REUSED":
            tags["reused"] = "true"
        values = {**cell.arm, "target": cell.target, "measure": cell.measure, **cell.replicate}
        return RunWrite(
            key=f"cell:{cell_key(cell.arm, cell.target, cell.replicate, cell.measure)}",
            name=" ".join(str(value) for value in values.values()),
            start_ms=min(progress.start_ms for progress in known),
            params=flatten(values),
            tags=tags,
            points=points_of(metrics, result.end_ms, result.step),
            status=_STATUS[result.state],
            end_ms=result.end_ms,
        )

    def _pretext_metrics(self, cell: Cell) -> dict[str, float]:
        """Return how well a cell's pretext was solved, by modality where the cell joins several.

        Of two networks of one modality it is the mean.
        """
        stages = [self._plan.stages[key] for key in cell.stages]
        pretrainings = [stage for stage in stages if stage.kind == "pretrain"]
        several = len({_modality(stage) for stage in pretrainings}) > 1
        found: dict[str, list[float]] = {}
        for stage in pretrainings:
            prefix = f"pretext.{_modality(stage)}." if several else "pretext."
            progress = self._stages.get(stage.key)
            for name, value in (progress.metrics if progress else {}).items():
                found.setdefault(prefix + name, []).append(value)
        return {name: math.fsum(values) / len(values) for name, values in found.items()}


def _identity(row: Cell | Awaited) -> str:
    return cell_key(row.arm, row.target, row.replicate, row.measure)


def _modality(stage: Stage) -> str:
    return str(getattr(stage.config, "modality", stage.key[:8]))
