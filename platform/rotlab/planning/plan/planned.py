"""A search-space file with all that was made of it: what commands that take a FILE begin with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rotlab.planning.datasets import DatasetInfo, data_root, find_datasets
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.imagined import NothingFitsError, imagine
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planner import Planner
from rotlab.planning.plan.weights import find_weights
from rotlab.planning.space.looks import imagined
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.spec import Spec, load_spec
from rotlab.planning.stage import StageKind


@dataclass(frozen=True, slots=True)
class Planned:
    """A file's search space and plan, with the kinds and data sets that it was planned for.

    Args:
        spec: what the file asks for.
        kinds: all registered stage kinds.
        root: folder that the data sets were looked for in.
        datasets: those that the file names, its weights among them.
        planner: makes its plan, for whatever its searches and looks have decided.
        plan: what there is to do.
        foreseen: key of a search that has hours -> how many proposals it is thought to make in
            all, None where nobody knows.
    """

    spec: Spec
    kinds: Mapping[str, StageKind]
    root: Path | str
    datasets: Mapping[str, DatasetInfo]
    planner: Planner
    plan: Plan
    foreseen: Mapping[str, int | None] = field(default_factory=dict)

    def imagined(
        self,
        decisions: Decisions,
        *,
        most: bool = True,
        tries: Mapping[str, int] | None = None,
    ) -> "Planned":
        """Return the same with the plan as it may be once all is decided: for what it costs.

        Args:
            decisions: those that were made.
            most: whether arms that are open go on to the last look, or stop at the next one.
            tries: key of a search -> how many proposals it makes, where that is foreseen.

        Raises:
            SpecError: whatever a search may try breaks a rule.
        """
        looks = {
            key: imagined(family, decisions.looks.get(key, ()), most=most)
            for key, family in self.plan.families.items()
        }
        search = self.spec.search
        if search is not None:
            try:
                decisions = imagine(self.plan.tunings, search, decisions, self.planner.fits, tries)
            except NothingFitsError as error:
                said = f"no settings go together: all that were tried break a rule, as {error}"
                problem = self.spec.problem(said, "search.settings")
                raise SpecError(self.spec.path, [problem]) from error
        return self.decided(replace(decisions, looks=looks))

    def decided(self, decisions: Decisions) -> "Planned":
        """Return the same with the plan as it is once searches and looks have decided so."""
        grows = self.plan.tunings or self.plan.families
        return replace(self, plan=self.planner.plan(decisions)) if grows else self


def plan_file(path: Path, data: Path | str | None) -> Planned:
    """Read a search space and plan it.

    Args:
        path: of the file.
        data: folder of prepared data sets; None takes $ROTLAB_DATA, else ./data.

    Raises:
        UserError: the file, a stage kind or a data set is not in order.
    """
    kinds = load_kinds()
    spec = load_spec(path, kinds)
    root = data_root(data)
    datasets = find_all(spec, root)
    planner = Planner(spec, kinds, datasets)
    return Planned(spec, kinds, root, datasets, planner, planner.plan(Decisions()))


def find_all(spec: Spec, root: Path | str) -> dict[str, DatasetInfo]:
    """Return what is known of all data sets, and the weights, that a search space names.

    Raises:
        DataError: a folder below the root is not what it is named as.
    """
    found = find_datasets(spec.datasets, root)
    if spec.weights is not None:
        found[spec.weights] = find_weights(spec.weights, root)
    return found
