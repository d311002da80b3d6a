from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from rotlab.tracking import cache as module
from rotlab.tracking.cache import Cache
from rotlab.tracking.following import Held
from rotlab.tracking.runs import Which, tabulate


@pytest.fixture
def held() -> Held:
    found = tabulate(
        [("a", "FINISHED", 1, 2), ("b", "RUNNING", 3, None)],
        [("a", "rotlab.key", "cell:x"), ("a", "rotlab.parents", '["y"]')],
        [("a", "accuracy", 0.1), ("b", "loss", float("nan"))],
        [("s", "rotlab.question", "Why?")],
    )
    return Held(found, stamp="1", experiment="2", read_s=3.5, countable=True, deleted=4)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "results" / "one.arrow")


def _same(one: Held | None, other: Held) -> bool:
    assert one is not None
    pd.testing.assert_frame_equal(one.found.runs, other.found.runs)
    assert one.found.tags == other.found.tags
    fields = ("stamp", "experiment", "read_s", "countable", "deleted")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def test_what_is_kept_comes_back(cache: Cache, held: Held) -> None:
    cache.save(held)
    assert _same(cache.load(), held)
    assert [path.name for path in cache.path.parent.iterdir()] == ["one.arrow"]


def test_nothing_kept_is_nothing(cache: Cache) -> None:
    assert cache.load() is None


def test_a_file_that_was_damaged_anywhere_is_none(cache: Cache, held: Held) -> None:
    cache.save(held)
    whole = cache.path.read_bytes()
    for place in range(0, len(whole), 101):
        cache.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.load() is None
    for length in (0, 10, 32, len(whole) - 1):
        cache.path.write_bytes(whole[:length])
        assert cache.load() is None


def test_a_file_of_another_format_is_none(
    cache: Cache, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FORMAT", 0)
    cache.save(held)
    monkeypatch.undo()
    assert cache.load() is None


def test_a_folder_that_cannot_be_written_is_told_and_costs_nothing_else(
    tmp_path: Path, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "one.arrow")
    cache.save(held)
    assert "not kept for the next query" in caplog.text


def test_each_study_each_mlflow_and_each_sort_of_runs_has_a_file_of_its_own() -> None:
    kinds: tuple[Which, ...] = ("cells", "all")
    named = product(("a", "b"), ("x", "y"), kinds)
    assert len({Cache.of(uri, study, which).path for uri, study, which in named}) == 8
