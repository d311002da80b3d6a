"""Which searches a search space asks for: for each arm, target and split, unless shared."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.inits import reads
from rotlab.planning.key import canonical
from rotlab.planning.kinds import sections_of
from rotlab.planning.plan.arms import Arm
from rotlab.planning.plan.chains import Chains, Replicate
from rotlab.planning.plan.configs import RefusedError
from rotlab.planning.plan.decisions import Contest, Proposal, Proposed, Tuning, Winner
from rotlab.planning.plan.divided import undivided
from rotlab.planning.space.points import num_points
from rotlab.planning.space.population import why_not
from rotlab.planning.space.problems import Problem
from rotlab.planning.space.replicates import Draw, draws_by_chance
from rotlab.planning.space.search import Search
from rotlab.planning.space.shape import Link, Member, applies
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import StageKind

_VERSION = 1  # of what a search does with equal ranges, sampler and values
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class _Place:
    """A stage by which a search is judged, in the chain of an arm: of one member and replicate."""

    link: Link
    member: Member
    arm: Arm
    replicate: Replicate


@dataclass(slots=True)
class _Group:
    """What shares one search."""

    places: dict[str, _Place]  # by the key of the stage as it is without the search
    arms: dict[str, Mapping[str, Any]]
    settings: tuple[str, ...]
    target: str
    modality: str
    split: int | None


class Tunings:
    """The searches of a search space, and what arms take from which.

    Args:
        spec: that asks for them; it has a search.
        search: its search.
        kinds: stage kinds by name.
        chains: make the stages.
    """

    def __init__(
        self, spec: Spec, search: Search, kinds: Mapping[str, StageKind], chains: Chains
    ) -> None:
        self._spec = spec
        self._search = search
        self._kinds = kinds
        self._chains = chains
        self._groups: dict[tuple[object, ...], _Group] = {}
        self._asked: dict[tuple[int, str, str, int | None], tuple[object, ...]] = {}
        self._keys: dict[tuple[object, ...], str] = {}
        self._places: dict[str, tuple[_Place, ...]] = {}
        self._read: set[str] = set()
        self.problems: list[Problem] = []
        self.all: dict[str, Tuning] = {}

    def find(self, arms: Sequence[Arm], targets: Iterable[DatasetInfo]) -> None:
        """Learn what is to be searched; what is wrong stands in `problems` then, or the chains'."""
        for target in targets:
            for index, arm in enumerate(arms):
                for member in arm.shape.members:
                    if not member.seed_offset:  # the second of two equal ones takes its winner
                        self._ask(index, arm, member, target)
        for name in self._search.settings:
            if name not in self._read and not self.problems:
                self._refuse(name, f"nothing that leads to {self._search.by} reads it in any arm")
        for group_key, group in self._groups.items():
            key = self._key(group)
            self._keys[group_key] = key
            self._places[key] = tuple(group.places.values())
            known = self.all[key].arms if key in self.all else ()  # of a group that tries the same
            self.all[key] = Tuning(
                key,
                group.settings,
                (*known, *(arm for arm in group.arms.values() if arm not in known)),
                group.target,
                group.modality,
                self._search.proposals * self._generations(group),
                split=group.split,
                contest=self._contest(group),
                points=self._few_points(group),
                population=self._search.population,
                allowance=self._search.allowance,
                objectives=self._search.objectives if self._search.others else (),
                within=self._search.within,
            )

    def of(self, index: int, arm: Arm, target: str, split: int | None) -> dict[str, str]:
        """Return the searches whose winners an arm takes: member -> key of one, where it has one.

        Args:
            index: of the arm.
            arm: that one.
            target: name of the data set.
            split: of it, on which the arm is measured.
        """
        asked = {
            member.name: self._asked.get((index, member.modality, target, split))
            for member in arm.shape.members
        }
        return {name: self._keys[one] for name, one in asked.items() if one is not None}

    def tuned(self, arm: Arm, winners: Mapping[str, Winner]) -> Arm:
        """Return an arm with what searches have found for it: member -> winner."""
        own = {
            name: replace(
                arm,
                overrides={
                    **arm.overrides,
                    **{
                        setting: value
                        for setting, value in winner.settings.items()
                        if arm.shape.reads(setting)
                    },
                },
            )
            for name, winner in winners.items()
        }
        return replace(arm, tuned=own)

    def propose(self, proposal: Proposal) -> Proposed:
        """Return a proposal as stages; without results where its settings break a rule."""
        results: dict[str, None] = {}
        stages: dict[str, None] = {}
        before = dict(self._chains.problems)
        for place in self._places[proposal.tuning]:
            try:
                key, needed = self._chains.part(
                    place.link,
                    place.member,
                    self._judged(place.arm, proposal.settings),
                    place.replicate,
                )
            except RefusedError:  # a proposal that cannot be is one that failed, not a mistake
                self._chains.problems = before
                return Proposed(proposal, (), ())
            if self._lacking(key) is not None or self._is_undivided(needed):
                return Proposed(proposal, (), ())  # nothing would be held out, or none can train it
            results[key] = None
            stages |= dict.fromkeys(needed)
        return Proposed(proposal, tuple(results), tuple(stages))

    def _is_undivided(self, keys: Iterable[str]) -> bool:
        """Whether a stage cannot be computed by as many processes as are asked for."""
        stages = (self._chains.stages[key] for key in keys)
        return any(undivided(stages, self._kinds, self._spec.resources))

    @cached_property
    def _kind(self) -> StageKind:
        return self._kinds[self._search.by]

    def _ask(self, index: int, arm: Arm, member: Member, target: DatasetInfo) -> None:
        """Note what an arm's chain of one member leaves to be searched."""
        links = arm.shape.links
        link = next((one for one in links if one.kind is self._kind), None)
        if link is None:
            self._refuse_unjudged(arm)
            return
        names: list[str] = []
        for name, domain in self._search.settings.items():
            if self._is_read(name, link, member) and set(names).issuperset(domain.when):
                names.append(name)
        self._read.update(names)
        if not names:
            return
        found = {
            split: self._find_places(arm, link, member, target, judged_on)
            for split, judged_on in self._splits(target).items()
        }
        has_own = len({tuple(places) for places in found.values()}) > 1  # a search for each split
        for split, places in found.items():
            if not places:
                continue
            per = self._search.per
            shared = (
                next(iter(places)) if per is None else canonical([arm.values.get(a) for a in per])
            )
            own = split if has_own else None
            known = (shared, target.name, member.modality, own, *names)
            new = _Group({}, {}, tuple(names), target.name, member.modality, own)
            group = self._groups.setdefault(known, new)
            group.places |= places
            group.arms.setdefault(canonical(arm.values), arm.values)
            self._asked[index, member.modality, target.name, split] = known

    def _find_places(
        self,
        arm: Arm,
        link: Link,
        member: Member,
        target: DatasetInfo,
        splits: Sequence[int | None],
    ) -> dict[str, _Place]:
        places: dict[str, _Place] = {}
        for draw, split in product(self._draws(arm), splits):
            replicate = Replicate(target, draw, split)
            try:
                key, _ = self._chains.part(link, member, self._judged(arm, {}), replicate)
            except RefusedError:
                continue  # it is noted
            self._refuse_lacking(key)
            places[key] = _Place(link, member, arm, replicate)
        return places

    def _splits(self, target: DatasetInfo) -> dict[int | None, tuple[int | None, ...]]:
        """Split on which cells are measured -> those that their search is judged on.

        Official splits overlap: what is held out of training in one is tested on in another.
        """
        if target.num_splits == 0:
            return {None: (None,)}
        tested = self._spec.replicates.splits or (1,)
        return {split: self._search.splits or (split,) for split in tested}

    def _draws(self, arm: Arm) -> tuple[Draw, ...]:
        """The seeds that proposals of an arm are judged on."""
        repeats = self._spec.replicates
        if not repeats.by_kind:
            return tuple(map(Draw, self._search.seeds))
        links = reversed(arm.shape.links)
        chain = tuple(one.kind.name for one in links if draws_by_chance(one.kind))
        return tuple(repeats.draws(chain))[:1]

    def _judged(self, arm: Arm, settings: Mapping[str, Any]) -> Arm:
        """An arm as it is while it is searched: judged on what is held out."""
        holding = self._kind.judged.holding if self._kind.judged else {}
        own = {name: value for name, value in settings.items() if arm.shape.reads(name)}
        return replace(arm, overrides={**arm.overrides, **own, **holding})

    def _is_read(self, name: str, link: Link, member: Member) -> bool:
        """Whether a setting has a say in a stage, or in what stands behind it."""
        section, _, field = name.partition(".")
        if section in sections_of(link.kind) and reads(link.init, section, field):
            return True
        return any(
            self._is_read(name, Link(self._kinds[one.kind], one.init or link.init), member)
            for one in link.kind.inputs
            if applies(one, link.init, member.modality)
        )

    def _contest(self, group: _Group) -> Contest | None:
        """How the tries of a search are compared, where some may be stopped."""
        pruner, length = self._search.pruner, self._kind.length
        if pruner is None or length is None:
            return None
        section, _, field = length.setting.partition(".")
        searched = length.setting in group.settings
        domain = self._search.settings[length.setting] if searched else None
        lengths = [] if domain is None else [int(one) for one in domain.ends()]
        if domain is None or domain.when:
            configs = (self._chains.stages[key].config for key in group.places)
            lengths += [int(getattr(getattr(config, section), field)) for config in configs]
        epochs = max(lengths)
        if pruner.grace(epochs) >= epochs:
            said = (
                f"none is stopped before epoch {pruner.grace(epochs)}, and tries are at most "
                f"{epochs} epochs long ({length.setting}); lower grace_period, or leave pruner out"
            )
            self._add(self._spec.problem(said, "search.pruner"))
        drawn_as = self._key(group, is_pruned=False)
        return Contest(drawn_as, epochs, pruner.grace(epochs), pruner.whole)

    def _generations(self, group: _Group) -> int:
        """How often a population trains its members on; 1 where there is none, or it cannot."""
        population = self._search.population
        if population is None:
            return 1
        found = 1
        for stage in self._chains.behind(group.places):
            length = self._kinds[stage.kind].length
            if length is None or length.setting != population.length:
                continue
            why = why_not(population, length, stage.config)
            if why is not None:
                part, said = why
                place = ".".join(["search.population", *[part] * bool(part)])
                self._add(self._spec.problem(said, place))
                continue
            section, _, field = length.setting.partition(".")
            found = getattr(getattr(stage.config, section), field) // population.every
        return found

    def _key(self, group: _Group, *, is_pruned: bool = True) -> str:
        """Identity of a search; its pruner belongs to it, for it changes what is learned."""
        search = self._search
        pruner = search.pruner if is_pruned else None
        content = {
            "version": _VERSION,
            "stages": sorted(group.places),
            "settings": {name: search.settings[name].plain() for name in group.settings},
            "metric": search.metric,
            "goal": search.goal,
            "sampler": search.sampler.name,
            "options": dict(search.sampler.options),
            "at_once": search.at_once,
            **(
                {"others": [[one.name, one.goal] for one in search.others]} if search.others else {}
            ),
            **({"pruner": pruner.name, "pruned": dict(pruner.options)} if pruner else {}),
            **({"population": search.population.plain()} if search.population else {}),
        }
        return hashlib.sha256(canonical(content).encode()).hexdigest()[:_DIGITS]

    def _few_points(self, group: _Group) -> int | None:
        """How many different settings a search has, where those are fewer than its proposals."""
        domains = {name: self._search.settings[name] for name in group.settings}
        points = None if self._search.population else num_points(domains)
        return points if points is not None and points < self._search.proposals else None

    def _refuse_unjudged(self, arm: Arm) -> None:
        """A measure that a searched setting changes must have the search in its own chains."""
        for name in self._search.settings:
            if arm.shape.reads(name):
                by = self._search.by
                self._refuse(
                    name,
                    f"{arm.measure} reads it too, but has no {by} to be judged by (with "
                    f"init {arm.shape.init}); measure that in a search space of its own",
                )

    def _refuse_lacking(self, key: str) -> None:
        found = self._lacking(key)
        if found is not None:
            setting, why = found
            self._add(self._spec.problem(f"{setting} {why}", "search"))

    def _lacking(self, key: str) -> tuple[str, str] | None:
        """Why a stage does not tell the metric, and which setting would have it told."""
        judged = self._kind.judged
        if judged is None or not judged.tells(self._search.metric):
            return None
        return judged.lacking(self._chains.stages[key].config)

    def _refuse(self, name: str, text: str) -> None:
        self._add(self._spec.problem(text, f"search.settings.{name}"))

    def _add(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
