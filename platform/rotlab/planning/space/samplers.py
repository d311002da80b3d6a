"""The samplers that a search may propose by, and their options. Which values, others decide."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report

NAME = "name"
COUNT, FLAG, SCALE = "a whole number above 0", "true or false", "a finite number above 0"
SHARE, PAIR = "a number from 0 to 1", "a whole number above 1"
POPULATION = "a whole number above 3"  # CMA-ES divides by zero with 2 and 3, and fails with 1
# As Optuna's samplers of these names have them; grid and random have none.
OPTIONS: Mapping[str, Mapping[str, str | tuple[str, ...]]] = {
    "tpe": {
        "n_startup_trials": COUNT,
        "n_ei_candidates": COUNT,
        "prior_weight": SCALE,
        "multivariate": FLAG,
        "group": FLAG,
        "constant_liar": FLAG,
    },
    "gp": {"n_startup_trials": COUNT, "deterministic_objective": FLAG},
    "cmaes": {
        "n_startup_trials": COUNT,
        "sigma0": SCALE,
        "popsize": POPULATION,
        "use_separable_cma": FLAG,
        "with_margin": FLAG,
        "lr_adapt": FLAG,
    },
    "qmc": {"qmc_type": ("sobol", "halton"), "scramble": FLAG},
    "nsgaii": {
        "population_size": PAIR,
        "mutation_prob": SHARE,
        "crossover_prob": SHARE,
        "swapping_prob": SHARE,
    },
    "random": {},
    "grid": {},
}
SINGLE = ("cmaes",)  # those that know one objective only
# Of how many tries a sampler draws at random before it proposes by their values: option, default.
RANDOM_AT_FIRST: Mapping[str, tuple[str, int]] = {
    "tpe": ("n_startup_trials", 10),
    "gp": ("n_startup_trials", 10),
    "nsgaii": ("population_size", 50),
}
# Options that Optuna refuses together, as it is only told when it first proposes.
CLASHES: tuple[tuple[str, Mapping[str, bool]], ...] = (
    ("tpe", {"group": True, "multivariate": False}),
    ("cmaes", {"use_separable_cma": True, "with_margin": True}),
    ("cmaes", {"lr_adapt": True, "use_separable_cma": True}),
    ("cmaes", {"lr_adapt": True, "with_margin": True}),
)


@dataclass(frozen=True, slots=True)
class Sampler:
    """How a search proposes.

    Args:
        name: of the sampler.
        options: of Optuna's sampler, those that are not its own defaults.
    """

    name: str = "tpe"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{name} {shown(value)}" for name, value in self.options.items())
        return f"{self.name} ({said})" if said else self.name


def read_sampler(report: Report) -> Sampler:
    """Return the sampler that a file names, tpe where it names none."""
    place = ("search", "sampler")
    if not report.has(place):
        return Sampler()
    given = report.get(place)
    name = given.get(NAME) if isinstance(given, dict) else given
    if not isinstance(name, str) or name not in OPTIONS:
        said = unknown("sampler", name, list(OPTIONS))
        is_nameless = isinstance(given, dict) and NAME not in given
        report.add(place, "needs a name, such as {name: tpe}" if is_nameless else said)
        return Sampler()
    if not isinstance(given, dict):
        return Sampler(name)
    allowed = OPTIONS[name]
    inside = report.mapping(place, (NAME, *allowed), f"option of {name}")
    options = {option: value for option, value in inside.items() if option != NAME}
    for option, value in options.items():
        if not _fits(allowed[option], value):
            rule = allowed[option]
            wanted = rule if isinstance(rule, str) else " or ".join(rule)
            report.add((*place, option), f"must be {wanted}, got {shown(value)}")
    for named, clash in CLASHES:
        if named == name and all(options.get(one) is value for one, value in clash.items()):
            said = " and ".join(f"{one}: {shown(value)}" for one, value in clash.items())
            report.add(place, f"{said} exclude each other; take one away")
    return Sampler(name, options)


def _fits(rule: str | tuple[str, ...], value: object) -> bool:
    if isinstance(rule, tuple):
        return value in rule
    if rule == FLAG:
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if rule == SCALE:
        return 0 < value <= sys.float_info.max
    if rule == SHARE:
        return 0 <= value <= 1
    return isinstance(value, int) and value > {POPULATION: 3, PAIR: 1}.get(rule, 0)
