"""Searches that stop proposals which fall behind, while these are at work. No Ray."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from rotlab.execution.conduct.effort import Effort
from rotlab.execution.conduct.growth import Metrics
from rotlab.execution.conduct.message import Point
from rotlab.execution.search.distinct import Draw
from rotlab.execution.search.pruning import FallsBehind, Pruning
from rotlab.execution.search.recall import memory_of
from rotlab.execution.search.searches import Searches, Taken
from rotlab.planning.plan.decisions import Ended, Proposal, Proposed, Pruned
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planner import Planner
from rotlab.planning.space.pruners import Pruner
from rotlab.planning.space.search import Search
from rotlab.planning.stage import Resources, Stage, StageKind
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store


class Contests(Searches):
    """Searches whose proposals are compared epoch by epoch.

    Stopped is only what judges one proposal and is asked for by nothing else: no stage of a cell,
    none that another stage takes or goes on from, none that another study asks for. With it, all
    that its proposal still has to do falls away. Which these are hangs on what ends first; so each
    is a decision, which lies in the store before the worker is told, and stands.

    Args:
        planner: of the study.
        search: that the study asks for.
        book: where decisions are kept.
        pruning: compares, and decides.
        draw: draws proposals; None takes Optuna.
        taken: tells what stages took, where the search has a budget of hours.
    """

    def __init__(
        self,
        planner: Planner,
        search: Search,
        book: DecisionBook,
        pruning: Pruning,
        draw: Draw | None = None,
        taken: Taken | None = None,
    ) -> None:
        super().__init__(planner, search, book, draw, taken)
        self._pruning = pruning
        self._untold: list[Pruned] = []
        self._entered: set[tuple[str, int]] = set()
        self._enter()

    def catch_up(self, records: Callable[[Iterable[Stage]], Mapping[str, Metrics]]) -> Plan:
        """Return the plan with all that can be decided, by what was told of stages before, too."""
        super().catch_up(records)
        for key in self._pruning.replay(self._metrics, self._trunk):
            self._stop(key)
        self._end_what_was_begun()
        return super().catch_up(records)

    def decide(self) -> bool:
        """Decide what can be decided, and say whether the plan has grown."""
        has_grown = super().decide()
        while self._enter():
            has_grown |= super().decide()
        return has_grown

    def heard(self, key: str, points: Sequence[Point], *, is_over: bool) -> bool:
        """Learn what a stage tells; say whether it, unless it is over, is stopped for that."""
        behind = self._pruning.hear(key, points, self._trunk(key))
        if behind and not is_over:
            self._stop(key)
        return bool(self._untold)

    def take_stopped(self) -> tuple[Pruned, ...]:
        """Return the decisions that were made since this was last asked."""
        found, self._untold = tuple(self._untold), []
        return found

    def sign(self, key: str) -> str | None:
        """Return the file that asks a stage to stop; None where it has to get to its end."""
        return None if self._is_of_a_cell(key) else self._pruning.sign(key)

    def is_stopped(self, key: str) -> bool:
        """Say whether it was decided, here or by another driver, that a stage stops."""
        owner = self._pruning.owner(key)
        if owner is None or self._is_of_a_cell(key):
            return False
        stopped = self._pruning.stopped(owner.proposal.tuning, key)
        if stopped is None:
            return False
        ended = self._book.ended(stopped.tuning, stopped.number)
        if ended is not None:
            self._take_end(ended)
        return True

    @property
    def num_pruned(self) -> int:
        """How many proposals were stopped before their end."""
        return sum(map(len, self._pruned.values()))

    def _enter(self) -> bool:
        """Take proposals that are new into the comparison; say whether one has ended by that."""
        new = [
            one
            for key, made in self._proposals.items()
            for one in made
            if (key, one.number) not in self._entered
        ]
        self._entered.update((one.tuning, one.number) for one in new)
        ended = [one for one in new if self._enter_one(one)]
        return bool(ended)

    def _enter_one(self, proposal: Proposal) -> bool:
        proposed = self._planner.as_stages(proposal)
        tuning = self._planner.tunings[proposal.tuning]
        stages = {key: self._planner.stage(key) for key in proposed.results}
        self._pruning.enter(tuning, proposed, stages)
        if proposal.number in self._kept[tuning.key]:
            return False
        for key in proposed.results:  # settings that were tried, and stopped, before
            stopped = self._pruning.stopped(tuning.key, key)
            if stopped is not None and stopped.number != proposal.number:
                return self._end(proposed, stopped.value)
        return False

    def _stop(self, key: str) -> None:
        """Decide that a stage is stopped, and with it its proposal; unless something needs it."""
        owner = self._only_owner(key)
        if owner is None or not self._end(owner, self._value_so_far(owner)):
            return
        rest = [
            other
            for other in owner.results
            if other != key and other not in self._metrics and self._only_owner(other, owner)
        ]
        self._untold += self._pruning.stop(owner, [key, *rest])

    def _end_what_was_begun(self) -> None:
        """Stop, and tell, what a driver that was killed had decided without having come to it."""
        told = self._pruning.told()
        for one in self.plan.proposed:
            tuning, number = one.proposal.tuning, one.proposal.number
            if number not in self._pruned[tuning]:
                continue
            mine = [
                key
                for key in one.results
                if key not in self._metrics and self._pruning.owner(key) == one
            ]
            if any(self._pruning.stopped(tuning, key) is not None for key in mine):
                found = (self._pruning.stopped(tuning, key) for key in mine)
                stopped = [each for each in found if each is not None]
            else:
                free = [key for key in mine if self._only_owner(key, one) is not None]
                stopped = list(self._pruning.stop(one, free))
            known = told | {each.key for each in self._untold}
            self._untold += [each for each in stopped if each.key not in known]

    def _trunk(self, key: str) -> Stage | None:
        """The shorter training, done, from whose end a stage goes on."""
        shorter = self.plan.continues.get(key)
        return self.plan.stages[shorter] if shorter in self._metrics else None

    def _end(self, proposed: Proposed, value: float | None) -> bool:
        """Decide that a proposal ends here; say whether it counts so."""
        tuning, number = proposed.proposal.tuning, proposed.proposal.number
        hours = self._hours_of(tuning, number)
        ended = self._book.keep_end(
            Ended(tuning, number, value, proposed.results, pruned=True, hours=hours)
        )
        self._take_end(ended)
        return ended.pruned

    def _only_owner(self, key: str, of: Proposed | None = None) -> Proposed | None:
        """The one proposal that asks for a stage; None where something else does, too.

        Args:
            key: of the stage.
            of: the proposal, where it has just ended.
        """
        owners = [
            one
            for one in self.plan.proposed
            if key in one.results and (self._is_awaited(one) or one is of)
        ]
        if len(owners) != 1 or self._is_of_a_cell(key) or self._pruning.owner(key) is None:
            return None
        needed = self.plan.stages.keys() - self.over()
        if any(one in needed for one in (*self.plan.children(key), *self.plan.followers(key))):
            return None
        is_asked = self._pruning.is_asked_beside(owners[0].proposal.tuning, key)
        return None if is_asked else owners[0]

    def _is_of_a_cell(self, key: str) -> bool:
        return any(key in cell.stages for cell in self.plan.cells)

    def _value_so_far(self, proposed: Proposed) -> float | None:
        """The mean of what a proposal's stages have told, done or not."""
        told = [
            self._value(key, self._search.metric)
            if key in self._metrics
            else self._pruning.last_value(key)
            for key in proposed.results
        ]
        values = [value for value in told if value is not None]
        return math.fsum(values) / len(values) if values else None


def searches_of(
    planner: Planner,
    search: Search,
    kinds: Mapping[str, StageKind],
    store: Store,
    study: str,
    resources: Mapping[str, Resources],
) -> Searches:
    """Return the searches of a study, with the comparison of their proposals where it asks for one.

    Args:
        planner: of the study.
        search: that it asks for.
        kinds: stage kinds by name.
        store: where decisions are kept, and what was told before.
        study: its name.
        resources: kind -> what its stages occupy, where that is not the kind's own default.
    """
    taken = None
    if search.allowance is not None or any(one.unit for one in search.others):
        taken = Effort(store, study, kinds, resources)
    book, length = DecisionBook(store.root), kinds[search.by].length
    if search.pruner is None or length is None:
        return Searches(planner, search, book, taken=taken)
    epochs = {key: one.contest.epochs for key, one in planner.tunings.items() if one.contest}
    rule = _rule(search.pruner, epochs, maximize=search.maximizes)
    pruning = Pruning(search, length, book, rule, memory_of(store, study))
    return Contests(planner, search, book, pruning, taken=taken)


def _rule(pruner: Pruner, epochs: Mapping[str, int], *, maximize: bool) -> FallsBehind:
    """Ray Tune takes a second to be imported: only where something is compared."""
    from rotlab.execution.search.routing import Rule

    return Rule(pruner, epochs, maximize=maximize).falls_behind
