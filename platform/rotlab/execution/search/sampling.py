"""What a search proposes next, by Optuna's samplers: equal knowledge gives equal answers.

Each proposal is drawn by a sampler of its own, seeded from the search and the proposal's number, in
a study rebuilt from what the proposal may know. So it depends neither on what ends first nor on how
often a run was broken off.
"""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial
from scipy.stats import qmc

from rotlab.execution.search.distinct import Told
from rotlab.planning.plan.decisions import Proposal
from rotlab.planning.space.points import all_points, applying, holds
from rotlab.planning.space.ranges import Domain, OneOf
from rotlab.planning.space.samplers import Sampler

_STATEFUL = ("cmaes", "nsgaii")  # find their state again in the notes of earlier proposals


def propose(
    tuning: str,
    number: int,
    domains: Mapping[str, Domain],
    sampler: Sampler,
    told: Sequence[tuple[Proposal, Told]],
    under_way: Sequence[Proposal],
    *,
    maximize: bool | tuple[bool, ...],
    again: int = 0,
) -> Proposal:
    """Return a proposal; the same one whenever it is asked with the same arguments.

    Args:
        tuning: key of the search.
        number: of the proposal, from 1.
        domains: setting -> what it may be.
        sampler: that proposes.
        told: proposals that it may know, in order, with their values, of each objective where there
            are several; None where one failed.
        under_way: those after them, whose values it may not know.
        maximize: whether more is better, of each objective where there are several.
        again: how often it was asked before for this number, and answered with what was known.
    """
    if sampler.name == "grid":
        return Proposal(tuning, number, _grid(tuning, number, domains))
    if sampler.name == "qmc":
        return Proposal(tuning, number, _quasi(tuning, number + again, domains, sampler.options))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {name: distribution(domain) for name, domain in domains.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            directions=_directions(maximize),
            sampler=_sampler(sampler, _seed(tuning, number, again)),
        )
        for proposal, value in told:
            study.add_trial(as_trial(proposal, domains, value, is_told=True))
        for proposal in under_way:
            study.add_trial(as_trial(proposal, domains, None, is_told=False))
        trial = study.ask()
        settings: dict[str, Any] = {}
        for name, domain in domains.items():
            if holds(domain, settings):
                settings[name] = _plain(domain, trial._suggest(name, distributions[name]))
    notes: dict[str, Any] = {}
    if sampler.name in _STATEFUL:
        notes = dict(study._storage.get_trial_system_attrs(trial._trial_id))
    return Proposal(tuning, number, settings, notes)


def _directions(maximize: bool | tuple[bool, ...]) -> list[StudyDirection]:
    """Which way is better, as Optuna has it, of each objective."""
    each = maximize if isinstance(maximize, tuple) else (maximize,)
    return [StudyDirection.MAXIMIZE if one else StudyDirection.MINIMIZE for one in each]


def _sampler(sampler: Sampler, seed: int) -> BaseSampler:
    options = dict(sampler.options)
    match sampler.name:
        case "tpe":
            if options.get("group"):  # which Optuna takes it for, and warns of several objectives
                options["multivariate"] = True
            return TPESampler(seed=seed, **options)
        case "gp":
            return GPSampler(seed=seed, warn_independent_sampling=False, **options)
        case "nsgaii":
            return NSGAIISampler(seed=seed, **options)
        case "cmaes":
            return CmaEsSampler(seed=seed, warn_independent_sampling=False, **options)
        case _:
            return RandomSampler(seed=seed)


def as_trial(
    proposal: Proposal,
    domains: Mapping[str, Domain],
    value: Told,
    *,
    is_told: bool,
) -> optuna.trial.FrozenTrial:
    """Return a proposal as Optuna has it: complete, failed where it has no value, or under way."""
    tried = {name: proposal.settings[name] for name in domains if name in proposal.settings}
    if not is_told:
        state = TrialState.RUNNING
    else:
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
    return create_trial(
        state=state,
        values=None if value is None else value if isinstance(value, tuple) else (value,),
        params={name: _drawn(domains[name], value) for name, value in tried.items()},
        distributions={name: distribution(domains[name]) for name in tried},
        system_attrs=dict(proposal.notes),
    )


def distribution(domain: Domain) -> BaseDistribution:
    """Return what Optuna draws from for a domain; of some values without an order their numbers."""
    if isinstance(domain, OneOf):
        return CategoricalDistribution(range(len(domain.values)))
    if domain.whole:
        step = int(domain.step or 1)
        high = int(domain.low) + step * (int(domain.high - domain.low) // step)
        return IntDistribution(int(domain.low), high, log=domain.log, step=step)
    number = domain.num_points
    high_end = domain.high if number is None else domain.nth(number - 1)
    return FloatDistribution(domain.low, high_end, log=domain.log, step=domain.step)


def _drawn(domain: Domain, value: Any) -> Any:  # noqa: ANN401  # plain values of any sort
    """What Optuna draws for a value: of some values without an order the index."""
    return domain.values.index(value) if isinstance(domain, OneOf) else value


def _plain(domain: Domain, drawn: Any) -> Any:  # noqa: ANN401  # plain values of any sort
    """The value that was drawn, in the setting's own form."""
    if isinstance(domain, OneOf):
        return domain.values[drawn]
    return int(drawn) if domain.whole else float(drawn)


def _grid(tuning: str, number: int, domains: Mapping[str, Domain]) -> dict[str, Any]:
    """The number-th point of a grid in an order that has no favourites."""
    points = list(all_points(domains))
    np.random.default_rng(_seed(tuning, 0)).shuffle(points)
    return points[number - 1]


def _quasi(
    tuning: str, number: int, domains: Mapping[str, Domain], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The number-th point of a sequence that fills the ranges evenly."""
    engines = {"sobol": qmc.Sobol, "halton": qmc.Halton}
    engine = engines[options.get("qmc_type", "sobol")](
        d=len(domains), scramble=options.get("scramble", True), rng=_seed(tuning, 0)
    )
    if number > 1:  # SciPy's Sobol cannot go forward by none
        engine.fast_forward(number - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a number of points that is no power of two
        (shares,) = engine.random(1)
    found = zip(domains.items(), shares, strict=True)
    return applying(domains, {name: domain.at(float(share)) for (name, domain), share in found})


def _seed(tuning: str, number: int, again: int = 0) -> int:
    text = f"{tuning}:{number}" + f":{again}" * (again > 0)
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
