"""Studies of one small stage kind that grow, and runs of them."""

from pathlib import Path

from rotlab.execution.conduct.growth import Growth
from rotlab.execution.conduct.job import Job
from rotlab.execution.search.searches import Searches
from rotlab.planning.plan.planned import find_all
from rotlab.planning.plan.planner import Planner
from rotlab.planning.space.spec import Spec, load_spec
from rotlab.planning.stage import StageKind
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store


def study_of(store: Path, text: str, kind: StageKind) -> tuple[Spec, Planner]:
    """Return a study of this kind alone; its file is written beside the store."""
    store.parent.mkdir(parents=True, exist_ok=True)
    path = store.parent / f"{kind.name}s.yaml"
    path.write_text(text)
    kinds = {kind.name: kind}
    spec = load_spec(path, kinds)
    return spec, Planner(spec, kinds, find_all(spec, store.parent / "none"))


def searching_job_of(store: Path, text: str, kind: StageKind) -> Job:
    """Return a run of such a study that searches."""
    spec, planner = study_of(store, text, kind)
    assert spec.search is not None
    return job_of(store, text, kind, Searches(planner, spec.search, DecisionBook(store)))


def job_of(store: Path, text: str, kind: StageKind, growth: Growth) -> Job:
    """Return a run of such a study, on two cores."""
    return Job(
        growth.plan,
        {kind.name: kind},
        {kind.name: kind.resources},
        text,
        {},
        Store(store),
        cpus=2,
        gpus=0,
        searches=growth,
        options=("--store", str(store)),
    )
