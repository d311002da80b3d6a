"""An MLflow server, asked over its REST API: a study's runs, all of them or those that changed.

Answers are read as JSON, without the client's objects between: for some thousand runs these take
longer than the server. Where runs are many they are read in parts by the first digit of their id,
each part in one call: pages of one search are cut by number, so that a run deleted between two of
them makes another one fall through.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import requests
from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response

from rotlab.tracking.runs import (
    CELL,
    STAGE_METRICS,
    STUDY,
    TYPE,
    Info,
    StudyRuns,
    Tag,
    Value,
    Which,
    tabulate,
)
from rotlab.tracking.uri import TrackingError

Run = Mapping[str, Any]
View = Literal["ACTIVE_ONLY", "DELETED_ONLY"]

_FILTERS: Mapping[Which, str] = {
    "cells": f"tags.`{TYPE}` = '{CELL}'",
    "all": f"tags.`{TYPE}` != '{STUDY}'",
}
_DIGITS = "0123456789abcdef"
_FEW = 100  # runs that one call may read in vain, to learn that there are more
_PART = 5000
_AT_ONCE = 8  # connections, which fall to a server's workers by chance: so that each gets some
_IDS_PER_CALL = 100
_TIMEOUT_S = 120


class Server:
    """Reads runs; makes and changes none.

    Every method raises TrackingError if the server does not answer, or refuses.

    Args:
        uri: http(s)://HOST:PORT. Name, password and token are taken from where MLflow's own client
            takes them.
        which: whose runs are meant wherever it says runs.
    """

    def __init__(self, uri: str, which: Which = "all") -> None:
        self._uri = uri
        self._host = get_default_host_creds(uri)
        self._filter = _FILTERS[which]

    def experiment(self, study: str) -> str | None:
        """Return the id of a study's experiment; None if there is none, or it has been deleted."""
        found = self._call(
            "GET", "experiments/get-by-name", {"experiment_name": study}, or_absent=True
        )
        if found is None or found["experiment"]["lifecycle_stage"] != "active":
            return None
        return str(found["experiment"]["experiment_id"])

    def studies(self) -> list[str]:
        """Return the names of all studies."""
        names: dict[str, str] = {}
        asked: dict[str, Any] = {"max_results": 1000}
        while True:
            page = self._call("POST", "experiments/search", asked) or {}
            names |= {one["experiment_id"]: one["name"] for one in page.get("experiments", [])}
            if not page.get("next_page_token"):
                break
            asked["page_token"] = page["next_page_token"]
        if not names:
            return []
        filter_ = f"tags.`{TYPE}` = '{STUDY}'"
        runs, _ = self._search(list(names), filter_, limit=_PART)
        return sorted({names[run["info"]["experiment_id"]] for run in runs})

    def study_tags(self, experiment: str) -> dict[str, str] | None:
        """Return the tags of a study's own run; None where there is none."""
        runs, _ = self._search([experiment], f"tags.`{TYPE}` = '{STUDY}'", limit=1)
        return dict(_tags_of(runs[0])) if runs else None

    def read(self, experiment: str, tags: Mapping[str, str]) -> StudyRuns:
        """Return all runs of a study."""
        runs, more = self._search([experiment], self._filter, limit=_FEW)
        if not more:
            return _tabulated(runs, tags)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = pool.map(lambda digit: list(self._part(experiment, digit)), _DIGITS)
            return _tabulated((run for part in parts for run in part), tags)

    def select(self, experiment: str, filter_: str) -> StudyRuns:
        """Return those runs that a filter of MLflow's selects."""
        return _tabulated(self._all([experiment], f"{self._filter} AND {filter_}"), {})

    def by_id(self, experiment: str, ids: Sequence[str]) -> StudyRuns:
        """Return those of these runs that are there and have not been deleted."""
        found: list[Run] = []
        for start in range(0, len(ids), _IDS_PER_CALL):
            listed = ", ".join(f"'{one}'" for one in ids[start : start + _IDS_PER_CALL])
            filter_ = f"{self._filter} AND attributes.run_id IN ({listed})"
            found += self._search([experiment], filter_, limit=_IDS_PER_CALL)[0]
        return _tabulated(found, {})

    def deleted(self, experiment: str) -> list[str]:
        """Return the ids of a study's runs that have been deleted."""
        runs = self._all([experiment], self._filter, view="DELETED_ONLY")
        return [run["info"]["run_id"] for run in runs]

    def counts(self, experiment: str) -> bool:
        """Say whether this server's page tokens are numbers of runs, so that `holds` can count."""
        _, token = self._search([experiment], self._filter, limit=1)
        return token == _token(1)

    def holds(self, experiment: str, number: int, *, deleted: bool = False) -> bool:
        """Say whether there are just so many runs, by one call that returns one of them.

        Or whether so many have been deleted.
        """
        token = _token(number - 1) if number > 1 else None
        view: View = "DELETED_ONLY" if deleted else "ACTIVE_ONLY"
        runs, more = self._search([experiment], self._filter, limit=1, token=token, view=view)
        return len(runs) == min(number, 1) and not more

    def _part(self, experiment: str, prefix: str) -> Iterator[Run]:
        filter_ = f"{self._filter} AND attributes.run_id LIKE '{prefix}%'"
        more: str | bool | None
        try:
            runs, more = self._search([experiment], filter_, limit=_PART)
        except TrackingError:  # a server that ends requests which take long answers shorter ones
            if len(prefix) > 1:
                raise
            runs, more = [], True
        if more:
            for digit in _DIGITS:
                yield from self._part(experiment, prefix + digit)
        else:
            yield from runs

    def _all(
        self, experiments: list[str], filter_: str, view: View = "ACTIVE_ONLY"
    ) -> Iterator[Run]:
        runs, token = self._search(experiments, filter_, limit=_PART, view=view)
        yield from runs
        while token:
            runs, token = self._search(experiments, filter_, limit=_PART, view=view, token=token)
            yield from runs

    def _search(
        self,
        experiments: list[str],
        filter_: str,
        *,
        limit: int,
        view: View = "ACTIVE_ONLY",
        token: str | None = None,
    ) -> tuple[list[Run], str | None]:
        asked = {
            "experiment_ids": experiments,
            "filter": filter_,
            "run_view_type": view,
            "max_results": limit,
        }
        if token is not None:
            asked["page_token"] = token
        page = self._call("POST", "runs/search", asked) or {}
        return [_slim(run) for run in page.get("runs", [])], page.get("next_page_token") or None

    def _call(
        self, method: str, path: str, asked: Mapping[str, Any], *, or_absent: bool = False
    ) -> dict[str, Any] | None:
        endpoint = f"/api/2.0/mlflow/{path}"
        given = {"params": asked} if method == "GET" else {"json": asked}
        try:
            answer = http_request(
                self._host, endpoint, method, timeout=_TIMEOUT_S, raise_on_status=False, **given
            )
            if or_absent and answer.status_code == requests.codes.not_found:
                return None
            if answer.status_code != requests.codes.ok:
                verify_rest_response(answer, endpoint)
            return json.loads(answer.content)
        except (MlflowException, requests.RequestException, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise TrackingError(f"MLflow at {self._uri} cannot be read: {reason}") from error


def _slim(run: Run) -> Run:
    """Return a run without its params, which are most of it, and which the study's run repeats."""
    return {"info": run["info"], "data": {**run.get("data", {}), "params": None}}


def _token(offset: int) -> str:
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def _tabulated(runs: Iterable[Run], tags: Mapping[str, str]) -> StudyRuns:
    infos: list[Info] = []
    run_tags: list[Tag] = []
    values: list[Value] = []
    for run in runs:
        info, own = run["info"], dict(_tags_of(run))
        run_id, is_cell = info["run_id"], own.get(TYPE) == CELL
        infos.append((run_id, info["status"], _ms(info, "start_time"), _ms(info, "end_time")))
        run_tags += [(run_id, key, text) for key, text in own.items()]
        values += [
            (run_id, metric["key"], float(metric["value"]))
            for metric in run["data"].get("metrics", [])
            if is_cell or metric["key"] in STAGE_METRICS
        ]
    return tabulate(infos, run_tags, values, [("", key, text) for key, text in tags.items()])


def _tags_of(run: Run) -> Iterator[tuple[str, str]]:
    return ((tag["key"], tag.get("value", "")) for tag in run["data"].get("tags", []))


def _ms(info: Mapping[str, Any], name: str) -> int | None:
    return int(info[name]) if name in info else None
