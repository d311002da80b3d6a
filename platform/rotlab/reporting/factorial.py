"""Main effects and interactions of axes that vary together.

The unit is the independent chain. Where chains of different arms share a stage, such as one
pretraining under several fine-tunings, what is shared is a random effect, and the model is mixed;
else it is the ordinary analysis of variance of one linear model, balanced or not (type II).
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from numpy.typing import NDArray
from scipy.special import fdtrc
from statsmodels.stats.anova import anova_lm

from rotlab.reporting.arms import ArmSummary, as_text, varying_axes
from rotlab.reporting.chains import joint

FEWEST_FACTORS = 2
MOST_COLUMNS = 120  # of the linear model: of 300, with as many seeds, a mixed one takes 20 seconds


@dataclass(frozen=True, slots=True)
class Effect:
    """One main effect or interaction.

    Args:
        axes: one, or two that interact.
        freedom: of the numerator and of the denominator.
        f: the statistic.
        p: of it.
        share: partial eta squared; None in a mixed model, which has none.
    """

    axes: tuple[str, ...]
    freedom: tuple[int, int]
    f: float
    p: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Factorial:
    """What axes do, each and two by two.

    Args:
        effects: main effects first.
        chains: independent values they are judged by.
        groups: chains that share a stage with those of other arms are one; None where none does.
        arms: how many arms of the comparison are in it: those that have all the axes.
    """

    effects: tuple[Effect, ...]
    chains: int
    groups: int | None
    arms: int


def factorial(arms: Sequence[ArmSummary], axes: Sequence[str]) -> Factorial | None:
    """Return the effects of the axes on which arms differ; None where fewer than two vary together.

    It is None as well where values are too few to know their spread, and where some combination of
    the axes has none: an effect would then hang on which ones are missing. And where an axis has so
    many values that nobody would read the table for it (MOST_COLUMNS).
    """
    taken = _crossed(arms, axes)
    if taken is None:
        return None
    chosen, factors = taken
    rows, groups = _rows(chosen, factors)
    shares = len(set(groups)) < len(groups)
    names = [f"x{number}" for number in range(len(factors))]
    terms = [*((name,) for name in names), *combinations(names, 2)]
    formula = "value ~ " + " + ".join(":".join(f"C({name}, Sum)" for name in one) for one in terms)
    columns = sum(np.prod([rows[name].nunique() - 1 for name in one]) for one in terms)
    if columns > MOST_COLUMNS or len(rows) - columns - 1 < 1 or np.ptp(rows["value"]) == 0:
        return None
    by_name = dict(zip(names, factors, strict=True))
    found = _mixed(formula, rows, terms, groups) if shares else _ordinary(formula, rows)
    effects = tuple(
        Effect(tuple(by_name[name] for name in term), *numbers)
        for term, numbers in zip(terms, found, strict=True)
    )
    return Factorial(effects, len(rows), len(set(groups)) if shares else None, len(chosen))


def _crossed(
    arms: Sequence[ArmSummary], axes: Sequence[str]
) -> tuple[list[ArmSummary], tuple[str, ...]] | None:
    """The arms that have all of at least two axes and no other that varies, and those axes.

    All arms on the axes that all have; or, where further axes vary, those arms that have them all.
    """
    varying = varying_axes(arms, axes)
    for chosen in (list(arms), [arm for arm in arms if all(axis in arm.arm for axis in varying)]):
        factors = tuple(
            axis for axis in varying_axes(chosen, axes) if all(axis in arm.arm for arm in chosen)
        )
        held = {tuple(as_text(arm.arm[axis]) for axis in factors) for arm in chosen if arm.chains}
        levels = [{as_text(arm.arm[axis]) for arm in chosen} for axis in factors]
        whole = np.prod([len(one) for one in levels]) if levels else 0
        if len(factors) >= FEWEST_FACTORS and len(chosen) == len(held) == whole:
            return chosen, factors
    return None


def _rows(arms: Sequence[ArmSummary], factors: Sequence[str]) -> tuple[pd.DataFrame, list[int]]:
    """One row a chain, and which chains share a stage: a group is a number."""
    places = [(arm, chain) for arm in arms for chain in arm.chains]
    numbered = list(enumerate(places))
    groups = [0] * len(places)
    for group, members in enumerate(joint(numbered, lambda one: one[1][1].stages)):
        for place, _ in members:
            groups[place] = group
    rows = [
        {f"x{number}": as_text(arm.arm[axis]) for number, axis in enumerate(factors)}
        | {"value": chain.value}
        for arm, chain in places
    ]
    return pd.DataFrame(rows), groups


def _ordinary(
    formula: str, rows: pd.DataFrame
) -> Iterator[tuple[tuple[int, int], float, float, float]]:
    model = smf.ols(formula, rows).fit()
    table = anova_lm(model, typ=2)
    rest = float(table["sum_sq"].iloc[-1])
    for _, row in table.iloc[:-1].iterrows():
        share = float(row["sum_sq"]) / (float(row["sum_sq"]) + rest)
        freedom = (round(row["df"]), round(model.df_resid))
        yield freedom, float(row["F"]), float(row["PR(>F)"]), share


def _mixed(
    formula: str, rows: pd.DataFrame, terms: Sequence[tuple[str, ...]], groups: Sequence[int]
) -> Iterator[tuple[tuple[int, int], float, float, None]]:
    """Wald's F; degrees of freedom within or between groups, as Pinheiro and Bates (2000) count."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a variance of 0 is a finding here
        model = smf.mixedlm(formula, rows, groups=np.array(groups)).fit(reml=True)
    design = np.asarray(model.model.exog)
    within, between = _freedom(design, np.array(groups))
    columns_of = [frozenset(re.findall(r"\bx\d+\b", name)) for name in model.model.exog_names]
    for term in terms:
        columns = [place for place, held in enumerate(columns_of) if held == frozenset(term)]
        estimate = np.asarray(model.fe_params)[columns]
        covariance = np.asarray(model.cov_params())[np.ix_(columns, columns)]
        numerator = len(estimate)
        f = float(estimate @ np.linalg.solve(covariance, estimate)) / numerator
        varies = np.abs(_centred(design[:, columns], np.array(groups))).max() > 1e-9
        freedom = (numerator, max(within if varies else between, 1))
        yield freedom, f, float(fdtrc(*freedom, f)), None


def _freedom(design: NDArray[np.float64], groups: NDArray[np.int64]) -> tuple[int, int]:
    centred = _centred(design, groups)
    means = design - centred
    number = len(np.unique(groups))
    inner = int(np.linalg.matrix_rank(centred))
    return len(design) - number - inner, number - int(np.linalg.matrix_rank(means))


def _centred(design: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    means = pd.DataFrame(design).groupby(groups).transform("mean").to_numpy()
    return np.asarray(design - means)
