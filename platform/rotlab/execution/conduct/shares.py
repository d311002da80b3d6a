"""Which share of a device each stage takes whose kind's share is measured, as far as it was."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from pydantic import BaseModel

from rotlab.execution.conduct.peaks import Peaks
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.share import Peak, share
from rotlab.planning.release.smoke import Smoke, smoke_of
from rotlab.planning.stage import Resources, Stage, StageKind


class Shares:
    """Knows them for the devices of a cluster.

    Args:
        peaks: what was measured.
        kinds: stage kinds by name.
        resources: kind -> what its stages take where nothing was measured, for those of which a
            share is.
        models: Ray's names of the devices; a stage takes the largest of the shares that it needs on
            them, for it may come to any. None: all that were measured on, where a cluster has none
            yet.
    """

    def __init__(
        self,
        peaks: Peaks,
        kinds: Mapping[str, StageKind],
        resources: Mapping[str, Resources],
        models: Collection[str] | None,
    ) -> None:
        self._peaks, self._kinds, self._resources = peaks, kinds, resources
        self._models = models
        self._marks: dict[tuple[str, int], tuple[BaseModel, str]] = {}

    def of(self, plan: Plan, known: Collection[str] = ()) -> dict[str, Resources]:
        """Return key -> what the stage takes, for those whose memory was measured.

        Args:
            plan: the stages.
            known: those that are not asked for.
        """
        found = {}
        for stage, peaks in self._measured(plan, [key for key in plan.stages if key not in known]):
            if peaks:
                taken = replace(self._resources[stage.kind], gpus=max(map(share, peaks)))
                found[stage.key] = taken
        return found

    def of_kinds(self, plan: Plan) -> dict[str, Resources]:
        """Return kind -> the most that a stage of it takes, for kinds measured throughout."""
        found: dict[str, list[Resources | None]] = {}
        shares = self.of(plan)
        for stage in plan.stages.values():
            if stage.kind in self._resources:
                found.setdefault(stage.kind, []).append(shares.get(stage.key))
        return {
            kind: max((one for one in each if one is not None), key=lambda one: one.gpus or 0.0)
            for kind, each in found.items()
            if None not in each
        }

    def lines(self, plan: Plan, keys: Iterable[str]) -> list[str]:
        """Return in words what stages of a plan take, a line for each kind."""
        counts: dict[str, Counter[float]] = {}
        devices: set[str] = set()
        for stage, peaks in self._measured(plan, keys):
            largest = max(map(share, peaks), default=0.0)
            counts.setdefault(stage.kind, Counter())[largest] += 1
            devices.update(peak.device for peak in peaks)
        where = " and ".join(sorted(devices))
        lines = []
        for kind, shares in counts.items():
            said = [
                f"{_fraction(part)} of {where} measured for {number}"
                for part, number in sorted(shares.items())
                if part
            ]
            if shares[0.0]:
                said.append(f"a whole device for {shares[0.0]} not yet measured")
            lines.append(f"gpus: auto of {kind}: {', '.join(said)}")
        return lines

    def unmeasured(self, smoke: Smoke, model: str | None) -> list[str]:
        """Return the sorts that are to be measured on a device of a model; None: on any."""
        return [
            key
            for key, stage in smoke.plan.stages.items()
            if stage.kind in self._resources
            and smoke.counts[key]
            and not self._find(self._mark(stage), None if model is None else (model,))
        ]

    def learn(self, sort: Stage, model: str, peak: Peak) -> None:
        """Remember what a sort, whose settings are in brief, needs on a model's devices."""
        self._peaks.add(self._mark(sort), model, peak)

    def _mark(self, sort: Stage) -> str:
        return self._peaks.mark(sort.kind, sort.key, sort.config)

    def _measured(self, plan: Plan, keys: Iterable[str]) -> list[tuple[Stage, list[Peak]]]:
        """Stages whose share is measured, each with its peaks: none where one is missing."""
        asked = [key for key in keys if plan.stages[key].kind in self._resources]
        sorts = smoke_of(plan, self._kinds, asked).sorts if asked else {}
        found = []
        for key in asked:
            stage = plan.stages[key]
            peaks = self._peaks_of(stage, sorts[key]) if key in sorts else []
            found.append((stage, peaks))
        return found

    def _peaks_of(self, stage: Stage, sort: str) -> list[Peak]:
        brief = self._kinds[stage.kind].brief
        asked = (sort, id(stage.config))
        if asked not in self._marks:  # it holds the config, so that its id stays its own
            config = stage.config if brief is None else brief(stage.config)
            self._marks[asked] = (stage.config, self._peaks.mark(stage.kind, sort, config))
        return self._find(self._marks[asked][1], self._models)

    def _find(self, mark: str, models: Collection[str] | None) -> list[Peak]:
        """A peak on each of some devices, or on all that there are; none where one is missing."""
        if models is None:
            return self._peaks.all_of(mark)
        found = [self._peaks.find(mark, model) for model in models]
        return [] if None in found else [one for one in found if one is not None]


def _fraction(part: float) -> str:
    return "all" if part == 1 else f"1/{round(1 / part)}"
