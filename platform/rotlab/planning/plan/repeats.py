"""On what a plan's arms are repeated, cell by cell, and what cannot be so."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.plan.arms import Arm
from rotlab.planning.plan.chains import Replicate
from rotlab.planning.space.problems import Problem
from rotlab.planning.space.replicates import SEEDS, draws_by_chance
from rotlab.planning.space.shape import MODALITIES
from rotlab.planning.space.spec import Spec


class Repeats:
    """The replicates of arms: those whose stages draw by chance alike have the same.

    Args:
        spec: whose arms they are of.
        targets: its targets.
    """

    def __init__(self, spec: Spec, targets: Sequence[DatasetInfo]) -> None:
        self._spec = spec
        self._targets = targets
        self._made: dict[tuple[str, ...], list[tuple[Replicate, dict[str, int]]]] = {}

    def of(self, arm: Arm) -> list[tuple[Replicate, dict[str, int]]]:
        """Return the replicates of an arm, target by target, each with how it is written."""
        links = reversed(arm.shape.links)
        chain = tuple(link.kind.name for link in links if draws_by_chance(link.kind))
        if chain not in self._made:
            self._made[chain] = [
                (one, _written(one)) for target in self._targets for one in self._all(target, chain)
            ]
        return self._made[chain]

    def _all(self, target: DatasetInfo, chain: tuple[str, ...]) -> Iterator[Replicate]:
        splits: tuple[int | None, ...] = self._spec.replicates.splits or (1,)
        if target.num_splits == 0:
            splits = (None,)
        for draw, split in product(self._spec.replicates.draws(chain), splits):
            yield Replicate(target, draw, split)


def split_problems(spec: Spec, datasets: Mapping[str, DatasetInfo]) -> list[Problem]:
    """Return what is wrong with splits: none that a target does not have."""
    found = []
    asked = {"replicates.split": spec.replicates.splits or ()}
    if spec.search is not None:
        asked["search.split"] = spec.search.splits or ()
    for target, (place, splits) in product(spec.targets, asked.items()):
        known = datasets[target].num_splits
        for split in splits:
            if known and split > known:
                said = f"{target!r} has splits 1 to {known}, got {split}"
                found.append(spec.problem(said, place))
    return found


def seed_problems(spec: Spec) -> list[Problem]:
    """Return what is wrong with seeds.

    A member's own seed must be no other replicate's, or the two would share their networks.
    """
    found = []
    members = [member for name in spec.values("modality") for member in MODALITIES[name]]
    offsets = dict.fromkeys(one.seed_offset for one in members if one.seed_offset)
    for offset, seeds in product(offsets, spec.replicates.all_seeds):
        for seed in seeds:
            if seed + offset in seeds or seed + offset >= SEEDS:
                said = (
                    f"two networks of one modality have the seeds {seed} and {seed + offset}, "
                    + (
                        "which is another replicate's; take one away"
                        if seed + offset in seeds
                        else f"which must be below {SEEDS}; take a lower one"
                    )
                )
                found.append(spec.problem(said, "replicates.seed"))
    return found


def _written(replicate: Replicate) -> dict[str, int]:
    own = {f"seed.{kind}": seed for kind, seed in replicate.draw.by_kind.items()}
    split = {} if replicate.split is None else {"split": replicate.split}
    return {"seed": replicate.draw.seed, **split, **own}
