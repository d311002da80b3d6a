"""Tries of searches compared while they are at work: their curves, and what stops which. No Ray."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from rotlab.execution.conduct.message import Point
from rotlab.execution.search.recall import Curve, Memory
from rotlab.planning.key import canonical
from rotlab.planning.plan.decisions import Proposed, Pruned, Tuning
from rotlab.planning.space.search import Search
from rotlab.planning.stage import Length, Stage
from rotlab.store.decision_book import DecisionBook


class FallsBehind(Protocol):
    """Takes what a stage tells after an epoch; says whether it is to be stopped."""

    def __call__(
        self, key: str, route: Hashable, epoch: int, value: float, *, is_last: bool
    ) -> bool:
        """Say so, of a stage by its key, and of a value after an epoch, counted from 1."""


@dataclass(slots=True)
class _Entry:
    """A stage by which a proposal is judged.

    Args:
        owner: the first proposal that it judges.
        stage: that one.
        route: what it is compared within.
        epochs: of its training.
        curve: step -> value, as far as it was told.
        fed: the last step that the rule knows.
        is_over: the rule knows of its last epoch.
        is_shared: several searches are judged by it.
    """

    owner: Proposed
    stage: Stage
    route: Hashable
    epochs: int
    curve: dict[int, float] = field(default_factory=dict)
    fed: int = 0
    is_over: bool = False
    is_shared: bool = False


class Pruning:
    """Knows the curves of all that is compared, asks the rule, and keeps what that decides.

    Args:
        search: that asks for it.
        length: of stages of the kind that judges.
        book: where decisions are kept.
        rule: that decides.
        memory: of what was told before.
    """

    def __init__(
        self,
        search: Search,
        length: Length,
        book: DecisionBook,
        rule: FallsBehind,
        memory: Memory,
    ) -> None:
        self._metric, self._because = search.metric, str(search.pruner)
        self._length = length
        self._book, self._rule, self._memory = book, rule, memory
        self._entries: dict[str, _Entry] = {}
        self._stopped: dict[tuple[str, str], Pruned] = {}

    def enter(self, tuning: Tuning, proposed: Proposed, stages: Mapping[str, Stage]) -> None:
        """Take the stages by which a proposal is judged into the comparison.

        Args:
            tuning: the search that it is of.
            proposed: that proposal.
            stages: key -> stage, of all that judge it.
        """
        section, _, setting = self._length.setting.partition(".")
        for key in proposed.results:
            if key in self._entries:
                known = self._entries[key]
                known.is_shared |= known.owner.proposal.tuning != tuning.key
                continue
            stage = stages[key]
            clip = getattr(stage.config, "clip", None)
            split = next((ref.split for ref in stage.data if ref.split is not None), None)
            route = (
                tuning.key,
                stage.kind,
                tuning.target,
                tuning.modality,
                canonical(clip.model_dump(mode="json")) if clip is not None else None,
                split,
            )
            epochs = getattr(getattr(stage.config, section), setting)
            self._entries[key] = _Entry(proposed, stage, route, epochs)

    def owner(self, key: str) -> Proposed | None:
        """Return the first proposal that a stage judges; None: none, or those of two searches."""
        entry = self._entries.get(key)
        return None if entry is None or entry.is_shared else entry.owner

    def sign(self, key: str) -> str | None:
        """Return the file that asks a stage to stop as soon as it is there; None: nothing can."""
        owner = self.owner(key)
        if owner is None:
            return None
        return str(self._book.pruned_path(owner.proposal.tuning, key))

    def last_value(self, key: str) -> float | None:
        """Return what a stage told last, None where it told nothing."""
        entry = self._entries.get(key)
        return entry.curve[max(entry.curve)] if entry is not None and entry.curve else None

    def hear(self, key: str, points: Iterable[Point], trunk: Stage | None = None) -> bool:
        """Take what a stage tells; say whether it falls behind.

        Args:
            key: of the stage.
            points: that it told, oldest first.
            trunk: the shorter training, done, from whose end it goes on: its curve is the beginning
                of this one's.
        """
        entry = self._entries.get(key)
        if entry is None:
            return False
        if trunk is not None and not entry.curve:
            known = self._entries.get(trunk.key)
            curve = known.curve if known is not None else self._memory.curve(trunk, self._metric)
            self._feed(entry, curve)
        told = {p.step: p.metrics[self._metric] for p in points if self._metric in p.metrics}
        return self._feed(entry, told)

    def replay(self, done: Iterable[str], trunk: Callable[[str], Stage | None]) -> list[str]:
        """Tell the rule all that was told before, in order; return what it would have stopped.

        That is asked of stages that have neither ended nor been stopped: their driver was killed
        after it had heard of them, and before it had decided.

        Args:
            done: keys of the stages that have ended.
            trunk: key -> the shorter training, done, from whose end the stage goes on.
        """
        events = [
            event
            for event in self._memory.events()
            if event["event"] == "stage_metrics" and event["key"] in self._entries
        ]
        here = {event["key"] for event in events}
        ended = set(done)
        for key, entry in self._entries.items():
            stopped = self.stopped(entry.owner.proposal.tuning, key)
            if key in here:
                continue
            if stopped is not None:
                self._feed(entry, stopped.curve)
            elif key in ended:
                self._feed(entry, self._memory.curve(entry.stage, self._metric))
        behind: dict[str, None] = {}
        for event in events:
            point = Point(event["step"], event["time"], event["metrics"])
            if self.hear(event["key"], [point], trunk(event["key"])):
                behind[event["key"]] = None
        return [
            key
            for key in behind
            if key not in ended
            and self.stopped(self._entries[key].owner.proposal.tuning, key) is None
        ]

    def told(self) -> frozenset[str]:
        """Return the keys of stages of which it was told that they were stopped."""
        events = self._memory.events()
        return frozenset(event["key"] for event in events if event["event"] == "stage_pruned")

    def stopped(self, tuning: str, key: str) -> Pruned | None:
        """Return by what a stage of a search was stopped, by whichever driver; None: by nothing."""
        found = self._stopped.get((tuning, key)) or self._book.pruned(tuning, key)
        if found is not None:
            self._stopped[tuning, key] = found
        return found

    def stop(self, proposed: Proposed, keys: Sequence[str]) -> tuple[Pruned, ...]:
        """Decide that stages of a proposal are stopped; return the decisions that count.

        Their workers are told by the very files that hold the decisions.

        Args:
            proposed: that proposal.
            keys: first the one that fell behind; the others are of no use without it.
        """
        found = []
        for key in keys:
            because = self._because if key == keys[0] else f"as is {keys[0][:12]}, of its proposal"
            kept = self._book.keep_pruned(self._decision(proposed, key, because))
            self._stopped[kept.tuning, key] = kept
            found.append(kept)
        return tuple(found)

    def is_asked_beside(self, tuning: str, key: str) -> bool:
        """Say whether another study asks for a stage, though not as a proposal of the search."""
        return self._memory.is_asked_beside(tuning, key)

    def _decision(self, proposed: Proposed, key: str, because: str) -> Pruned:
        entry = self._entries[key]
        step = entry.fed
        epoch = round(step / _epoch_steps(entry.curve))
        beside: dict[str, float] = {}
        for other, each in self._entries.items():
            if other != key and each.route == entry.route:
                until = epoch * _epoch_steps(each.curve)
                told = [value for at, value in sorted(each.curve.items()) if at <= until]
                beside |= {other: told[-1]} if told else {}
        return Pruned(
            proposed.proposal.tuning,
            proposed.proposal.number,
            key,
            because,
            epoch,
            step,
            self.last_value(key),
            dict(sorted(entry.curve.items())),
            beside,
        )

    def _feed(self, entry: _Entry, curve: Curve) -> bool:
        """Tell the rule of new steps, up to the one at which it stops the stage."""
        new = {step: value for step, value in curve.items() if step not in entry.curve}
        entry.curve.update(new)
        steps = _epoch_steps(entry.curve)
        for step in sorted(new):
            if step <= entry.fed or entry.is_over:
                continue
            entry.fed = step
            epoch = round(step / steps)
            entry.is_over = epoch >= entry.epochs
            if self._rule(entry.stage.key, entry.route, epoch, new[step], is_last=entry.is_over):
                return True
        return False


def _epoch_steps(curve: Curve) -> int:
    """Return how many steps an epoch of a curve has; 1 where there is no curve.

    All epochs of a training have equally many, and each tells at its last; where some were not
    heard of, the smallest distance is one epoch.
    """
    return min((later - one for one, later in pairwise((0, *sorted(curve)))), default=1)
