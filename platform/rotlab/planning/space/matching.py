"""Which combinations and arms of a search space meet its conditions."""

from collections.abc import Collection, Iterator, Mapping

from rotlab.planning.space.combinations import Holds
from rotlab.planning.space.conditions import Condition, When
from rotlab.planning.space.shapes import Shapes
from rotlab.planning.space.spec import Spec


class Matching:
    """The conditions of a search space, each made ready once.

    An axis that makes no difference to an arm is not there for a condition either.

    Args:
        spec: whose conditions they are.
        shapes: say which axes make a difference.
    """

    def __init__(self, spec: Spec, shapes: Shapes) -> None:
        self._spec = spec
        self._shapes = shapes
        self._made: dict[int, Condition] = {}  # by the identity of what the spec holds
        self._held: set[int] = set()
        self._inits = {init: index for index, init in enumerate(spec.values("init"))}

    def matches(self, when: When, chosen: Mapping[str, int], inits: Collection[str]) -> bool:
        """Say whether an arm meets a condition under any of some names of its init.

        Args:
            when: of an exclusion or an override of the search space.
            chosen: axis -> index of its value, of the axes that make a difference.
            inits: the names.
        """
        named = [self._inits[init] for init in inits]
        if "init" in chosen:
            chosen = {**chosen, "init": named[0]}
        return self._condition(when).holds(chosen, named)

    def conditions_of(self, measure: str) -> Holds:
        """Return what says whether a combination meets the condition of a factor."""
        inits, modalities = self._spec.values("init"), self._spec.values("modality")

        def holds(when: When, chosen: Mapping[str, int]) -> bool:
            init = inits[chosen.get("init", 0)]
            modality = modalities[chosen.get("modality", 0)]
            choices = {"measure": measure, "init": init, "modality": modality}
            live = self._shapes.live_axes(choices)
            seen = {axis: chosen[axis] for axis in when if axis in chosen and axis in live}
            met = bool(live) and self.matches(when, seen, self._shapes.alike(choices))
            if met:
                self._held.add(id(when))
            return met

        return holds

    def never_held(self) -> Iterator[str]:
        """Yield a warning for each condition of a factor that no combination has met."""
        for factor in self._spec.factors or ():
            for branch in factor.branches:
                if branch.when and id(branch.when) not in self._held:
                    where = branch.place.rpartition(".")[0]
                    yield (
                        f"{self._spec.line(branch.place)} {where}: its condition holds for no arm, "
                        "so these values are never taken"
                    )

    def _condition(self, when: When) -> Condition:
        if id(when) not in self._made:
            self._made[id(when)] = Condition(when, self._spec.axes, self._spec.choices)
        return self._made[id(when)]
