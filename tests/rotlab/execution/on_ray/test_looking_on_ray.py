"""Looks on a local Ray, the driver killed: the same decisions, seeds and results."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rotlab.reporting.comparison import compare
from rotlab.reporting.report import report_text
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotlab.tracking.query import results
from rotlab.tracking.uri import default_tracking_uri
from tests.rotlab.execution.processes import finish, kill_once, start_driver

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def decisions(store: Path) -> dict[str, str]:
    """Every look as it lies there."""
    return {path.name: path.read_text() for path in sorted((store / "looks").glob("*/*.json"))}


def frame_of(store: Path) -> pd.DataFrame:
    return results("throws", default_tracking_uri(store))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose driver was killed once, after its first look, and gone on with."""
    store = tmp_path_factory.mktemp("killed") / "store"
    driver = start_driver("looks", store)
    told = Store(store).journal_path("throws").with_suffix(".sent")  # MLflow has been set up
    kill_once(driver, lambda: bool(decisions(store)) and told.is_file())
    outcome = finish(start_driver("looks", store), 240)
    assert outcome.status == 0, outcome
    return store


def test_an_arm_stops_at_the_first_look_and_another_goes_on(killed: Path) -> None:
    frame = frame_of(killed)
    assert frame.groupby("throw.force").size().to_dict() == {0: 5, 1: 5, 20: 3}
    assert set(frame["state"]) <= {"FINISHED", "REUSED"}
    first, second = (json.loads(text) for text in decisions(killed).values())
    assert [one["outcome"] for one in first["verdicts"]] == ["open", "shown"]
    assert [one["outcome"] for one in second["verdicts"]] == ["shown", "shown"]


def test_the_journal_tells_every_look_and_what_it_added(killed: Path) -> None:
    events: list[dict[str, Any]] = list(Journal(Store(killed).journal_path("throws")).read())
    grown = [event for event in events if event["event"] == "study_grew"]
    looks = [look["number"] for event in grown for look in event.get("looks", ())]
    assert looks[-1] == 2
    assert sum(len(event["stages"]) for event in grown) in (0, 4)  # 0: killed before it was told


def test_the_answer_says_by_what_seeds_were_chosen_and_how_many_each_arm_got(killed: Path) -> None:
    frame = frame_of(killed)
    text = report_text(compare(frame, "accuracy", frame.attrs["baseline"]), "Who?")
    assert "chosen by looks at held-out videos (distance of throw), at 3, 5, 7 seeds" in text
    assert "n=3 and 5" in text
