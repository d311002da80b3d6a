"""Moments in Time: CSV files without a header, one for each part."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, Splits, moments
from rotnet.errors import DataError

Touch = Callable[..., Path]
Write = Callable[[str, str], Path]
Dealt = Callable[[Kind, Path], Splits]

TRAIN = "clapping/yt-aaa_205.mp4,clapping,3,1\nplaying+fun/yt-aaa_7.mp4,playing+fun,3,0\n"
VAL = "clapping/getty-b_4.mp4,clapping,2,1\n"


@pytest.fixture
def csvs(write: Write) -> list[Path]:
    return [write("trainingSet.csv", TRAIN), write("validationSet.csv", VAL)]


def test_the_part_is_that_of_the_csv_wherever_the_class_folders_lie(
    csvs: list[Path], touch: Touch, dealt: Dealt
) -> None:
    released = touch(
        "training/clapping/yt-aaa_205.mp4",
        "training/playing+fun/yt-aaa_7.mp4",
        "validation/clapping/getty-b_4.mp4",
    )
    flat = touch(
        "clapping/yt-aaa_205.mp4",
        "clapping/getty-b_4.webm",
        "playing+fun/yt-aaa_7.mp4",
        below="flat",
    )
    for source in (released, flat):
        splits = dealt(moments(csvs), source)
        assert {(v.label, v.group, *v.splits) for v in splits.videos} == {
            ("clapping", "yt-aaa", "train"),
            ("playing+fun", "yt-aaa", "train"),
            ("clapping", "getty-b", "test"),
        }


def test_missing_videos_need_a_word(csvs: list[Path], touch: Touch) -> None:
    source = touch("clapping/getty-b_4.mp4")
    with pytest.raises(DataError, match=r"2 of 3 listed videos are missing.*--allow-missing"):
        moments(csvs).find(source)
    assert len(moments(csvs, allow_missing=True).find(source).candidates) == 1


@pytest.mark.parametrize(("classes", "faults"), [(2, 0), (339, 1), (305, 0)])
def test_csvs_of_the_first_edition_are_held_against_its_published_numbers(
    write: Write, classes: int, faults: int
) -> None:
    rows = "".join(f"c{n}/v_{n}.mp4,c{n},3,1\n" for n in range(classes))
    found = moments([write("validationSet.csv", rows)]).faults
    assert len(found) == faults
    assert all("339 validation videos" in one and "33,900" in one for one in found)


def test_one_part_alone_gives_no_split(csvs: list[Path], touch: Touch, dealt: Dealt) -> None:
    splits = dealt(moments(csvs[1:]), touch("clapping/getty-b_4.mp4"))
    assert (splits.number, splits.note[:9]) == (0, "no splits")


def test_other_files_are_refused(write: Write) -> None:
    with pytest.raises(DataError, match="must begin with train or val"):
        moments([write("set.csv", TRAIN)])
    with pytest.raises(DataError, match=r"row 1: 'clapping' is not class/file, class"):
        moments([write("train.csv", "clapping\n")])
    with pytest.raises(DataError, match=r"name clapping/a\.mp4 2 times"):
        moments([write("train.csv", "clapping/a.mp4,clapping\n" * 2)])
