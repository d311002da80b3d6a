"""Kinetics: CSV files of YouTube's names and times, and files called after them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, Splits, kinetics
from rotnet.errors import DataError

Touch = Callable[..., Path]
Write = Callable[[str, str], Path]
Dealt = Callable[[Kind, Path], Splits]

HEADER = "label,youtube_id,time_start,time_end,split,is_cc\n"
TRAIN = f'{HEADER}"air drumming",-_aaaaaaaa0,4,14,train,0\nabseiling,bbbbbbbbbb1,120,130,train,1\n'
VAL = f'{HEADER}"air drumming",c_1_2_3ccc2,0,10,val,0\n'
TEST = "youtube_id,time_start,time_end,split\nddddddddd_3,7,17,test\n"


@pytest.fixture
def csvs(write: Write) -> list[Path]:
    return [write("train.csv", TRAIN), write("val.csv", VAL), write("test.csv", TEST)]


def test_the_split_trains_on_train_and_tests_on_validation(
    csvs: list[Path], touch: Touch, dealt: Dealt
) -> None:
    source = touch(
        "air_drumming/-_aaaaaaaa0_000004_000014.mp4",
        "abseiling/bbbbbbbbbb1_000120_000130.mkv",
        "c_1_2_3ccc2_000000_000010.mp4",
        "test/ddddddddd_3_000007_000017.mp4",
    )
    splits = dealt(kinetics(csvs), source)
    assert [(video.label, video.group, video.splits) for video in splits.videos] == [
        ("abseiling", "bbbbbbbbbb1", ("train",)),
        ("air drumming", "-_aaaaaaaa0", ("train",)),
        ("air drumming", "c_1_2_3ccc2", ("test",)),
        (None, "ddddddddd_3", ("unused",)),
    ]


def test_missing_clips_need_a_word_and_are_counted(csvs: list[Path], touch: Touch) -> None:
    source = touch("x/bbbbbbbbbb1_000120_000130.mp4", "x/other.mp4")
    with pytest.raises(DataError, match=r"3 of 4 listed videos are missing.*--allow-missing"):
        kinetics(csvs).find(source)
    found = kinetics(csvs, allow_missing=True).find(source)
    assert found.counts == {"listed": 4, "missing": 3, "unlisted": 1}
    assert "3 of 4 listed videos are missing" in found.notes[0]


def test_times_may_lack_noughts_or_be_left_out(csvs: list[Path], touch: Touch) -> None:
    kind = kinetics(csvs, allow_missing=True)
    found = kind.find(touch("-_aaaaaaaa0_4_14.mp4", "c_1_2_3ccc2.mp4"))
    assert [each.group for each in found.candidates] == ["-_aaaaaaaa0", "c_1_2_3ccc2"]


def test_a_clip_of_other_times_is_another_clip(csvs: list[Path], touch: Touch) -> None:
    source = touch("bbbbbbbbbb1_000121_000131.mp4", "c_1_2_3ccc2_000000_000010.mp4")
    found = kinetics(csvs, allow_missing=True).find(source)
    assert [each.group for each in found.candidates] == ["c_1_2_3ccc2"]


def test_a_name_without_times_that_may_be_two_clips_is_neither(write: Write, touch: Touch) -> None:
    rows = "a,bbbbbbbbbb1,0,10,train,0\nb,bbbbbbbbbb1,10,20,train,0\nb,ccccccccccc,0,10,train,0\n"
    kind = kinetics([write("train.csv", HEADER + rows)], allow_missing=True)
    found = kind.find(touch("bbbbbbbbbb1.mp4", "ccccccccccc.mp4"))
    assert [each.path for each in found.candidates] == ["ccccccccccc.mp4"]


def test_one_part_alone_gives_no_split_and_says_why(
    csvs: list[Path], touch: Touch, dealt: Dealt
) -> None:
    part = kinetics(csvs[:1], allow_missing=True)
    splits = dealt(part, touch("bbbbbbbbbb1_000120_000130.mp4"))
    assert splits.number == 0
    assert "both a training and a validation part" in splits.note


def test_a_labelled_test_part_is_tested_where_there_is_no_validation(
    csvs: list[Path], write: Write, touch: Touch, dealt: Dealt
) -> None:
    labelled = write("test.csv", f"{HEADER}abseiling,ddddddddd_3,7,17,test,0\n")
    names = ("bbbbbbbbbb1_000120_000130.mp4", "ddddddddd_3_000007_000017.mp4")
    source = touch(*names, "c_1_2_3ccc2_000000_000010.mp4")

    def splits_by(*lists: Path) -> dict[str, tuple[str, ...]]:
        splits = dealt(kinetics([*lists, labelled], allow_missing=True), source)
        return {video.group: video.splits for video in splits.videos}

    two = splits_by(csvs[0])
    assert two == {"bbbbbbbbbb1": ("train",), "ddddddddd_3": ("test",)}
    three = splits_by(*csvs[:2])
    assert three["ddddddddd_3"] == ("unused",)
    assert three["c_1_2_3ccc2"] == ("test",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("youtube_id,time_start,time_end\nx,1,2\n", "no column 'split'"),
        (f"{HEADER}a,x,1,2,trian,0\n", "unknown split 'trian'; did you mean 'train'"),
        (f"{HEADER}a,x,one,2,train,0\n", "times of x are no seconds"),
        (f"{HEADER}a,b,x,1,2,train,0\n", "row 2: 7 cells for 6 columns"),
        (f"{HEADER}a,x,1,2,train,0\nb,x,1,2,train,0\n", "x_000001_000002 is listed twice"),
        (HEADER, "a header and no rows"),
        ("", "is empty"),
    ],
)
def test_other_files_are_refused(text: str, said: str, write: Write) -> None:
    with pytest.raises(DataError, match=said):
        kinetics([write("train.csv", text)])


def test_a_csv_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        kinetics([tmp_path / "none.csv"])


@pytest.mark.parametrize("classes", [3, 400, 600, 700])
@pytest.mark.parametrize("gone", [0, 1])
def test_an_edition_is_held_against_its_published_number_of_validation_videos(
    write: Write, touch: Touch, classes: int, gone: int
) -> None:
    rows = [f"c{n % classes},{n:011d},0,10,val,0" for n in range(50 * classes - gone)]
    csv = write("val.csv", HEADER + "\n".join(rows))
    kind = kinetics([csv, write("train.csv", HEADER + "c0,a,0,10,train,0\n" * 2)])
    said = [fault for fault in kind.faults if "validation" in fault]
    if classes == 3 or not gone:  # no edition, or a whole one
        assert not said
        return
    number = 50 * classes
    assert said == [
        f"the CSVs give {number - 1:,} validation videos of Kinetics-{classes}, published are "
        f"{number:,}"
    ]
    with pytest.raises(DataError, match=f"published are {number:,}.*--allow-missing"):
        kind.find(touch("00000000001.mp4"))
    assert said[0] in kinetics([csv], allow_missing=True).find(touch("00000000001.mp4")).notes


@pytest.mark.parametrize(("edition", "clips"), [(400, 19906), (600, 30000)])
def test_the_official_validation_lists_are_read_whole(
    shared_data: Path, edition: int, clips: int
) -> None:
    kind = kinetics([shared_data / "kinetics" / f"kinetics-{edition}_val.csv"])
    assert len(kind.entries) == clips
    assert len({entry.label for entry in kind.entries}) == edition
    assert bool(kind.faults) == (clips != 50 * edition)  # 94 of 400 classes had vanished by then
    if edition == 400:
        classes = (shared_data / "kinetics" / "k400_ClassInd.txt").read_text().splitlines()
        assert {entry.label for entry in kind.entries} == set(classes)
