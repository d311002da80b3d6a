"""What stages have left for a page to show: as the store has it, else as MLflow does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from rotlab.reporting.arms import DONE
from rotlab.reporting.page.attention import few_looks, looks_of
from rotlab.reporting.page.confusions import pretexts_of, results_of, wanted
from rotlab.reporting.page.learning import stage_names
from rotlab.store.carrying import bring_files
from rotlab.store.store import Store
from rotlab.tracking.attentions import load_attention, read_attention
from rotlab.tracking.confusions import FILE as CONFUSION
from rotlab.tracking.confusions import Confusion, load_confusion, read_confusions
from rotlab.tracking.stage_runs import StageRun
from rotnet.pictures.strip import FILE as ATTENTION
from rotnet.pictures.strip import Strip

Kept = TypeVar("Kept")

MOST_FETCHED = 100  # files of a sort that are asked of MLflow, where the store is not at hand


def confusions_of(
    store: Store, uri: str, frame: pd.DataFrame, stages: Sequence[StageRun]
) -> dict[str, Confusion]:
    """Return stage -> what it took for what: of the arms' results and pretrainings on a page."""
    names = stage_names(stages, frame)
    by_key = {one.key: one for one in stages}
    keys = wanted([results_of(frame), pretexts_of(stages, names)])
    runs = [by_key[key] for key in keys if key in by_key]
    return _kept(store, runs, CONFUSION, load_confusion, lambda ids: read_confusions(uri, ids))


def attention_of(
    store: Store, uri: str, frame: pd.DataFrame, stages: Sequence[StageRun]
) -> dict[str, Strip]:
    """Return stage -> where its network looks: of those that a page shows."""
    looks = few_looks(looks_of(frame, stages, stage_names(stages, frame)))
    runs = [look.stage for look in looks]
    return _kept(store, runs, ATTENTION, load_attention, lambda ids: read_attention(uri, ids))


def _kept(
    store: Store,
    runs: Iterable[StageRun],
    file: str,
    load: Callable[[Path], Kept | None],
    fetch: Callable[[Iterable[str]], Mapping[str, Kept]],
) -> dict[str, Kept]:
    """Return stage -> what its file holds, of those that have one."""
    found: dict[str, Kept] = {}
    absent: list[StageRun] = []
    for one in runs:
        if one.state not in DONE:
            continue
        record = store.record(one.key, one.kind)
        if record is None:
            absent.append(one)
            continue
        path = store.result_place(record) / file
        if file in record.files:
            bring_files(path.parent, {file: record.files[file]})
        held = load(path) if path.is_file() else None
        if held is not None:
            found[one.key] = held
    asked = absent[:MOST_FETCHED]
    fetched = fetch([one.run_id for one in asked]) if asked else {}
    return found | {one.key: fetched[one.run_id] for one in asked if one.run_id in fetched}
