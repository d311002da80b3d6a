"""The replicates of each arm, on every target."""

from collections.abc import Iterator, Sequence
from itertools import product

from rotlab.planning.arms import Arm
from rotlab.planning.chains import Replicate
from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.replicates import draws_by_chance
from rotlab.planning.spec import Spec


class Repeats:
    """The replicates of arms: those whose stages draw by chance alike have the same."""

    def __init__(self, spec: Spec, targets: Sequence[DatasetInfo]) -> None:
        self._spec = spec
        self._targets = targets
        self._made: dict[tuple[str, ...], list[tuple[Replicate, dict[str, int]]]] = {}

    def of(self, arm: Arm) -> list[tuple[Replicate, dict[str, int]]]:
        """Return the replicates of an arm, each with how it is written."""
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


def _written(replicate: Replicate) -> dict[str, int]:
    own = {f"seed.{kind}": seed for kind, seed in replicate.draw.by_kind.items()}
    split = {} if replicate.split is None else {"split": replicate.split}
    return {"seed": replicate.draw.seed, **split, **own}
