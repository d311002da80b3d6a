"""A search that stops what falls behind, on a local Ray: its driver killed, its pruner removed."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from rotlab.answer import history
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotlab.tracking.query import results
from rotlab.tracking.uri import default_tracking_uri
from tests.rotlab.execution.processes import finish, kill_once, start_driver

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def decisions(store: Path) -> dict[str, str]:
    """Every decision as it lies there."""
    return {
        path.relative_to(store).as_posix(): path.read_text()
        for path in sorted((store / "searches").glob("*/*.json"))
    }


def pruned(store: Path) -> set[str]:
    return {path.stem.removeprefix("pruned-") for path in store.glob("searches/*/pruned-*.json")}


def starts(store: Path) -> list[tuple[float, str]]:
    """When which stage was begun, by all drivers."""
    events = Journal(Store(store).journal_path("climbs")).read()
    return [(one["time"], one["key"]) for one in events if one["event"] == "stage_started"]


def carried(store: Path, key: str) -> Any:
    """What a stage's result is."""
    record = json.loads((store / "climb" / key / "record.json").read_text())
    return record["metrics"], {name: record["files"][name] for name in ("history.json",)}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], float]:
    """A store whose driver was killed once it had stopped some; what was decided then, and when."""
    store = tmp_path_factory.mktemp("killed") / "store"
    driver = start_driver("climbs", store)
    kill_once(driver, lambda: len(pruned(store)) >= 2)
    before, when = decisions(store), time.time()
    outcome = finish(start_driver("climbs", store), 240)
    assert outcome.status == 0, outcome
    assert "proposals were stopped before the end, by search.pruner" in outcome.out
    return store, before, when


def test_no_decision_of_a_killed_driver_is_lost_or_taken_again(
    killed: tuple[Path, dict[str, str], float],
) -> None:
    store, before, when = killed
    assert before.items() <= decisions(store).items()
    stopped = {Path(name).stem.removeprefix("pruned-") for name in before if "/pruned-" in name}
    assert len(stopped) >= 2
    cells = set(results("climbs", default_tracking_uri(store))["height"])
    assert len(cells) == 2
    assert not stopped & {key for at, key in starts(store) if at > when}


def test_mlflow_tells_what_was_stopped(killed: tuple[Path, dict[str, str], float]) -> None:
    store, *_ = killed
    uri = default_tracking_uri(store)
    frame = history("climbs", tracking_uri=uri)
    states = dict(zip(frame["key"], frame["state"], strict=True))
    for key in pruned(store):
        assert states.get(key, "PRUNED") == "PRUNED"
    assert sum(states.get(key) == "PRUNED" for key in pruned(store)) >= 3
    assert list(results("climbs", uri)["state"]) == ["FINISHED"] * 2


def test_what_was_stopped_costs_what_it_took(killed: tuple[Path, dict[str, str], float]) -> None:
    store, *_ = killed
    events = Journal(Store(store).journal_path("climbs")).read()
    ends = [one for one in events if one.get("state") == "PRUNED"]
    begun = {one["attempt"]: one["time"] for one in events if one["event"] == "stage_started"}
    assert ends
    assert all(one["time"] > begun[one["attempt"]] for one in ends)


def test_without_the_pruner_it_ends_as_if_there_had_been_none(
    killed: tuple[Path, dict[str, str], float], tmp_path: Path
) -> None:
    store, *_ = killed
    stopped = pruned(store)
    left = {
        key: json.loads(max((store / "climb" / key).glob("attempts/*/checkpoint.pt")).read_text())
        for key in stopped
        if list((store / "climb" / key).glob("attempts/*/checkpoint.pt"))
    }
    assert len(left) >= 3
    assert all(3 <= len(rows) < 20 for rows in left.values())
    outcome = finish(start_driver("whole climbs", store), 240)
    assert outcome.status == 0, outcome
    calm = tmp_path / "store"
    outcome = finish(start_driver("whole climbs", calm), 240)
    assert outcome.status == 0, outcome
    for key in left:
        assert carried(store, key) == carried(calm, key)
        assert int(next((store / "climb" / key).glob("attempts/*/began.txt")).read_text()) >= 3
    whole = {name: text for name, text in decisions(calm).items() if "/winner-" in name}
    assert whole.items() <= decisions(store).items()
