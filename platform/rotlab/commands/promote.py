"""`rotlab promote`: put an arm's network into MLflow's model registry."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from rotlab.commands.options import add_store, add_tracking
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.names import unknown
from rotlab.planning.stage import Cell
from rotlab.store.candidates import Candidate, best, candidate_of
from rotlab.store.find import NotFoundError, find_stage
from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.tracking.filtering import select
from rotlab.tracking.query import STAGES, results
from rotlab.tracking.registry import Entry, register, registered
from rotlab.tracking.roster import canonical
from rotlab.tracking.uri import check_tracking_uri
from rotnet.errors import UserError
from rotnet.evaluation.classifier import Classifier, open_classifier

DESCRIPTION = """\
Put a network into MLflow's model registry, to be loaded as models:/MODEL/VERSION. Of the cells that
--where selects it is the one that is best on videos held out of training; test videos are never
looked at. It takes clips as they come out of a video: uint8 or float32, (B, T, H, W, 3), RGB from 0
to 255; and gives (B, classes). Normalisation and DIF are inside. Loading takes torch and MLflow.
"""
_FORBIDDEN = "/:"
_TAG_CHARS = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab promote`."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "what",
        metavar="STUDY|KEY",
        help="a study, of which --where says which cells; or the key of a fine-tuning, a scoring "
        "or a fusion, or its first characters",
    )
    parser.add_argument(
        "--where", metavar="FILTER", help="as of `rotlab results`: \"init == 'rotation'\""
    )
    parser.add_argument("--name", metavar="MODEL", help="in the registry (default: the study's)")
    add_store(parser)
    add_tracking(parser)


def run(args: argparse.Namespace) -> int:
    """Register a network, or find it registered; return 0.

    Raises:
        UserError: if none is meant, or it has none to choose by, or MLflow does not take it.
    """
    store = Store.open(args.store, writing=False)
    uri = tracking_uri_of(store, args.tracking_uri)
    check_tracking_uri(uri)
    if args.name is not None and (not args.name.strip() or set(args.name) & set(_FORBIDDEN)):
        forbidden = " or ".join(_FORBIDDEN)
        raise UserError(
            f"--name: a model's name is not empty and has no {forbidden}: {args.name!r}"
        )
    study, plan, chosen, among = _chosen(args, store, uri)
    name = args.name or study
    print(_why(chosen, among))
    known = registered(uri, name, chosen.key)
    if known is None:
        cells = [cell for cell in plan.cells if cell.result in _results(chosen, plan)]
        made = register(uri, _entry(name, study, chosen, cells))
        print(f"registered: models:/{name}/{made}")
    else:
        print(f"it is registered: models:/{name}/{known}")
    print(f"MLflow: {uri}")
    return 0


def _chosen(args: argparse.Namespace, store: Store, uri: str) -> tuple[str, Plan, Candidate, int]:
    """The study, its plan, the network, and among how many it was chosen."""
    kinds = load_kinds()
    study = store.study(args.what)
    if study is None:
        if args.where:
            known = ", ".join(store.studies()) or "none"
            raise UserError(f"--where is for a study, and {args.what!r} is none ({known})")
        try:
            found, plan, key = find_stage(args.what, store, kinds)
        except NotFoundError:
            said = unknown("study", args.what, store.studies())
            raise UserError(
                f"{said}, and no stage's key begins so; looked in {store.name}"
            ) from None
        return found.name, plan, candidate_of(key, plan, store), 1
    plan = study.load_plan(kinds)
    frame = results(study.name, uri)
    if args.where:
        frame = select(frame, args.where)
    tuned = frame[frame["measure"] == "finetune"]
    frame = frame if tuned.empty else tuned  # what else was measured has no network of its own
    targets = list(dict.fromkeys(frame["target"]))
    if len(targets) > 1:
        raise UserError(
            f"networks for {', '.join(targets)} do not compare: choose between them, as with "
            f"--where \"target == '{targets[0]}'\""
        )
    keys = dict.fromkeys(held[-1] for held in frame[STAGES] if held)
    if any(key not in plan.stages for key in keys):
        raise UserError(f"{study.name} has grown since its plan was saved: `rotlab run` saves it")
    candidates = [candidate_of(key, plan, store) for key in keys if _is_done(key, plan, store)]
    return study.name, plan, best(candidates), len({one.key for one in candidates})


def _is_done(key: str, plan: Plan, store: Store) -> bool:
    return store.record(key, plan.stages[key].kind) is not None


def _why(chosen: Candidate, among: int) -> str:
    judged = (
        "with no held-out videos to judge it by"
        if chosen.value is None
        else f"{chosen.judged_by} {chosen.value:.4g}"
    )
    what = f"{chosen.kind} {chosen.key[:12]}: {judged}"
    return f"{what}, the best of {among}" if among > 1 else what


def _entry(name: str, study: str, chosen: Candidate, cells: Iterable[Cell]) -> Entry:
    network = open_classifier(chosen.folders, chosen.weights, of_logits=chosen.of_logits)
    clip = network.clip
    judged = {} if chosen.value is None else {"rotlab.chosen_by": chosen.judged_by}
    return Entry(
        name=name,
        study=study,
        key=chosen.key,
        module=network,
        clip=(clip.frames, clip.size, clip.size, 3),
        outputs=len(network.classes),
        metadata=_metadata(network, chosen),
        tags={
            "rotlab.study": study,
            "rotlab.kind": chosen.kind,
            "rotlab.arms": _arms(cells),
            **judged,
            **({"metric.held_out": f"{chosen.value:.6g}"} if chosen.value is not None else {}),
            **{f"metric.{metric}": f"{value:.6g}" for metric, value in chosen.metrics.items()},
        },
    )


def _results(chosen: Candidate, plan: Plan) -> set[str]:
    """The stages whose metrics are those of a network: its own, and its scoring."""
    children = plan.children(chosen.key)
    return {chosen.key, *(key for key in children if plan.stages[key].kind == "evaluate")}


def _arms(cells: Iterable[Cell]) -> str:
    """The arms that have their result from it, as many as a tag holds."""
    told = list(dict.fromkeys(canonical({**cell.arm, "target": cell.target}) for cell in cells))
    while sum(map(len, told)) + 2 * len(told) > _TAG_CHARS:
        told.pop()
    return f"[{', '.join(told)}]"


def _metadata(network: Classifier, chosen: Candidate) -> Mapping[str, object]:
    return {
        "key": chosen.key,
        "classes": list(network.classes),
        "clip": asdict(network.clip),
        "input": "(B, T, H, W, 3) uint8, or float32 in [0, 255]; RGB",
        "output": "(B, classes); a softmax of it is how likely each class is",
        "members": dict(chosen.weights),
    }
