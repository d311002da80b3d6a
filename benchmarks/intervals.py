"""Do the intervals hold? Coverage and family-wise error of what `rotlab results` prints.

    python benchmarks/intervals.py [--runs 2000] [--seed 0]

Studies are drawn from a crossed generator: effects of the pretraining's seed (of arms that share a
pretraining, the same), of the fine-tuning's seed, of split x arm, of groups of test videos and
groups x arm, and binomial test videos; with equal and unequal spread of arms, without and with
missing cells, 3 to 10 seeds. No arm differs from the baseline by its own, so every difference that
is called one is an error. Beside it, on the same draws, what is often done instead: the paired
t-test over an arm's cells, seeds times splits.

"covers" is the share of 95 % intervals that hold the truth, over all differences and for the worst
kind of arm; "family error" the share of studies in which any of their differences is called one.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from rotlab.reporting.spread import spread_of
from rotlab.reporting.statistics import FEWEST, Difference, p_value, two_sided_error
from rotlab.reporting.videos import Judged, TestSet, with_test_set

Array = NDArray[np.float64]
LEVEL = 0.05
SPLITS, GROUPS = 3, 16  # groups of test videos in each split
PRETRAIN, TUNE, SPLIT_ARM, SPLIT, GROUP = 0.04, 0.015, 0.015, 0.03, 0.06
SCALES = (0.5, 1.0, 2.0)  # of the seeds' effects, by arm, where arms spread unequally
CHUNK = 100


@dataclass(frozen=True, slots=True)
class Design:
    """What is drawn.

    Args:
        seeds: of each arm.
        arms: with the baseline, which is the first.
        unequal: whether arms spread unequally.
        missing: share of cells that have no result.
        shared: whether all arms go on from one pretraining for each seed.
        tunings: fine-tunings of each pretraining.
        group_arm: how far a group of test videos lies better to one arm than to another.
    """

    seeds: int
    arms: int = 24
    unequal: bool = False
    missing: float = 0.0
    shared: bool = False
    tunings: int = 1
    group_arm: float = 0.03

    @property
    def scales(self) -> Array:
        """Of the seeds' effects, (A,)."""
        return np.resize(SCALES if self.unequal else (1.0,), self.arms)


@dataclass(frozen=True, eq=False)
class Studies:
    """Drawn studies.

    Args:
        right: (N, A, R, T, S, G) how many videos of a group are right; NaN: the cell is missing.
        videos: (N, S, G) how many there are.
        truth: (N, A) each arm's accuracy over all trainings, on these splits and videos.
        elsewhere: (N, A) likewise on all videos of the kind.
    """

    right: Array
    videos: Array
    truth: Array
    elsewhere: Array

    @property
    def cells(self) -> Array:
        """Accuracies, (N, A, R, T, S)."""
        return self.right.sum(axis=-1) / self.videos.sum(axis=-1)[:, None, None, None]

    @property
    def chains(self) -> Array:
        """Independent values, (N, A, R): means over splits and tunings; NaN where one is missing.

        A tuning that lacks a split does not count; a chain is the mean of those that do.
        """
        tunings = self.cells.mean(axis=-1)
        known = ~np.isnan(tunings)
        with np.errstate(invalid="ignore"):
            return np.where(known, tunings, 0.0).sum(axis=-1) / known.sum(axis=-1)


def draw(design: Design, runs: int, rng: np.random.Generator) -> Studies:
    """Return studies in which no arm differs from another but by split and group."""
    a, r, t = design.arms, design.seeds, design.tunings
    scale = design.scales[:, None, None, None, None]
    pretrain = rng.normal(0, PRETRAIN, (runs, 1 if design.shared else a, r, 1, 1, 1))
    tune = rng.normal(0, TUNE, (runs, a, r, t, SPLITS, 1))
    seeds = pretrain + tune * scale if design.shared else (pretrain + tune) * scale
    split_arm = rng.normal(0, SPLIT_ARM, (runs, a, 1, 1, SPLITS, 1))
    split = rng.normal(0, SPLIT, (runs, 1, 1, 1, SPLITS, 1))
    group = rng.normal(0, GROUP, (runs, 1, 1, 1, SPLITS, GROUPS))
    group_arm = rng.normal(0, design.group_arm, (runs, a, 1, 1, SPLITS, GROUPS))
    fixed = 0.5 + split_arm + split + group + group_arm
    videos = rng.integers(5, 31, (runs, SPLITS, GROUPS))
    wide = np.broadcast_to(videos[:, None, None, None], (runs, a, r, t, SPLITS, GROUPS))
    right = rng.binomial(wide, np.clip(fixed + seeds, 0, 1)).astype(float)
    right[rng.random(right.shape[:-1]) < design.missing] = np.nan
    weights = videos / videos.sum(axis=-1, keepdims=True)
    truth = (fixed[:, :, 0, 0] * weights[:, None]).sum(axis=-1).mean(axis=-1)
    elsewhere = (0.5 + split_arm + split)[:, :, 0, 0, :, 0].mean(axis=-1)
    return Studies(right, videos.astype(float), truth, elsewhere)


def chunks(design: Design, runs: int, rng: np.random.Generator) -> Iterator[Studies]:
    """Yield so many studies, not all at once."""
    for start in range(0, runs, CHUNK):
        yield draw(design, min(CHUNK, runs - start), rng)


@dataclass(frozen=True, eq=False)
class Judgement:
    """Differences to the first arm: (N, A - 1) each; NaN where there is no test."""

    difference: Array
    error: Array
    freedom: Array

    @property
    def p(self) -> Array:
        """Of no difference."""
        return p_value(self.difference / self.error, self.freedom)

    def covers(self, truth: Array) -> Array:
        """Whether intervals hold the truth, (N, A - 1); NaN where there is none."""
        half = stats.t.ppf(1 - LEVEL / 2, self.freedom) * self.error
        return np.where(np.isnan(half), np.nan, np.abs(self.difference - truth) <= half)


def judge(values: Array, *, shared: bool) -> Judgement:
    """Return what `rotlab results` would make of independent values, (N, A, R), of many studies."""
    if shared:  # every chain has its counterpart: paired
        differences = values[:, 1:] - values[:, :1]
        n = (~np.isnan(differences)).sum(axis=-1)
        mean, variance = _moments(differences)
        tested = np.where(n >= FEWEST, 1.0, np.nan)
        return Judgement(mean, np.sqrt(variance / n) * tested, (n - 1) * tested)
    n = (~np.isnan(values)).sum(axis=-1)
    mean, variance = _moments(values)
    spread = spread_of(variance, n)
    errors, freedoms = [], []
    for arm in range(1, values.shape[1]):
        both = [arm, 0]
        error, freedom = two_sided_error(variance[:, both], n[:, both], spread, (arm, 0))
        tested = np.where(n[:, both].min(axis=-1) >= FEWEST, 1.0, np.nan)
        errors.append(error * tested)
        freedoms.append(freedom * tested)
    return Judgement(mean[:, 1:] - mean[:, :1], np.stack(errors, 1), np.stack(freedoms, 1))


def naive(cells: Array) -> Array:
    """Return p-values of the paired t-test over all cells: (N, A, R, T, S) -> (N, A - 1)."""
    flat = cells.reshape(*cells.shape[:2], -1)
    differences = flat[:, 1:] - flat[:, :1]
    n = (~np.isnan(differences)).sum(axis=-1)
    mean, variance = _moments(differences)
    return p_value(mean / np.sqrt(variance / n), n - 1)


def any_called(p: Array) -> NDArray[np.bool_]:
    """Whether any difference of a study, (N, M), is called one after Holm's correction.

    That is so where the smallest p-value is at most 5 % over their number: Holm's first step.
    """
    number = (~np.isnan(p)).sum(axis=1)
    return (number > 0) & (np.where(np.isnan(p), 1.0, p).min(axis=1) * number <= LEVEL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of 1: coverage in all and of the worst kind of arm; family-wise error; the naive's."""

    covers: float
    worst: float
    family_error: float
    naive_error: float
    naive_family_error: float


def simulate(design: Design, runs: int, rng: np.random.Generator) -> Outcome:
    """Return how the intervals and tests of one design do.

    Errors are of no true difference: the truth of an arm, which splits and test videos make differ
    by chance, is taken off first.
    """
    covers, errors, naives = [], [], []
    for studies in chunks(design, runs, rng):
        truth = studies.truth[:, 1:] - studies.truth[:, :1]
        covers.append(judge(studies.chains, shared=design.shared).covers(truth))
        level = studies.truth[..., None, None, None]
        even = np.where(np.isnan(studies.chains), np.nan, studies.chains - level[..., 0, 0])
        errors.append(judge(even, shared=design.shared).p)
        naives.append(naive(studies.cells - level))
    held, p, p_naive = np.concatenate(covers), np.concatenate(errors), np.concatenate(naives)
    kinds = [held[:, design.scales[1:] == scale] for scale in np.unique(design.scales[1:])]
    return Outcome(
        covers=float(np.nanmean(held)),
        worst=min(float(np.nanmean(kind)) for kind in kinds),
        family_error=float(any_called(p).mean()),
        naive_error=float(np.nanmean(p_naive[~np.isnan(p_naive)] <= LEVEL)),
        naive_family_error=float(any_called(p_naive).mean()),
    )


def simulate_videos(design: Design, runs: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return how often the interval for other videos holds the truth, and that of seeds alone."""
    wide, plain = [], []
    for studies in chunks(design, runs, rng):
        truth = studies.elsewhere[:, 1] - studies.elsewhere[:, 0]
        judged = judge(studies.chains, shared=design.shared)
        plain.append(judged.covers(truth[:, None])[:, 0])
        half = stats.t.ppf(1 - LEVEL / 2, judged.freedom) * judged.error
        for run, (middle, reach) in enumerate(
            zip(judged.difference[:, 0], half[:, 0], strict=True)
        ):
            known = Difference(
                middle,
                (design.seeds, design.seeds),
                middle - reach,
                middle + reach,
                freedom=judged.freedom[run, 0],
            )
            sides = [
                Judged(*_apart(studies.right[run, arm, :, 0], studies.videos[run]))
                for arm in (1, 0)
            ]
            found = with_test_set(known, TestSet.of(sides[0], sides[1], rng, draws=400))
            low, high = found.low, found.high
            wide.append(low is not None and high is not None and low <= truth[run] <= high)
    return float(np.mean(wide)), float(np.mean(np.concatenate(plain)))


def _apart(right: Array, videos: Array) -> tuple[Array, Array]:
    """Groups of one split are none of another: (R, S, G), (S, G) -> (R, S, S G), (S, S G)."""
    splits, groups = videos.shape
    wide = np.zeros((len(right), splits, splits * groups))
    counts = np.zeros((splits, splits * groups))
    for split in range(splits):
        place = slice(split * groups, (split + 1) * groups)
        wide[:, split, place], counts[split, place] = right[:, split], videos[split]
    return wide, counts


def _moments(values: Array) -> tuple[Array, Array]:
    """Return mean and variance (n - 1) over the last axis, of what is known there."""
    known = ~np.isnan(values)
    n = known.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(axis=-1) / n
        off = np.where(known, values - mean[..., None], 0.0)
        return mean, (off**2).sum(axis=-1) / np.where(n > 1, n - 1, np.nan)


def designs() -> dict[str, Design]:
    """Return what is simulated, by name."""
    found = {}
    for seeds in (3, 5, 10):
        for unequal in (False, True):
            for missing in (0.0, 0.05):
                name = f"{seeds} seeds, {'unequal' if unequal else 'equal'} spread"
                name += ", 5 % of cells missing" if missing else ""
                found[name] = Design(seeds, unequal=unequal, missing=missing)
        found[f"{seeds} seeds, arms share pretrainings"] = Design(
            seeds, unequal=True, missing=0.05, shared=True
        )
        found[f"{seeds} pretrainings, 2 fine-tunings of each"] = Design(seeds, tunings=2)
    return found


def main() -> None:
    """Print coverage and errors of every design."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="studies a design (default: 2000)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    print(f"{args.runs} studies a line; 23 differences to one baseline, 3 splits\n")
    print(f"{'':44} {'covers':>6} {'worst':>6} {'family':>6}   over cells, paired:")
    print(f"{'':44} {'%':>6} {'%':>6} {'error':>6} {'error':>7} {'family':>6}")
    for name, design in designs().items():
        got = simulate(design, args.runs, rng)
        print(
            f"{name:44} {100 * got.covers:6.1f} {100 * got.worst:6.1f} "
            f"{100 * got.family_error:6.1f} {100 * got.naive_error:7.1f} "
            f"{100 * got.naive_family_error:6.1f}",
            flush=True,
        )
    print(f"\n{'for other test videos, two arms':44} {'covers':>6}   seeds' interval alone covers")
    for seeds in (3, 5, 10):
        for unequal in (False, True):
            wide, plain = simulate_videos(
                Design(seeds, arms=2, unequal=unequal, group_arm=0.12), args.runs, rng
            )
            name = f"{seeds} seeds, {'unequal' if unequal else 'equal'} spread"
            print(f"{name:44} {100 * wide:6.1f}   {100 * plain:6.1f}", flush=True)


if __name__ == "__main__":
    main()
