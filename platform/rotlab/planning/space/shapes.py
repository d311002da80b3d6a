"""The shapes of a search space's cells, each made once, and which axes make a difference there."""

from collections.abc import Mapping

from rotlab.planning.space.shape import ImpossibleError, Shape, shape_of
from rotlab.planning.space.spec import Spec
from rotlab.planning.stage import StageKind


class Shapes:
    """The shapes of a search space's cells, each made once."""

    def __init__(self, spec: Spec, kinds: Mapping[str, StageKind]) -> None:
        self._spec = spec
        self._kinds = kinds
        self._made: dict[tuple[str, ...], Shape | ImpossibleError] = {}
        self._alike: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._live: dict[tuple[str, ...], tuple[str, ...]] = {}

    def get(self, choices: Mapping[str, str]) -> Shape | ImpossibleError:
        """Return the shape for a measure, init and modality, or why there is none."""
        known = tuple(choices.values())
        if known not in self._made:
            try:
                self._made[known] = shape_of(**choices, kinds=self._kinds)
            except ImpossibleError as error:
                self._made[known] = error
        return self._made[known]

    def live_axes(self, choices: Mapping[str, str]) -> tuple[str, ...]:
        """Return the axes that make a difference to such cells, in the search space's order."""
        known = tuple(choices.values())
        if known not in self._live:
            shape = self.get(choices)
            self._live[known] = tuple(
                axis for axis in self._spec.axes if isinstance(shape, Shape) and shape.reads(axis)
            )
        return self._live[known]

    def alike(self, choices: Mapping[str, str]) -> tuple[str, ...]:
        """Return all inits of the search space that are the same work as this one, in its order."""
        known = tuple(choices.values())
        if known not in self._alike:
            self._alike[known] = tuple(
                init
                for init in self._spec.values("init")
                if self._work({**choices, "init": init}) == self._work(choices)
            )
        return self._alike[known]

    def _work(self, choices: Mapping[str, str]) -> object:
        shape = self.get(choices)
        return shape.work() if isinstance(shape, Shape) else None
