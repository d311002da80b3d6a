"""Do looks err seldom, and what do they save? Studies of 6 arms against a baseline.

    python benchmarks/adaptive.py [--runs 2000] [--seed 0]

Every study has values of held-out and of test videos, correlated by `SHARED` within a seed. Looks
decide by the first, through the code that a study runs by; the answer is that of `rotlab results`,
Holm over t-tests of the second, with as many seeds as the looks gave. Effects are in standard
deviations of a seed's values; no arm, one arm, three or all six have one.

"errs" is the share of studies in which anything is called a difference that is none: by looks, and
by the answer. "finds" is the share of true differences that are shown by looks. Beside it, on the
same draws, the fixed design that finds as many: the same seeds for all arms, Holm, at the number of
seeds, interpolated, that has the same share. "saved" is of its seeds, baseline included.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.intervals import judge
from rotlab.planning.space.looks import Family, Look, is_over, seeds_of
from rotlab.reporting.family import holm
from rotlab.reporting.looking import verdicts

Array = NDArray[np.float64]
LEVEL = 0.05
ARMS = 6  # beside the baseline
SHARED = 0.7  # correlation of a seed's values on held-out and on test videos
DESIGNS = ((3, 5, 7, 10), (4, 8, 12, 16, 20), (5, 10, 15, 20, 30))
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Design:
    """What is drawn.

    Args:
        looks: seeds of an open arm at each.
        effect: of the arms that have one.
        affected: how many of the 6 do.
        unequal: whether arms spread unequally, by 0.5, 1 and 2 in turn.
        shared: correlation of held-out and test values within a seed.
    """

    looks: tuple[int, ...]
    effect: float = 0.0
    affected: int = 0
    unequal: bool = False
    shared: float = SHARED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What looks do, in shares of 1.

    Args:
        errs: studies in which looks show what is not there.
        answer_errs: studies in which the answer does, on test videos.
        finds: true differences that looks show; NaN where there are none.
        seeds: mean number of an arm, the baseline among them.
        equal: seeds of the fixed design that finds as many; of the last look where none are true.
        most_finds: true differences that the fixed design of the last look finds.
    """

    errs: float
    answer_errs: float
    finds: float
    seeds: float
    equal: float
    most_finds: float

    @property
    def saved(self) -> float:
        """Of the seeds of the fixed design that finds as many."""
        return 1 - self.seeds / self.equal


def draw(design: Design, runs: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return values on held-out and on test videos, (N, A + 1, R) each; the baseline is first."""
    shape = (runs, ARMS + 1, design.looks[-1])
    held, own = rng.normal(size=shape), rng.normal(size=shape)
    test = design.shared * held + np.sqrt(1 - design.shared**2) * own
    scale = np.resize((1.0, 0.5, 2.0) if design.unequal else (1.0,), ARMS + 1)[None, :, None]
    effects = np.zeros(ARMS + 1)
    effects[1 : design.affected + 1] = design.effect
    return held * scale + effects[None, :, None], test * scale + effects[None, :, None]


def follow(values: Array, at: tuple[int, ...]) -> list[Look]:
    """Return the looks at one study, (A + 1, R)."""
    pairs = tuple((arm, 0) for arm in range(1, len(values)))
    family = Family("", "", "", "", ({},) * len(values), pairs, at)
    taken: list[Look] = []
    while not is_over(taken):
        numbers = seeds_of(family, taken)
        known = [arm[:n].tolist() for arm, n in zip(values, numbers, strict=True)]
        stages = [[NOTHING] * n for n in numbers]
        found = verdicts(family, known, stages, taken)
        taken.append(Look("", len(taken) + 1, found, tuple(map(tuple, known))))
    return taken


def simulate(design: Design, runs: int, rng: np.random.Generator) -> Outcome:
    """Return how looks of one design do."""
    held, test = draw(design, runs, rng)
    is_true = np.arange(1, ARMS + 1) <= (design.affected if design.effect else 0)
    shown = np.zeros((runs, ARMS), dtype=bool)
    given = np.full(test.shape, np.nan)
    for run, values in enumerate(held):
        taken = follow(values, design.looks)
        shown[run] = [one.outcome == "shown" for one in taken[-1].verdicts]
        for arm, own in enumerate(taken[-1].values):
            given[run, arm, : len(own)] = test[run, arm, : len(own)]
    finds = float(shown[:, is_true].mean()) if is_true.any() else float("nan")
    equal, most = float(design.looks[-1]), float("nan")
    if is_true.any():
        numbers = np.arange(3, design.looks[-1] + 1)
        shares = [float(called(held[:, :, :n])[:, is_true].mean()) for n in numbers]
        equal = float(np.interp(finds, np.maximum.accumulate(shares), numbers))
        most = shares[-1]
    return Outcome(
        errs=float(shown[:, ~is_true].any(axis=1).mean()),
        answer_errs=float(called(given)[:, ~is_true].any(axis=1).mean()),
        finds=finds,
        seeds=float((~np.isnan(given)).sum(axis=-1).mean()),
        equal=equal,
        most_finds=most,
    )


def called(values: Array) -> NDArray[np.bool_]:
    """Say which differences to the first arm `rotlab results` shows: (N, A + 1, R) -> (N, A)."""
    p = judge(values, shared=False).p
    return np.array([[one <= LEVEL for one in holm(row.tolist())] for row in p])


def designs(looks: Sequence[tuple[int, ...]] = DESIGNS) -> dict[str, Design]:
    """Return what is simulated, by name."""
    found = {}
    for at in looks:
        found[f"{at[0]}..{at[-1]}: no effect"] = Design(at)
        found[f"{at[0]}..{at[-1]}: no effect, unequal spread"] = Design(at, unequal=True)
        for effect in (0.5, 1.0, 2.0):
            for affected in (1, 3, 6):
                name = f"{at[0]}..{at[-1]}: {effect:g} sd in {affected} of {ARMS}"
                found[name] = Design(at, effect, affected)
    found["3..10: no effect, test as held out"] = Design((3, 5, 7, 10), shared=1.0)
    return found


def main() -> None:
    """Print errors, and what is saved, of every design."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="studies a design (default: 2000)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    listed = "; ".join(", ".join(map(str, at)) for at in DESIGNS)
    print(f"{args.runs} studies a line; looks at {listed}\n")
    print(f"{'':40} {'looks':>6} {'answer':>6} {'':>6} {'all':>6} {'':>6} {'fixed,':>6}")
    print(
        f"{'':40} {'err %':>6} {'err %':>6} {'find %':>6} {'find %':>6} {'seeds':>6} {'equal':>6} "
        f"{'saved':>6}"
    )
    for name, design in designs().items():
        got = simulate(design, args.runs, rng)
        shares = (got.errs, got.answer_errs, got.finds, got.most_finds)
        told = " ".join(f"{100 * one:6.1f}" for one in shares)
        print(
            f"{name:40} {told} {got.seeds:6.1f} {got.equal:6.1f} {100 * got.saved:5.0f}%",
            flush=True,
        )


if __name__ == "__main__":
    main()
