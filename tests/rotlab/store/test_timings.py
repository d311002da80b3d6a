"""What records tell a plan of how long stages take."""

from dataclasses import replace

from rotlab.planning.kinds import load_kinds
from rotlab.store.record import Record
from rotlab.store.timings import timings
from rotnet.config import FinetuneConfig

RECORD = Record(
    key="cafe",
    kind="finetune",
    attempt="a",
    metrics={},
    files={},
    seconds=12.5,
    config=FinetuneConfig(seed=3).model_dump(mode="json"),
    inputs={"init": "beef"},
    data=({"name": "mine", "role": "train", "split": 2, "fingerprint": "f00d"},),
    versions={},
    host="here",
    device="Tesla T4",
    commit=None,
    started="2026-01-01T00:00:00+00:00",
    ended="2026-01-01T00:00:12+00:00",
)


def test_a_record_becomes_the_stage_that_ran() -> None:
    (found,) = timings([RECORD], load_kinds())
    assert (found.stage.key, found.seconds, found.device) == ("cafe", 12.5, "Tesla T4")
    assert found.stage.config == FinetuneConfig(seed=3)
    assert found.stage.inputs == {"init": "beef"}
    (ref,) = found.stage.data
    assert (ref.name, ref.role, ref.split) == ("mine", "train", 2)


def test_records_of_other_kinds_or_settings_tell_nothing() -> None:
    others = [replace(RECORD, kind="unheard-of"), replace(RECORD, config={"clip": 5})]
    assert not list(timings(others, load_kinds()))
