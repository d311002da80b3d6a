"""Sets with lists, tables and registered ones, as the user of `rotnet prepare` meets them."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from rotnet import registry
from rotnet.cli import main
from rotnet.data.manifest import Manifest

COMMON = ("--workers", "0", "--short-side", "16")
THEIRS = """
from rotnet.data.catalog import Candidate, FolderKind

class Upper:
    \"\"\"Videos of files in CAPITALS, 100 % of them.\"\"\"
    name = "upper"
    def __init__(self, only=None):
        self.only = only
    @property
    def settings(self):
        return {"kind": self.name, "only": self.only}
    def find(self, source):
        return FolderKind(unlabelled=True).find(source)
    def split(self, videos, sides):
        return FolderKind(unlabelled=True).split(videos, sides)

class Optional(Upper):
    def configure(self, parser):
        parser.add_argument("--only", required=True)
    def with_options(self, args):
        return Upper(args.only)

NOT_ONE = 3
"""


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Six videos of one size, which are nobody's in particular."""
    source = tmp_path / "source"
    source.mkdir()
    for number in range(6):
        rng = np.random.default_rng(number)
        with av.open(str(source / f"{number}.avi"), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
            for _ in range(18):
                blocks = rng.integers(60, 230, (4, 6, 3), dtype=np.uint8)
                frame = blocks.repeat(8, axis=0).repeat(8, axis=1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
    return source


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed distribution with data sets of its own."""
    (tmp_path / "their_sets.py").write_text(THEIRS)
    info = tmp_path / "their_sets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-sets\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rotnet.datasets]\nupper = their_sets:Upper\noptional = their_sets:Optional\n"
        "absent = their_sets:Absent\nnone = their_sets:NOT_ONE\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._points.cache_clear()
    yield
    registry._points.cache_clear()
    sys.modules.pop("their_sets", None)


def run(*words: object) -> int:
    return main(["prepare", *(str(word) for word in words), *COMMON])


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert run(*words) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    return line


def hmdb51_lists(folder: Path) -> Path:
    """Lists of three classes; in split k the k-th class's video 0 is unused, 1 trains, 2 tests."""
    folder.mkdir()
    for split in (1, 2, 3):
        for label in ("run", "walk", "wave"):
            lines = "".join(f"film{n}_{label}_f_cm_np1_le_goo_0.avi {n}\n" for n in range(3))
            (folder / f"{label}_test_split{split}.txt").write_text(lines)
    return folder


def test_unused_videos_are_stored_and_neither_train_nor_test(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, label in enumerate(["run", "walk"] * 3):
        name = f"film{number // 2}_{label}_f_cm_np1_le_goo_0.avi"
        (videos / f"{number}.avi").rename(videos / name)
    out, lists = tmp_path / "set", hmdb51_lists(tmp_path / "lists")
    said = refused(capsys, "hmdb51", videos, out, "--lists", lists)
    assert "3 of 9 listed videos are missing: all of 1 class (wave)" in said
    assert not out.exists()
    assert run("hmdb51", videos, out, "--lists", lists, "--allow-missing") == 0
    notes = [each for each in capsys.readouterr().out.splitlines() if each.startswith("note: ")]
    assert any(each.startswith("note: 3 of 9 listed videos are missing") for each in notes)
    assert any("split 3 3 training and 3 test videos, published are 3,570" in n for n in notes)
    manifest = Manifest.load(out)
    assert (manifest.num_splits, manifest.classes) == (3, ("run", "walk"))
    for split in (1, 2, 3):
        assert {v.group for v in manifest.select("train", split).videos} == {"film1"}
        assert {v.group for v in manifest.select("test", split).videos} == {"film2"}
        assert {v.group for v in manifest.select("pretrain", split).videos} == {"film1"}
    assert len(manifest.select("pretrain")) == 6
    assert main(["inspect", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "9 videos, 3 of them missing; 0 others were there, not used" in shown
    assert ["1", "2", "2", "2"] in [line.split() for line in shown.splitlines()]


def test_a_changed_list_makes_the_set_again(videos: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "my.csv", tmp_path / "set"
    path.write_text("path,label,split\n" + "".join(f"{n}.avi,run,train\n" for n in range(6)))
    assert run("csv", videos, out, "--csv", path) == 0
    before = Manifest.load(out)
    path.write_text(path.read_text().replace("5.avi,run,train", "5.avi,run,test"))
    assert run("csv", videos, out, "--csv", path) == 0
    after = Manifest.load(out)
    assert before.fingerprint != after.fingerprint
    assert [video.path for video in after.select("test", 1).videos] == ["5.avi"]


def test_a_table_makes_a_set_with_its_groups(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.csv"
    rows = [f"{n}.avi,{('run', 'walk')[n % 2]},{'ab'[n // 4]}" for n in range(6)]
    path.write_text("path,label,group\n" + "\n".join(rows))
    assert run("csv", videos, tmp_path / "set", "--csv", path, "--splits", "1") == 0
    manifest = Manifest.load(tmp_path / "set")
    assert Counter(video.group for video in manifest.videos) == {"a": 4, "b": 2}
    (test,) = {video.group for video in manifest.select("test", 1).videos}
    assert test in {"a", "b"}
    path.write_text("path,lable\n0.avi,run\n")
    assert "did you mean 'label'" in refused(capsys, "csv", videos, tmp_path / "x", "--csv", path)


def test_kinetics_takes_several_csvs_and_what_is_missing_by_a_word_only(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (videos / "0.avi").rename(videos / "aaaaaaaaaaa_000000_000010.avi")
    (videos / "1.avi").rename(videos / "bbbbbbbbbbb_000000_000010.avi")
    header = "label,youtube_id,time_start,time_end,split\n"
    for part, name in (("train", "aaaaaaaaaaa"), ("val", "bbbbbbbbbbb")):
        rows = f"running late,{name},0,10,{part}\nrunning late,gone{name[:7]},0,10,{part}\n"
        (tmp_path / f"{part}.csv").write_text(header + rows)
    words = ["--csv", tmp_path / "train.csv", tmp_path / "val.csv"]
    said = refused(capsys, "kinetics", videos, tmp_path / "set", *words)
    assert "2 of 4 listed videos are missing" in said
    assert "--allow-missing" in said
    assert not (tmp_path / "set").exists()
    assert run("kinetics", videos, tmp_path / "set", *words, "--allow-missing") == 0
    said = capsys.readouterr().out
    assert "2 of 4 listed videos are missing" in said
    assert "note: only one class, 'running late'\n" in said
    assert "videos on no list, not used: 4 (2.avi, 3.avi, 4.avi and 1 more)" in said
    manifest = Manifest.load(tmp_path / "set")
    assert manifest.classes == ("running late",)
    assert [v.path[0] for v in manifest.select("train", 1).videos] == ["a"]
    assert [v.path[0] for v in manifest.select("test", 1).videos] == ["b"]


def test_bars_can_be_kept_and_that_makes_another_set(videos: Path, tmp_path: Path) -> None:
    assert run("folder", videos, tmp_path / "cut") == 0
    assert run("folder", videos, tmp_path / "kept", "--keep-bars") == 0
    cut, kept = Manifest.load(tmp_path / "cut"), Manifest.load(tmp_path / "kept")
    assert cut.fingerprint != kept.fingerprint
    settings = [
        json.loads((each.folder / "dataset.json").read_text())["settings"] for each in (cut, kept)
    ]
    assert settings[1] == {**settings[0], "bars": "keep"}


@pytest.mark.usefixtures("package")
def test_a_registered_set_is_prepared_by_its_name(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["prepare", "--help"])
    assert "Videos of files in CAPITALS, 100 % of them." in capsys.readouterr().out
    assert run("upper", videos, tmp_path / "one") == 0
    assert Manifest.load(tmp_path / "one").kind == "upper"
    assert run("optional", videos, tmp_path / "two", "--only", "x") == 0
    settings = json.loads((tmp_path / "two" / "dataset.json").read_text())["settings"]
    assert (settings["kind"], settings["only"]) == ("upper", "x")


@pytest.mark.usefixtures("package")
def test_a_broken_registered_set_breaks_itself_only(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "'absent' (their_sets:Absent" in refused(capsys, "absent", videos, tmp_path / "set")
    assert "is no rotnet.data.catalog.Kind" in refused(capsys, "none", videos, tmp_path / "set")
    assert run("folder", videos, tmp_path / "set") == 0
