"""A table of one's own: its columns, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import Kind, RandomSplits, Splits, table
from rotnet.errors import DataError

Touch = Callable[..., Path]
Write = Callable[[str, str], Path]
Dealt = Callable[[Kind, Path], Splits]
RANDOM = RandomSplits(num_splits=2, test_fraction=0.5)


def test_labels_groups_and_splits_are_those_of_the_table(
    write: Write, touch: Touch, dealt: Dealt
) -> None:
    text = (
        "\ufeffpath,label,group,split_2,split_1\n"
        '"x/a, b.mp4",run,film,test,train\n'
        "x/c.mp4, walk ,film,unused,val\n"
        "d.avi,,,unused,unused\n"
    )
    kind = table(write("my.csv", text), RANDOM)
    splits = dealt(kind, touch("x/a, b.mp4", "x/c.mp4", "d.avi"))
    assert {v.path: (v.label, v.group, v.splits) for v in splits.videos} == {
        "x/a, b.mp4": ("run", "film", ("train", "test")),
        "x/c.mp4": ("walk", "film", ("train", "unused")),
        "d.avi": (None, "d.avi", ("unused", "unused")),
    }


def test_without_columns_of_splits_they_are_drawn_in_whole_groups(
    write: Write, touch: Touch, dealt: Dealt
) -> None:
    names = [f"{group}{clip}.mp4" for group in "abcd" for clip in (1, 2)]
    rows = "".join(f"{name},run,{name[0]}\n" for name in names)
    splits = dealt(table(write("my.csv", f"path,label,group\n{rows}"), RANDOM), touch(*names))
    assert splits.number == 2
    for index in range(2):
        test = {v.group for v in splits.videos if v.splits[index] == "test"}
        train = {v.group for v in splits.videos if v.splits[index] == "train"}
        assert (len(test), len(train), test & train) == (2, 2, set())


def test_paths_alone_are_an_unlabelled_set(write: Write, touch: Touch, dealt: Dealt) -> None:
    kind = table(write("my.csv", "path\na.mp4\nb.mp4\n"), RANDOM)
    splits = dealt(kind, touch("a.mp4", "b.mkv", "c.mp4"))
    assert [(v.path, v.label) for v in splits.videos] == [("a.mp4", None), ("b.mkv", None)]
    assert splits.number == 0
    assert "num_splits" not in kind.settings


def test_a_folder_tells_videos_of_one_name_apart(write: Write, touch: Touch) -> None:
    kind = table(write("my.csv", "path,label\nx/a.mp4,run\ny/a.mp4,walk\n"), RANDOM)
    found = {each.path: each.label for each in kind.find(touch("x/a.avi", "y/a.mp4")).candidates}
    assert found == {"x/a.avi": "run", "y/a.mp4": "walk"}


def test_some_labels_missing_draw_no_splits_and_it_is_said(
    write: Write, touch: Touch, dealt: Dealt
) -> None:
    kind = table(write("my.csv", "path,label\na.mp4,run\nb.mp4,\n"), RANDOM)
    assert dealt(kind, touch("a.mp4", "b.mp4")).note == "no splits: 1 of 2 videos have no label"


def test_missing_videos_need_a_word(write: Write, touch: Touch) -> None:
    path, source = write("my.csv", "path\na.mp4\nb.mp4\n"), touch("a.mp4")
    with pytest.raises(DataError, match=r"1 of 2 listed videos are missing: 1 \(b\.mp4\)"):
        table(path, RANDOM).find(source)
    assert len(table(path, RANDOM, allow_missing=True).find(source).candidates) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na.mp4,run\n", "no column 'path'"),
        ("path,lable\na.mp4,run\n", "unknown column 'lable'; did you mean 'label'"),
        ("path,label,split\na.mp4,run,trian\n", "split 'trian'; did you mean 'train'"),
        ("path,label,split\na.mp4,,train\n", "has no label, and split 'train' needs one"),
        ("path,label,split_1,split_3\na.mp4,run,train,test\n", "without a gap"),
        ("path,split,split_1\na.mp4,train,test\n", "without a gap"),
        ("path,path\na,b\n", "a column twice"),
        ("path\n/a.mp4\n", "must lie below the source"),
        ("path\n../a.mp4\n", "must lie below the source"),
        ("path\na.mp4\na.mp4\n", r"name a\.mp4 2 times"),
        ("path\n", "name no video"),
        ('path\n"a\n', "cannot be read as CSV"),
    ],
)
def test_other_tables_are_refused(text: str, said: str, write: Write) -> None:
    with pytest.raises(DataError, match=said):
        table(write("my.csv", text), RANDOM)
