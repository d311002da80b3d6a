"""What studies found, as pandas frames, from MLflow alone: `rotlab.results`, `rotlab.history`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.tracking.beside import beside as with_lines
from rotlab.tracking.filtering import select
from rotlab.tracking.query import STAGES, frame_of, read
from rotlab.tracking.query import history as history_of
from rotlab.tracking.spending import tells_costs, with_costs
from rotnet.errors import UserError

STUDY = "study"


def results(
    *studies: str,
    where: str | None = None,
    beside: str | Path | None = None,
    tracking_uri: str | None = None,
    store: str | None = None,
    fresh: bool = False,
) -> pd.DataFrame:
    """Return the cells of one study or several, one a row.

    Args:
        studies: their names.
        where: which cells, such as "rotations == 4 and modality == 'fusion'"; the language stands
            in `rotlab.tracking.expression`.
        beside: a CSV of other people's numbers, added as rows; see `rotlab.tracking.beside`. They
            are not filtered.
        tracking_uri: MLflow's; None takes $MLFLOW_TRACKING_URI, else mlflow.db in the store.
        store: where results lie, for that only; None takes $ROTLAB_STORE, else ./rotlab-store.
        fresh: whether all is read, though what was read before may do: of a server this shows edits
            of ended runs at once; see `rotlab.tracking.following`.

    Returns:
        Columns: study, where several are asked for; then axes, of all the studies; target; seed,
        split and other seeds; measure; state; metrics, those of the pretext as "pretext.<name>";
        cost.seconds and cost.shared_seconds (likewise gpu_hours, where MLflow has them), of stages
        that this cell alone needs and of those that others need as well; "stages", the keys of all
        stages behind the cell; and source, where there is `beside`. None, <NA> or NaN stands where
        there is no value, the text "none" for an axis's value null. `attrs` holds "question",
        "baseline", "looks", "axes" and "metrics".

    Raises:
        UserError: if MLflow cannot be read or holds no such study, or the filter or the CSV cannot
            be used.
    """
    names = tuple(dict.fromkeys(studies))
    if not names:
        raise UserError("no study named; give the name of one, or of several")
    uri = tracking_uri or default_uri(store)
    frame = _united([_cells(name, uri, fresh=fresh) for name in names], names)
    if where is not None:
        frame = select(frame, where)
    return frame if beside is None else with_lines(frame, Path(beside))


def history(
    study: str,
    *,
    tracking_uri: str | None = None,
    store: str | None = None,
    fresh: bool = False,
) -> pd.DataFrame:
    """Return what became of each stage of a study, as far as MLflow holds it, in order of begin.

    Args:
        study: its name.
        tracking_uri: as of `results`.
        store: as of `results`.
        fresh: as of `results`.

    Returns:
        Columns: key, kind, state, began, ended, seconds, error and cells, how many need the stage.

    Raises:
        UserError: if MLflow cannot be read, or holds no such study.
    """
    uri = tracking_uri or default_uri(store)
    return history_of(read(study, uri, fresh=fresh, stages=True))


def default_uri(store: str | None) -> str:
    """Return MLflow's tracking URI where none is given."""
    return tracking_uri_of(Store.open(store, writing=False), None)


def _cells(name: str, uri: str, *, fresh: bool) -> pd.DataFrame:
    study = read(name, uri, fresh=fresh)
    if not tells_costs(study):
        study = read(name, uri, fresh=fresh, stages=True)
    return with_costs(frame_of(study), study)


def _united(frames: Sequence[pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
    """Return all cells, of several studies with their names in front, which are then an axis."""
    if len(frames) == 1:
        return frames[0]
    attrs = [frame.attrs for frame in frames]
    axes = list(dict.fromkeys(axis for one in attrs for axis in one["axes"]))
    metrics = sorted({metric for one in attrs for metric in one["metrics"]})
    columns = dict.fromkeys(name for frame in frames for name in frame.columns)
    own = [name for name in columns if name not in {*axes, *metrics, STAGES}]
    place = own.index("state") + 1
    order = [STUDY, *axes, *own[:place], *metrics, *own[place:], STAGES]
    parts = [
        frame.assign(**{STUDY: name}).reindex(columns=order)
        for frame, name in zip(frames, names, strict=True)
    ]
    whole = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    typed = [name for name in order if name not in {STUDY, *axes}]
    whole = whole.astype({name: _kind(name, frames) for name in typed})
    for axis in axes:
        whole[axis] = whole[axis].where(whole[axis].notna(), None)
    questions = dict.fromkeys(one["question"] for one in attrs)
    whole.attrs = {
        "axes": [STUDY, *axes],
        "metrics": metrics,
        "question": " ".join(question for question in questions if question),
        "baseline": _common([one["baseline"] for one in attrs]),
        "looks": next((one["looks"] for one in attrs if one["looks"]), {}),
    }
    return whole


def _kind(name: str, frames: Sequence[pd.DataFrame]) -> Any:  # noqa: ANN401  # a dtype
    return next(frame.dtypes[name] for frame in frames if name in frame.columns)


def _common(baselines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = baselines[0]
    return dict(first) if all(one == first for one in baselines) else {}
