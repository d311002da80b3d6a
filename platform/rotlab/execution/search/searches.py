"""The searches of a study as it runs: what they decide next as their proposals end. No Ray."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from rotlab.execution.conduct.growth import Growth
from rotlab.execution.search.distinct import Draw, Told, distinct
from rotlab.planning.plan.breeding import breed, can_win, won
from rotlab.planning.plan.decisions import Decisions, Ended, Proposed, Tuning, Winner
from rotlab.planning.plan.planner import Planner
from rotlab.planning.space.allowance import UNITS, Hours, Unit
from rotlab.planning.space.objectives import best, pareto_front
from rotlab.planning.space.search import Search
from rotlab.planning.stage import Stage
from rotlab.store.decision_book import DecisionBook
from rotnet.errors import UserError


class Taken(Protocol):
    """Tells what stages took until now."""

    def hours(self, stage: Stage) -> Hours:
        """Return what a stage took by itself."""

    def whole(self, stage: Stage) -> Hours:
        """Return what it took with the shorter trainings that it went on from."""


class Searches(Growth):
    """Decides proposals and winners, and keeps the plan that they make.

    Proposal k is drawn once those up to k - at_once have ended, and knows of those alone. What it
    knew of them, failures too, stays so; but as long as all have failed they may be tried again.

    Args:
        planner: of the study.
        search: that the study asks for.
        book: where decisions are kept.
        draw: draws proposals; None takes Optuna.
        taken: tells what stages took, where the search has hours, or is judged by them.
    """

    def __init__(
        self,
        planner: Planner,
        search: Search,
        book: DecisionBook,
        draw: Draw | None = None,
        taken: Taken | None = None,
    ) -> None:
        found = book.read(planner.tunings)
        super().__init__(planner, _planned(found))
        self._search = search
        self._book = book
        self._draw = distinct(draw or _optuna())
        self._proposals = {key: list(found.proposed(key)) for key in planner.tunings}
        self._winners = dict(found.winners)
        self._known = found.values  # at the start: a plan never shrinks while it runs
        self._kept = {key: dict(found.values.get(key, {})) for key in planner.tunings}
        self._pruned = {key: set(found.pruned.get(key, ())) for key in planner.tunings}
        self._taken = taken
        self._used = {key: dict(found.hours.get(key, {})) for key in planner.tunings}
        self._others = {key: dict(found.others.get(key, {})) for key in planner.tunings}
        self._made = self._by_number()

    def undecided(self) -> dict[str, str]:
        """Return key of a search -> why it has no winner."""
        found = {}
        for key, tuning in self._planner.tunings.items():
            if key in self._winners:
                continue
            values = self._values(key)
            number = self._ends_after(tuning, values)
            able = {one: value for one, value in values.items() if can_win(tuning, one)}
            if len(values) == number and not _numbers(able.values()):
                last = " of the last generation" * (tuning.population is not None)
                found[key] = f"all {len(able)} proposals{last} failed"
            else:
                of = f"of {number} " if tuning.allowance is None else ""
                found[key] = f"{len(values)} {of}proposals have ended"
        return found

    def over(self) -> frozenset[str]:
        """Return the stages that nobody waits for: of searches that ended, and of what was stopped.

        Those that only such need, that is.
        """
        needed = {key for cell in self.plan.cells for key in cell.stages}
        for one in self.plan.proposed:
            if self._is_awaited(one):
                needed.update(one.stages)
        return frozenset(self.plan.stages.keys() - needed)

    def _is_awaited(self, proposed: Proposed) -> bool:
        """Whether a search has use for the end of a proposal."""
        key, number = proposed.proposal.tuning, proposed.proposal.number
        return key not in self._winners and number not in self._pruned[key]

    @property
    def num_failed(self) -> int:
        """How many proposals of searches that have ended failed."""
        winners = self._winners.values()
        return sum(one is None for each in winners for one in each.values.values())

    def _decisions(self) -> Decisions:
        proposals = {key: tuple(found) for key, found in self._proposals.items()}
        return _planned(Decisions(proposals, self._winners, values=self._known))

    def _by_number(self) -> dict[tuple[str, int], Proposed]:
        """Key of a search and number -> the proposal in the plan as it is."""
        return {(one.proposal.tuning, one.proposal.number): one for one in self.plan.proposed}

    def _decide_once(self) -> bool:
        """Decide for every search what the plan as it is allows; say whether there was anything."""
        self._made = self._by_number()
        has_decided = False
        for key, tuning in self._planner.tunings.items():
            if key in self._winners:
                continue
            values = self._values(key)
            made = self._proposals[key]
            if len(values) == self._ends_after(tuning, values):
                has_decided |= self._crown(tuning, values)
                continue
            ended = next((one.number - 1 for one in made if one.number not in values), len(made))
            while len(made) < self._ends_after(tuning, values):
                if self._search.known_to(len(made) + 1) > ended:
                    break
                self._propose(tuning, len(made) + 1, values)
                has_decided = True
        return has_decided

    def _ends_after(self, tuning: Tuning, ended: Iterable[int]) -> int:
        """After how many proposals a search ends, as far as those that have ended tell."""
        used = {number: self._hours_of(tuning.key, number) for number in ended}
        known = {number: hours for number, hours in used.items() if hours is not None}
        return tuning.ends_after(self._proposals[tuning.key], known)

    def _hours_of(self, key: str, number: int) -> Hours | None:
        """Hours of a proposal that has ended, less what those before it needed, too."""
        if self._taken is None:
            return None
        if number not in self._used[key]:
            proposals = self._proposals[key][:number]
            *before, own = (self._planner.as_stages(one).stages for one in proposals)
            known = {stage for each in before for stage in each}
            stages = [self._planner.stage(stage) for stage in own if stage not in known]
            taken = [self._taken.hours(stage) for stage in stages]
            self._used[key][number] = {
                unit: math.fsum(one[unit] for one in taken) for unit in UNITS
            }
        return self._used[key][number]

    def _propose(self, tuning: Tuning, number: int, values: Mapping[int, float | None]) -> None:
        made = self._proposals[tuning.key]
        known = self._search.known_to(number)
        values = self._keep({one.number: values[one.number] for one in made[:known]}, tuning)
        domains = {name: self._search.settings[name] for name in tuning.settings}
        told = [(one, values[one.number]) for one in made[:known]]
        if tuning.population is not None:
            made.append(
                self._book.keep_proposal(
                    breed(
                        tuning.key,
                        tuning.population,
                        number,
                        domains,
                        told,
                        made[known:],
                        maximize=self._search.maximizes,
                    )
                )
            )
            return
        try:
            drawn = self._draw(
                tuning.contest.drawn_as if tuning.contest else tuning.key,
                number,
                domains,
                self._search.sampler,
                [(one, self._told(tuning.key, one.number, values)) for one in made[:known]],
                made[known:],
                maximize=self._maximize(),
            )
        except Exception as error:  # whatever a sampler of Optuna's may raise
            raise UserError(
                f"search.sampler: {self._search.sampler} cannot make proposal {number} of search "
                f"{tuning.key[:12]}: {type(error).__name__}: {error}; take another sampler or "
                "other options"
            ) from error
        made.append(self._book.keep_proposal(replace(drawn, tuning=tuning.key)))

    def _maximize(self) -> bool | tuple[bool, ...]:
        """Whether more is better, of each objective where there are several."""
        search = self._search
        several = tuple(one.maximizes for one in search.objectives)
        return several if search.others else search.maximizes

    def _told(self, key: str, number: int, values: Mapping[int, float | None]) -> Told:
        """What the sampler is told of a proposal: its value, or all of them."""
        value = values[number]
        if value is None or not self._search.others:
            return value
        return (value, *self._others_of(key, number))

    def _crown(self, tuning: Tuning, values: Mapping[int, float | None]) -> bool:
        """End a search with its best proposal, the first of equals; say whether there is one.

        Of a population that is one of the last generation. One that was stopped before its end
        wins only where all others failed.
        """
        values = self._keep(values, tuning)
        told = {
            number: value
            for number, value in values.items()
            if value is not None and can_win(tuning, number)
        }
        if not told:
            return False
        pruned, search = self._pruned[tuning.key], self._search
        others = {number: self._others_of(tuning.key, number) for number in told}
        points = {number: (value, *others[number]) for number, value in told.items()}
        whole = {number: one for number, one in points.items() if number not in pruned}
        number = best(whole or points, search.objectives, search.within)
        proposal = self._proposals[tuning.key][number - 1]
        cut = tuple(sorted(pruned))
        settings = won(tuning, proposal)
        winner = Winner(tuning.key, number, settings, told[number], dict(values), cut)
        if search.others:
            front = pareto_front(points, search.objectives)
            winner = replace(winner, others=others, front=front, within=search.within)
        self._winners[tuning.key] = self._book.keep_winner(winner)
        return True

    def _keep(self, values: Mapping[int, float | None], tuning: Tuning) -> dict[int, float | None]:
        """The values as they count, now that they are made use of."""
        if not _numbers(values.values()):  # nothing is learned from failures alone
            return dict(values)
        kept = self._kept[tuning.key]
        for number, value in values.items():
            if number not in kept:
                made = self._made[tuning.key, number]
                hours = self._hours_of(tuning.key, number)
                others = () if value is None else self._others_of(tuning.key, number)
                ended = Ended(tuning.key, number, value, made.results, others=others, hours=hours)
                self._take_end(self._book.keep_end(ended))
        return {number: kept[number] for number in values}

    def _take_end(self, ended: Ended) -> None:
        """Learn how a proposal counts as ended, by whoever decided it first."""
        self._kept[ended.tuning][ended.number] = ended.value
        if ended.hours is not None:
            self._used[ended.tuning][ended.number] = ended.hours
        if ended.value is not None:
            self._others[ended.tuning][ended.number] = ended.others
        if ended.pruned:
            self._pruned[ended.tuning].add(ended.number)

    def _values(self, key: str) -> dict[int, float | None]:
        """Number -> value of the proposals that have ended, None of those that failed."""
        found: dict[int, float | None] = {}
        for proposal in self._proposals[key]:
            if proposal.number in self._kept[key]:
                found[proposal.number] = self._kept[key][proposal.number]
                continue
            made = self._made.get((key, proposal.number))
            if made is None:
                continue
            if any(result in self._lost for result in made.results) or not made.results:
                found[proposal.number] = None
            elif all(result in self._metrics for result in made.results):
                found[proposal.number] = self._mean(made, self._search.metric)
        return found

    def _others_of(self, key: str, number: int) -> tuple[float, ...]:
        """What a proposal that has a value came to by the other objectives."""
        if number not in self._others[key]:
            made = self._made[key, number]
            self._others[key][number] = tuple(
                self._mean(made, one.name) if one.unit is None else self._hours_each(made, one.unit)
                for one in self._search.others
            )
        return self._others[key][number]

    def _hours_each(self, made: Proposed, unit: Unit) -> float:
        """Hours of a proposal, all that stands behind it included, on each seed and split."""
        if self._taken is None:
            raise ValueError(f"nothing tells {unit} here, by which a search is judged")
        stages = map(self._planner.stage, made.stages)
        return math.fsum(self._taken.whole(one)[unit] for one in stages) / len(made.results)

    def _mean(self, made: Proposed, metric: str) -> float:
        return math.fsum(self._value(key, metric) for key in made.results) / len(made.results)

    def _value(self, key: str, name: str) -> float:
        metrics = self._metrics[key]
        if name not in metrics:
            has = ", ".join(metrics) or "none"
            raise UserError(
                f"search.metric: {self._search.by} {key[:12]} reports no {name!r}; it has {has}"
            )
        return metrics[name]


def _planned(decisions: Decisions) -> Decisions:
    """Decisions by which a run's plan holds what was stopped, too: it has begun, and is told of."""
    return replace(decisions, pruned={})


def _numbers(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _optuna() -> Draw:
    """Optuna takes a second to be imported: only where something is searched."""
    from rotlab.execution.search.sampling import propose

    return propose
