"""A study told to MLflow from its journal and its records, without running it."""

from collections.abc import Mapping

from rotlab.execution.conduct.listener import Listener
from rotlab.execution.conduct.telling import tell_end, tell_start, untold
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import StageKind
from rotlab.store.shelf import artifact_root_of, shelf_of
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy
from rotlab.tracking.journal import Journal
from rotlab.tracking.past import look_back
from rotlab.tracking.tracker import Tracker
from rotlab.tracking.uri import check_tracking_uri

_CLOSE_S = 120.0


def replay(
    store: Store, study: SavedStudy, kinds: Mapping[str, StageKind], uri: str
) -> tuple[int, str]:
    """Bring MLflow up to a study; return how many events it did not take, and why.

    Args:
        store: that holds the study; nobody runs it.
        study: its last revision.
        kinds: kind -> what it is.
        uri: MLflow's tracking URI.

    Raises:
        UserError: if MLflow cannot be expected to take runs there, or a journal is damaged.
    """
    check_tracking_uri(uri)
    plan = study.load_plan(kinds)
    journal = Journal(store.journal_path(study.name))
    configs = {name: kind.config for name, kind in kinds.items()}
    root, shelf = artifact_root_of(store, uri), shelf_of(store, "small")
    tracker = Tracker(plan, journal, uri, root, study.revision, configs, shelf)
    tracker.start()
    tell_rest(tracker, store, study, plan)
    unsent = tracker.close(_CLOSE_S)
    journal.close()
    return unsent, tracker.problem or ""


def tell_rest(listener: Listener, store: Store, study: SavedStudy, plan: Plan) -> None:
    """Tell what a study's journal does not know: results that are there, and that nobody runs it.

    A run that was killed has told no end; what it was at is told as killed.

    Args:
        listener: that journals what it hears.
        store: that holds the study; nobody runs it.
        study: its last revision.
        plan: of that.
    """
    past = look_back(Journal(store.journal_path(study.name)).read())
    records = store.records(plan.stages.values())
    reused = untold(records.values(), past)
    is_done = len(records) == len(plan.stages) and plan.is_decided
    if reused or past.is_open or past.is_ended != is_done:
        tell_start(listener, study, reused)
        tell_end(listener, "FINISHED" if is_done else "KILLED")
