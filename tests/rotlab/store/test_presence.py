"""Who removes from a bucket and who counts on it see each other, on whatever node they are."""

import json
import time
from pathlib import Path

import pytest

from rotlab.store.layout import COUNTING, GATE
from rotlab.store.presence import alone, present
from rotlab.store.slots import ObjectSlot
from rotlab.store.store import Store
from rotlab.store.tenure import Pace
from rotnet.errors import UserError
from tests.rotlab.store.put import names, put

PACE = Pace(stale_s=0.6, look_s=0.05)
LOST = json.dumps({"attempt": "lost", "host": "elsewhere", "process": 1, "beat": 3})


@pytest.fixture
def root(url: str) -> Path:
    return Store.open(url).root


def test_a_sign_of_one_that_was_lost_elsewhere_keeps_nobody_out_for_long(root: Path) -> None:
    put(root / COUNTING / "lost", LOST)
    put(root / GATE, LOST)
    with present(root, PACE):
        pass
    with alone(root, 10.0, PACE) as check:
        check()
    assert names(root) == {f"{COUNTING}/lost"}


def test_who_was_held_up_removes_nothing_more(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> bool:
        raise UserError("no answer")

    with alone(root, 10.0, PACE) as check:
        check()
        monkeypatch.setattr(ObjectSlot, "move_on", away)
        time.sleep(PACE.stale_s)
        with pytest.raises(UserError, match="nothing more is removed; what is left goes by"):
            check()


def test_who_was_held_up_relies_on_nothing_more(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise UserError("no answer")

    with present(root, PACE) as check:
        check()
        monkeypatch.setattr(ObjectSlot, "move_on", away)
        time.sleep(PACE.stale_s)
        with pytest.raises(UserError, match="may be gone: try again"):
            check()


def test_nothing_stays_of_either(root: Path) -> None:
    with present(root, PACE), present(root, PACE):
        assert len(names(root)) == 2
    with alone(root, 10.0, PACE):
        assert names(root) == {GATE}
    assert names(root) == set()
