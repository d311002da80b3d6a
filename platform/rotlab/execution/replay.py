"""A study told to MLflow from its journal and its records, without running it."""

from rotlab.execution.store import Store
from rotlab.execution.study import SavedStudy
from rotlab.execution.telling import tell_end, tell_start, untold
from rotlab.planning.plan import Plan
from rotlab.tracking.journal import Journal
from rotlab.tracking.past import look_back
from rotlab.tracking.tracker import Tracker
from rotlab.tracking.uri import artifact_root, check_tracking_uri

_CLOSE_S = 120.0


def replay(store: Store, study: SavedStudy, plan: Plan, uri: str) -> tuple[int, str]:
    """Bring MLflow up to a study; return how many events it did not take, and why.

    Args:
        store: that holds the study; nobody runs it.
        study: its last revision.
        plan: of that.
        uri: MLflow's tracking URI.

    Raises:
        UserError: if MLflow cannot be expected to take runs there, or a journal is damaged.
    """
    check_tracking_uri(uri)
    journal = Journal(store.journal_path(study.name))
    tracker = Tracker(plan, journal, uri, artifact_root(store.root, uri), study.revision)
    tracker.start()
    records = store.records(plan.stages.values())
    past = look_back(journal.read())
    reused = untold(records.values(), past)
    is_done = len(records) == len(plan.stages) and plan.is_decided
    if reused or past.is_ended != is_done:
        tell_start(tracker, study, reused)
        tell_end(tracker, "FINISHED" if is_done else "KILLED")
    unsent = tracker.close(_CLOSE_S)
    journal.close()
    return unsent, tracker.problem or ""
