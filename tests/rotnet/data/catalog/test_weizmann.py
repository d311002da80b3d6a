"""The Weizmann actions by their names alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, Listing, Splits, WeizmannKind
from rotnet.data.catalog.weizmann import ACTIONS
from rotnet.data.video import Video
from rotnet.errors import DataError

Touch = Callable[..., Path]
Dealt = Callable[[Kind, Path], Splits]
PERSONS = ["daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar"]


def test_the_splits_hold_out_thirds_of_the_persons(touch: Touch, dealt: Dealt) -> None:
    names = [f"{person}_{action}.avi" for person in PERSONS for action in ("run", "wave1")]
    source = touch(*names, "lena_walk2.avi")
    labels = {
        found.path: found.label
        for found in WeizmannKind(allow_missing=True).find(source).candidates
    }
    assert labels["lena_walk2.avi"] == "walk"
    assert labels["ira_wave1.avi"] == "wave1"
    splits = dealt(WeizmannKind(allow_missing=True), source)
    held = [
        sorted({video.group for video in splits.videos if video.splits[k] == "test"})
        for k in range(3)
    ]
    assert held == [PERSONS[0:3], PERSONS[3:6], PERSONS[6:9]]


def test_other_names_are_refused_with_the_reason(touch: Touch) -> None:
    found = WeizmannKind(allow_missing=True).find(
        touch("eli_run.avi", "eli_fly.avi", "_run.avi", "x.avi")
    )
    refused = {each.path for each in found.candidates if "person_action" in each.refusal}
    assert refused == {"eli_fly.avi", "_run.avi", "x.avi"}


def test_three_persons_are_needed(touch: Touch, dealt: Dealt) -> None:
    source = touch("eli_run.avi", "ido_run.avi")
    with pytest.raises(DataError, match=r"at least 3 persons.*found 2: eli, ido"):
        dealt(WeizmannKind(allow_missing=True), source)


def test_joined_persons_are_dealt_as_one(
    touch: Touch, rows: Callable[[Listing], list[Video]]
) -> None:
    names = [f"{person}_run.avi" for person in ("a", "b", "c", "d")]
    videos = rows(WeizmannKind(allow_missing=True).find(touch(*names)))
    videos[1] = replace(videos[1], group="a")
    splits = WeizmannKind(allow_missing=True).split(videos, {})
    assert [video.splits for video in splits.videos] == [
        ("test", "train", "train"),
        ("test", "train", "train"),
        ("train", "test", "train"),
        ("train", "train", "test"),
    ]


def test_the_settings_that_old_sets_were_made_with_stand() -> None:
    assert WeizmannKind().settings == {"kind": "weizmann"}


def test_what_is_missing_is_said_and_accepted_only_if_asked_for(touch: Touch) -> None:
    names = [f"{person}_{action}.avi" for person in PERSONS for action in ACTIONS]
    whole = touch(*names)
    assert WeizmannKind().find(whole).notes == ()
    (whole / names[0]).unlink()
    with pytest.raises(
        DataError, match=r"of 90 actions are missing: daria_bend: .*--allow-missing"
    ):
        WeizmannKind().find(whole)
    listing = WeizmannKind(allow_missing=True).find(whole)
    assert listing.counts == {"listed": 90, "missing": 1}
    assert listing.notes == ("of 90 actions are missing: daria_bend",)
