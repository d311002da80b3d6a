"""Which settings mattered in a search, from what it tried: Optuna's PED-ANOVA."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from rotlab.execution.search.sampling import as_trial
from rotlab.planning.plan.decisions import Proposal, Tuning
from rotlab.planning.plan.fronts import arms_of
from rotlab.planning.plan.serial_searches import searches_from_json
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.ranges import Domain
from rotlab.planning.space.search import Search
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import StageKind
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy

FEWEST = 20  # proposals with a value
_BEST = 5  # of them, at least, are held against all: fewer make no density
_SHARE = 0.1  # of them, where that is more


@dataclass(frozen=True, slots=True)
class Importance:
    """What a search tells of its settings.

    Args:
        name: of the search, in words.
        tried: proposals that have a value.
        shares: setting -> its share, summing to 1, the largest first; empty where nothing is told.
        why: nothing is told, where that is so.
    """

    name: str
    tried: int
    shares: Mapping[str, float]
    why: str = ""


def importances(
    store: Store, study: SavedStudy, kinds: Mapping[str, StageKind]
) -> list[Importance]:
    """Return what each search of a study tells that has ended.

    Raises:
        UserError: if a decision of one cannot be read.
    """
    tunings: Mapping[str, Tuning] = searches_from_json(study.plan).get("tunings", {})
    if not tunings:
        return []
    search = search_of(study, kinds)
    decisions = DecisionBook(store.root).read(tunings)
    found = []
    for key, winner in decisions.winners.items():
        tuning = tunings[key]
        name = arms_of(tuning)
        if winner.pruned:
            name += f" ({len(winner.pruned)} of {winner.proposals} stopped before their end)"
        values = {number: value for number, value in winner.values.items() if value is not None}
        if tuning.population is not None:
            why = "the members of a population change their settings on the way"
            found.append(Importance(name, len(values), {}, why))
            continue
        if search is None:
            why = "the files that its search space includes are not at hand, and so no ranges"
            found.append(Importance(name, len(values), {}, why))
            continue
        domains = {setting: search.settings[setting] for setting in tuning.settings}
        proposed = {one.number: one for one in decisions.proposed(key)}
        tried = [(proposed[number], value) for number, value in values.items()]
        found.append(importance(name, domains, tried, maximize=search.maximizes))
    return found


def search_of(study: SavedStudy, kinds: Mapping[str, StageKind]) -> Search | None:
    """Return what a study's file says of its search; None where it includes what is not here."""
    with TemporaryDirectory(prefix="rotlab-") as folder:
        path = Path(folder) / "space.yaml"
        path.write_text(study.text, encoding="utf-8")
        try:
            return load_spec(path, kinds).search
        except SpecError:
            return None


def importance(
    name: str,
    domains: Mapping[str, Domain],
    tried: Sequence[tuple[Proposal, float]],
    *,
    maximize: bool,
) -> Importance:
    """Return which settings tell the best proposals from all, of those that all proposals have.

    Args:
        name: of the search, in words.
        domains: setting -> what it may be.
        tried: proposals with their values.
        maximize: whether more is better.
    """
    domains = {setting: one for setting, one in domains.items() if not one.when}
    if len(domains) < 2:
        return Importance(name, len(tried), {}, "it has one setting only that all tries have")
    if len(tried) < FEWEST:
        why = f"{len(tried)} proposals have a value, and fewer than {FEWEST} tell nothing"
        return Importance(name, len(tried), {}, why)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize" if maximize else "minimize")
    for proposal, value in tried:
        study.add_trial(as_trial(proposal, domains, value, is_told=True))
    share = max(_SHARE, _BEST / len(tried))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_param_importances(
            study, evaluator=PedAnovaImportanceEvaluator(target_quantile=share)
        )
    return Importance(name, len(tried), found)
