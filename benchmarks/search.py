"""Does a search find as good settings as Ray's OptunaSearch, with as many tries?

    python benchmarks/search.py [--seeds 20] [--proposals 40] [--at-once 4] [--objectives bowl]

Four arms of a study each have a best setting of their own, known by construction. A try costs one
value: the truth at its settings, and noise of one standard deviation, that of a replicate. What a
search is worth is the truth at the settings that it calls the best.

Ours searches for each arm, and proposal k knows of 1 to k - at_once alone, told in order. The peers
are Ray's OptunaSearch, once for each arm, and once for all arms together with the arm as one more
category, which is what Ray offers for a grid of arms. Both hear of tries as they end, after random
times. All draw by TPE with Optuna's own options, and get the same noise for the same number of try.
"""

import argparse
import heapq
import logging
import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from ray import tune
from ray.tune.search.optuna import OptunaSearch
from scipy import stats

from rotlab.execution.search.sampling import propose
from rotlab.planning.plan.decisions import Proposal
from rotlab.planning.space.ranges import Domain, OneOf, Range
from rotlab.planning.space.samplers import Sampler

ARMS = 4
MOST_LOSS = 0.25  # standard deviations of a replicate: a loss that is called none


@dataclass(frozen=True, slots=True)
class Objective:
    """What is searched, and how good it truly is, in standard deviations of a replicate.

    Args:
        domains: setting -> what it may be.
        space: the same in Ray's words.
        truth: settings, arm -> how good; 0 at the best.
    """

    domains: Mapping[str, Domain]
    space: Mapping[str, Any]
    truth: Callable[[Mapping[str, Any], int], float]


def bowl(settings: Mapping[str, Any], arm: int) -> float:
    """Return how good a rate and a decay are: best at a rate and a decay of the arm's own."""
    rate = math.log10(settings["rate"]) + 3.2 - 0.6 * arm
    decay = math.log10(settings["decay"]) + 5.0 - 0.4 * arm
    return -4.0 * rate**2 - 0.8 * decay**2


def ridge(settings: Mapping[str, Any], arm: int) -> float:
    """Return how good they are where their product matters ten times as much as each alone."""
    rate = math.log10(settings["rate"]) + 3.2 - 0.6 * arm
    decay = math.log10(settings["decay"]) + 5.0 - 0.4 * arm
    return -4.0 * (rate + decay) ** 2 - 0.4 * (rate - decay) ** 2


def mixed(settings: Mapping[str, Any], arm: int) -> float:
    """Return how good they are: the best rate goes with the schedule, that with the arm."""
    schedule = ("flat", "step", "cosine").index(settings["schedule"])
    rate = math.log10(settings["rate"]) + 3.0 - 0.4 * schedule
    is_best = schedule == arm % 3
    return -3.0 * rate**2 - 2.0 * (not is_best) - 0.5 * abs(settings["stages"] - arm - 1)


_RATES = {"rate": Range(1e-5, 1.0, log=True), "decay": Range(1e-6, 1e-2, log=True)}
_RAY_RATES = {"rate": tune.loguniform(1e-5, 1.0), "decay": tune.loguniform(1e-6, 1e-2)}
_SCHEDULES = ["flat", "step", "cosine"]
OBJECTIVES = {
    "bowl": Objective(_RATES, _RAY_RATES, bowl),
    "ridge": Objective(_RATES, _RAY_RATES, ridge),
    "mixed": Objective(
        {
            "rate": Range(1e-5, 1.0, log=True),
            "schedule": OneOf(tuple(_SCHEDULES)),
            "stages": Range(0, 5, whole=True),
        },
        {
            "rate": tune.loguniform(1e-5, 1.0),
            "schedule": tune.choice(_SCHEDULES),
            "stages": tune.randint(0, 6),
        },
        mixed,
    ),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One study: its noise, and how many tries an arm has.

    Args:
        objective: what is searched.
        seed: of the study.
        proposals: of each arm.
        at_once: in flight.
    """

    objective: Objective
    seed: int
    proposals: int
    at_once: int

    def value(self, settings: Mapping[str, Any], arm: int, number: int) -> float:
        """Return what the arm's try of this number is told: the truth, and its noise."""
        noise = np.random.default_rng((self.seed, arm, number)).standard_normal()
        return self.objective.truth(settings, arm) + float(noise)


def ours(trial: Trial) -> list[float]:
    """Return, for each arm, the truth at the winner of its search."""
    found = []
    for arm in range(ARMS):
        made: list[tuple[Proposal, float]] = []
        for number in range(1, trial.proposals + 1):
            known = max(0, number - trial.at_once)
            proposal = propose(
                f"{trial.seed}/{arm}",
                number,
                trial.objective.domains,
                Sampler(),
                made[:known],
                [one for one, _ in made[known:]],
                maximize=True,
            )
            made.append((proposal, trial.value(proposal.settings, arm, number)))
        best, _ = max(made, key=lambda one: one[1])
        found.append(trial.objective.truth(best.settings, arm))
    return found


def for_each_arm(trial: Trial) -> list[float]:
    """Return the same of one OptunaSearch for each arm."""
    found = []
    for arm in range(ARMS):
        tries = _searched(trial, dict(trial.objective.space), trial.proposals, arm)
        best, _ = max(tries, key=lambda one: one[1])
        found.append(trial.objective.truth(best, arm))
    return found


def for_all_arms(trial: Trial) -> list[float]:
    """Return the same of one OptunaSearch with the arm as a category, and all arms' tries."""
    space = {**trial.objective.space, "arm": tune.choice(list(range(ARMS)))}
    tries = _searched(trial, space, ARMS * trial.proposals, None)
    found = []
    for arm in range(ARMS):
        of_arm = [one for one in tries if one[0]["arm"] == arm]
        if not of_arm:  # it was never tried: as good as a try at random
            found.append(trial.objective.truth(_searched(trial, space, 1, arm)[0][0], arm))
            continue
        best, _ = max(of_arm, key=lambda one: one[1])
        found.append(trial.objective.truth(best, arm))
    return found


def _searched(
    trial: Trial, space: dict[str, Any], tries: int, arm: int | None
) -> list[tuple[dict[str, Any], float]]:
    """Let Ray's OptunaSearch search, with tries that take random times; return all of them."""
    seed = trial.seed * ARMS + (arm or 0)
    search = OptunaSearch(space=space, metric="value", mode="max", seed=seed)
    chance = np.random.default_rng((seed, 1))
    flying: list[tuple[float, int, str, dict[str, Any], float]] = []
    done: list[tuple[dict[str, Any], float]] = []
    now = 0.0
    for number in range(1, tries + 1):
        if len(flying) == trial.at_once:
            now = _land(search, flying, done)
        name = f"t{number}"
        settings = search.suggest(name)
        if not isinstance(settings, dict):
            raise SystemExit(f"error: OptunaSearch proposed {settings!r}")
        of = settings["arm"] if arm is None else arm
        value = trial.value(settings, of, number)
        heapq.heappush(flying, (now + float(chance.exponential()), number, name, settings, value))
    while flying:
        _land(search, flying, done)
    return done


def _land(
    search: OptunaSearch,
    flying: list[tuple[float, int, str, dict[str, Any], float]],
    done: list[tuple[dict[str, Any], float]],
) -> float:
    now, _, name, settings, value = heapq.heappop(flying)
    search.on_trial_complete(name, {"value": value})
    done.append((settings, value))
    return now


PEERS = {"for each arm": for_each_arm, "for all arms": for_all_arms}


def main() -> None:
    """Search in all ways, and print the differences with their intervals."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--proposals", type=int, default=40, help="for each arm")
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    print(
        f"{args.seeds} studies of {ARMS} arms, {args.proposals} tries an arm, {args.at_once} in "
        "flight; in standard deviations of a replicate, below the best there is"
    )
    for name in args.objectives:
        studies = [
            Trial(OBJECTIVES[name], seed, args.proposals, args.at_once)
            for seed in range(args.seeds)
        ]
        our = [statistics.fmean(ours(study)) for study in studies]
        print(f"{name:6} ours {statistics.fmean(our):6.2f}")
        for peer, search in PEERS.items():
            theirs = [statistics.fmean(search(study)) for study in studies]
            differences = [mine - other for mine, other in zip(our, theirs, strict=True)]
            middle, error = statistics.fmean(differences), stats.sem(differences)
            low, high = stats.t.interval(0.95, len(differences) - 1, middle, error)
            verdict = "not worse" if low > -MOST_LOSS else "open"
            print(
                f"       OptunaSearch {peer} {statistics.fmean(theirs):6.2f}; ours {middle:+.2f} "
                f"[{low:+.2f}, {high:+.2f}]: {verdict} by {MOST_LOSS}",
                flush=True,
            )


if __name__ == "__main__":
    main()
