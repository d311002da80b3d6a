"""A study goes through a file from store to store, of either kind, with what was chosen of it."""

from pathlib import Path

import pytest

from rotlab.store.bundle import Weights
from rotlab.store.store import Store, StoreError, checksums
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.shipped import (
    FIRST,
    PLAN,
    SCORES,
    TUNED,
    Names,
    bring,
    export,
    files_of,
    make_store,
)


@pytest.fixture
def store(place: str) -> Store:
    return make_store(place)


@pytest.fixture
def other(store: Store) -> Store:
    """Return another store, of the same kind, that is empty."""
    return Store.open(f"{store.name}-other")


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tgz"])
def test_a_study_goes_through_a_file_to_another_store(
    store: Store, other: Store, tmp_path: Path, ending: str
) -> None:
    path = export(store, tmp_path / f"lab.{ending}", "all")
    placed = bring(path, other)
    assert set(placed.added) == set(PLAN.stages)
    assert other.study("lab") == store.study("lab")
    assert other.records(PLAN.stages.values()) == store.records(PLAN.stages.values())
    for stage in PLAN.stages.values():
        assert files_of(other, stage) == files_of(store, stage)
    for record in other.records(PLAN.stages.values()).values():
        folder = other.result_folder(record)
        assert checksums(folder) == record.files
    assert Journal(other.journal_path("lab")).read() == Journal(store.journal_path("lab")).read()


@pytest.mark.parametrize(
    ("weights", "first", "tuned"),
    [
        ("none", {"history.json", "partial.txt"}, {"deep/history.json", "partial.txt"}),
        ("results", {"history.json", "partial.txt"}, {"deep/history.json", "network.pt"}),
        (
            "all",
            {"history.json", "network.pt", "checkpoint.pt"},
            {"deep/history.json", "network.pt"},
        ),
    ],
)
def test_networks_go_along_as_chosen(
    store: Store, other: Store, tmp_path: Path, weights: Weights, first: Names, tuned: Names
) -> None:
    bring(export(store, tmp_path / "lab.tar", weights), other)
    assert (files_of(other, FIRST), files_of(other, TUNED)) == (first, tuned)
    assert files_of(other, SCORES) == {"scores.npz"}


def test_a_network_that_was_left_out_is_said_and_can_be_brought_later(
    store: Store, other: Store, tmp_path: Path
) -> None:
    bring(export(store, tmp_path / "none.tar", "none"), other)
    record = other.record(TUNED.key, TUNED.kind)
    assert record is not None
    with pytest.raises(StoreError, match=r"network\.pt: was left out when .* rotlab invalidate"):
        other.result_folder(record)
    placed = bring(export(store, tmp_path / "all.tar", "all"), other)
    assert set(placed.filled) == {FIRST.key, TUNED.key}
    other.result_folder(record)
    assert files_of(other, FIRST) == files_of(store, FIRST)
    assert bring(tmp_path / "all.tar", other).same == tuple(PLAN.stages)
