"""What searches decided, as studies in an Optuna storage, for `optuna-dashboard` and Optuna itself.

A copy that nothing is read from: it is brought up to the store's decisions, and made anew where it
was lost or these were withdrawn. Proposal k of a search is trial k - 1 of its study. Of a member of
a population it has the settings by which that was trained in its generation, and as the trial's
attributes the lineage.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from rotlab.execution.search.optuna_storage import shown
from rotlab.execution.search.sampling import distribution
from rotlab.planning.plan.breeding import PARENT, in_force
from rotlab.planning.plan.decisions import Decisions, Proposal, Pruned, Tuning
from rotlab.planning.plan.fronts import arms_of
from rotlab.planning.space.population import Population
from rotlab.planning.space.ranges import Domain, OneOf
from rotlab.planning.space.search import Search
from rotlab.store.decision_book import DecisionBook
from rotnet.errors import UserError

_NAME_CHARS = 400  # databases hold 512
_KEY_CHARS = 8


class OptunaCopy:
    """The searches of one study, as an Optuna storage has them.

    Args:
        storage: file or URL.
        root: of the store.
        study: name of the study.
        search: that it asks for.
        tunings: its searches, by key.

    Raises:
        UserError: the storage cannot be opened.
    """

    def __init__(
        self,
        storage: str,
        root: Path,
        study: str,
        search: Search,
        tunings: Mapping[str, Tuning],
    ) -> None:
        self._book, self._study = DecisionBook(root), study
        self._search, self._tunings = search, tunings
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self._storage = _open(storage)
        except Exception as error:  # whatever a driver of a database may raise
            raise UserError(
                f"Optuna storage {shown(storage)} cannot be opened: {_first_line(error)}; "
                "give --optuna-storage another, or none"
            ) from error

    def bring_up(self) -> None:
        """Bring the storage up to what the store knows. Nothing is written where nothing is new."""
        decisions = self._book.read(self._tunings)
        for key, tuning in self._tunings.items():
            stops = {one.number: one for one in self._book.all_pruned(key)}
            wanted = [
                _trial(tuning, one, self._domains(tuning), decisions, stops.get(one.number))
                for one in decisions.proposed(key)
            ]
            study = self._open_study(tuning)
            known = study.get_trials(deepcopy=False)
            if not _goes_on(known, wanted):
                optuna.delete_study(study_name=study.study_name, storage=self._storage)
                study, known = self._open_study(tuning), []
            _add(study, self._storage, known, wanted)
            winner = decisions.winners.get(key)
            number = None if winner is None else winner.number - 1
            if study.user_attrs.get("winner") != number:
                study.set_user_attr("winner", number)

    def _open_study(self, tuning: Tuning) -> Study:
        beginning = f"{self._study}: {arms_of(tuning)}"[:_NAME_CHARS]
        name = f"{beginning} ({tuning.key[:_KEY_CHARS]})"
        objectives = self._search.objectives
        if name in optuna.get_all_study_names(self._storage):
            study = optuna.load_study(study_name=name, storage=self._storage)
        else:
            ways = [optuna.study.StudyDirection[one.goal.upper()] for one in objectives]
            study = optuna.create_study(
                study_name=name, storage=self._storage, directions=ways, load_if_exists=True
            )
        names = [one.name for one in objectives]
        if study.metric_names != names:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                study.set_metric_names(names)
            study.set_user_attr("study", self._study)
            study.set_user_attr("arms", [dict(arm) for arm in tuning.arms])
            study.set_user_attr("search", tuning.key)
        return study

    def _domains(self, tuning: Tuning) -> dict[str, Domain]:
        return {name: self._search.settings[name] for name in tuning.settings}


def _open(storage: str) -> BaseStorage:
    if "://" in storage:
        return optuna.storages.get_storage(storage)
    Path(storage).parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(storage))


def _trial(
    tuning: Tuning,
    proposal: Proposal,
    domains: Mapping[str, Domain],
    decisions: Decisions,
    stop: Pruned | None,
) -> FrozenTrial:
    """A proposal as Optuna has it; one whose end was made use of yet by nobody is under way."""
    population, settings = tuning.population, proposal.settings
    if population is not None:
        settings = in_force(population, proposal)
    tried = {name: settings[name] for name in domains if name in settings}
    key, number = proposal.tuning, proposal.number
    known = decisions.values.get(key, {})
    value, state, values = known.get(number), TrialState.RUNNING, None
    curve: Mapping[int, float] = {}
    if number in decisions.pruned.get(key, ()):
        state, curve = TrialState.PRUNED, stop.curve if stop is not None else {}
    elif value is not None:
        state, values = TrialState.COMPLETE, (value, *decisions.others.get(key, {}).get(number, ()))
    elif number in known:
        state = TrialState.FAIL
    return create_trial(
        state=state,
        values=values,
        params={name: _plain(domains[name], value) for name, value in tried.items()},
        distributions={name: _readable(domains[name]) for name in tried},
        user_attrs={} if population is None else _lineage(population, proposal),
        intermediate_values=dict(curve),
    )


def _lineage(population: Population, proposal: Proposal) -> dict[str, Any]:
    """Which member it is, and of which trial it goes on from the end; None of one that begins."""
    parent, number = proposal.notes.get(PARENT), proposal.number
    return {
        "generation": population.generation(number),
        "member": population.member(number),
        "goes on from trial": None if parent is None else parent - 1,
        "trained until epoch": proposal.settings[population.length],
    }


def _readable(domain: Domain) -> BaseDistribution:
    """A domain by its own values, where sampling takes their numbers."""
    if isinstance(domain, OneOf):
        return CategoricalDistribution([_plain(domain, one) for one in domain.values])
    return distribution(domain)


def _plain(domain: Domain, value: Any) -> Any:  # noqa: ANN401  # plain values of any sort
    """A value as Optuna keeps it: of some values a list as text."""
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return value if is_plain or not isinstance(domain, OneOf) else json.dumps(value)


def _goes_on(known: Sequence[FrozenTrial], wanted: Sequence[FrozenTrial]) -> bool:
    """Whether what a study has is the beginning of what it is to have."""
    return len(known) <= len(wanted) and all(
        one.params == other.params
        and one.user_attrs == other.user_attrs
        and (
            one.state == TrialState.RUNNING
            or (one.state == other.state and one.values == other.values)
        )
        for one, other in zip(known, wanted, strict=False)
    )


def _add(
    study: Study,
    storage: BaseStorage,
    known: Sequence[FrozenTrial],
    wanted: Sequence[FrozenTrial],
) -> None:
    """Add trials that are new, and the end of those that were under way."""
    for one in wanted[len(known) :]:
        study.add_trial(one)
    for one, other in zip(known, wanted, strict=False):
        if one.state == TrialState.RUNNING != other.state:
            for step, value in other.intermediate_values.items():
                storage.set_trial_intermediate_value(one._trial_id, step, value)
            storage.set_trial_state_values(one._trial_id, other.state, other.values)


def _first_line(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
