"""`rotlab sync`: bring MLflow to what a study's store and journal say."""

import argparse
import secrets
from collections.abc import Mapping

from rotlab.commands.options import add_artifacts, add_optuna, add_store, add_study, add_tracking
from rotlab.execution.conduct.replay import tell_rest
from rotlab.execution.search.importance import search_of
from rotlab.execution.search.optuna_copy import OptunaCopy
from rotlab.execution.search.optuna_storage import optuna_storage, shown
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.names import unknown
from rotlab.planning.stage import StageKind
from rotlab.store.shelf import artifact_root_of, shelf_of, tracking_uri_of
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Journal
from rotlab.tracking.rebuild import rebuild
from rotlab.tracking.tracker import JournalOnly
from rotlab.tracking.uri import check_tracking_uri
from rotnet.errors import UserError

DESCRIPTION = """\
Bring MLflow to what a study's store and journal say: an empty or new MLflow gets all of it, one
that lacks runs gets those, and what a run there has lost is put back. Runs are found by their key,
so nothing is there twice, however often this is done. Optuna's storage is brought up likewise.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab sync`."""
    parser.description = DESCRIPTION
    add_study(parser)
    add_store(parser)
    add_tracking(parser)
    add_artifacts(parser)
    add_optuna(parser)


def run(args: argparse.Namespace) -> int:
    """Bring MLflow up to a study; return 0.

    Raises:
        UserError: if there is no such study, nothing is known of it, somebody runs it, or MLflow
            does not take it.
    """
    store, kinds = Store.open(args.store), load_kinds()
    study = store.study(args.study)
    if study is None:
        said = unknown("study", args.study, store.studies())
        raise UserError(f"{said}; looked in {store.name}")
    uri = tracking_uri_of(store, args.tracking_uri)
    check_tracking_uri(uri)
    plan = study.load_plan(kinds)
    size = _complete(store, study, plan)
    configs = {name: kind.config for name, kind in kinds.items()}
    errand = Errand(
        plan,
        store.journal_path(study.name),
        uri,
        artifact_root_of(store, uri),
        study.revision,
        configs,
        size,
        shelf_of(store, args.artifacts),
        args.artifacts,
    )
    rebuilt = rebuild(errand)
    print(f"{study.name}: {rebuilt.made} runs made, {rebuilt.found} were there; MLflow: {uri}")
    storage = optuna_storage(args.optuna_storage, store.root)
    if plan.tunings and storage is not None:
        print(f"{study.name}: {_copy(storage, store, study, plan, kinds)}")
    return 0


def _copy(
    storage: str, store: Store, study: SavedStudy, plan: Plan, kinds: Mapping[str, StageKind]
) -> str:
    """Bring Optuna's storage up to the searches of a study; return what came of it."""
    search = search_of(study, kinds)
    if search is None:
        return "the files that its search space includes are not at hand, so Optuna is told nothing"
    OptunaCopy(storage, store.root, study.name, search, plan.tunings).bring_up()
    return f"{len(plan.tunings)} searches; Optuna: {shown(storage)}"


def _complete(store: Store, study: SavedStudy, plan: Plan) -> int:
    """Journal what the store knows beside it; return the journal's size.

    Raises:
        UserError: if somebody runs the study, or there is nothing to tell.
    """
    with store.driving(study.name, secrets.token_hex(6)) as other:
        if other is not None:
            raise UserError(
                f"{study.name} is being run by {other}, which writes to MLflow itself: "
                "sync once that has ended"
            )
        journal = Journal(store.journal_path(study.name))
        if not journal.size():
            results = len(store.records(plan.stages.values()))
            if not results:
                raise UserError(
                    f"{study.name} has no journal at {journal.path} and no result: there is "
                    "nothing to tell"
                )
            print(
                f"{study.name} has no journal: its {results} results are told as reused; attempts, "
                "failures and learning curves are not known"
            )
        tell_rest(JournalOnly(journal), store, study, plan)
        journal.close()
        return journal.size()
