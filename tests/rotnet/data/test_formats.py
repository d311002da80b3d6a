"""`rotnet prepare`'s formats, sizes and lists, as its user meets them."""

import shutil
from pathlib import Path

import pytest

from rotnet.cli import main
from rotnet.commands import prepare as command
from rotnet.data.frames import FrameReader
from rotnet.data.framestore.layout import Record
from rotnet.data.header import read_header
from rotnet.data.manifest import Manifest
from rotnet.data.quarantine import read_quarantine
from rotnet.recipes import RECIPES

COMMON = ("--workers", "0", "--short-side", "32")


def run(*words: object) -> int:
    return main(["prepare", "folder", *(str(word) for word in words)])


def small_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))


@pytest.mark.parametrize("storage", ["raw", "jpeg", "h264", "source"])
def test_a_set_is_stored_as_it_is_asked_for(storage: str, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert run(videos, out, *COMMON, "--format", storage) == 0
    manifest = Manifest.load(out)
    assert Record.load(out).storage == storage
    reader = FrameReader(out)
    for video in manifest.videos:
        assert reader.read(video, [0, video.frames - 1]).shape == (2, 32, 40, 3)
    stored = sum(path.stat().st_size for path in out.glob("frames-*.bin"))
    assert read_header(out).counts["bytes"] == stored
    assert bool(stored) == (storage != "source")


def test_a_recipe_says_how_small_pictures_may_be(videos: Path, tmp_path: Path) -> None:
    name = min(RECIPES)
    assert run(videos, tmp_path / "set", "--workers", "0", "--for", name) == 0
    assert read_header(tmp_path / "set").settings["short_side"] == RECIPES[name].clip.resize


def test_a_set_that_will_not_fit_is_refused_with_the_ways_out(
    videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small_disk(monkeypatch, 200_000)
    assert run(videos, tmp_path / "set", *COMMON) == 2
    told, error = capsys.readouterr().err.splitlines()
    assert told == "about 518.4 kB will be written (judged by 6 videos); 200.0 kB are free"
    assert error.startswith("error: the set would take about 518.4 kB")
    assert "choose --format jpeg or h264, a smaller --short-side, another OUT" in error
    assert {path.name for path in tmp_path.iterdir()} == {"source"}
    assert run(videos, tmp_path / "set", *COMMON, "--format", "source") == 0


def test_the_size_in_each_format_is_said_and_nothing_is_written(
    videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small_disk(monkeypatch, 7_000_000)
    assert run(videos, tmp_path / "on" / "a" / "disk", *COMMON, "--estimate") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["raw", "jpeg", "h264", "judged"]
    assert lines[0][1:] == ["518.4", "kB"]
    assert " ".join(lines[-1]) == "judged by 6 videos; 7.0 MB are free"
    assert {path.name for path in tmp_path.iterdir()} == {"source"}


def test_a_size_is_judged_by_what_is_not_in_quarantine(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "listed.csv"
    paths = sorted(path.relative_to(videos).as_posix() for path in videos.rglob("*.avi"))
    listed.write_text("path,reason\n" + "".join(f"{path},blurred\n" for path in paths[1:]))
    command = (videos, tmp_path / "set", *COMMON, "--estimate", "--quarantine", listed)
    assert run(*command) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["raw", "80.6", "kB"]  # 21 frames of 32x40
    assert out[-1].startswith("judged by 1 videos")
    with listed.open("a") as file:
        file.write(f"{paths[0]},dull\n")
    assert run(*command) == 2
    said = f"every one of its 6 videos is left out untried (first: {paths[0]}: in quarantine: dull)"
    assert said in capsys.readouterr().err


def test_a_list_leaves_out_what_it_names(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (videos / "run" / "3.avi").write_text("no video")
    assert run(videos, tmp_path / "one", *COMMON) == 0
    listed = tmp_path / "one" / "quarantine.csv"
    assert "run/3.avi,left_out,it cannot be opened" in listed.read_text()
    with listed.open("a") as file:
        file.write("walk/0.avi,left_out,blurred,\nwalk/2.avi,part,kept in part,\n")
    assert run(videos, tmp_path / "two", *COMMON, "--quarantine", listed) == 0
    shown = capsys.readouterr().out
    assert "left out  run/3.avi: in quarantine: it cannot be opened" in shown
    assert "left out  walk/0.avi: in quarantine: blurred" in shown
    kept = [video.path for video in Manifest.load(tmp_path / "two").videos if video.kept]
    assert kept == ["run/1.avi", "run/5.avi", "walk/2.avi", "walk/4.avi"]
    (videos / "walk" / "0.avi").unlink()
    assert run(videos, tmp_path / "two", *COMMON, "--quarantine", listed) == 2
    assert f"1 videos that {videos} does not hold, such as walk/0.avi" in capsys.readouterr().err


def test_a_list_out_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    listed = tmp_path / "listed.csv"
    listed.write_text("\ufeffpath,reason\nrun/3.avi,blurred\n,\n", encoding="utf-8")
    assert read_quarantine(listed) == {"run/3.avi": "blurred"}


def test_ctrl_c_says_that_what_is_done_is_kept(
    videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "_say_estimate", _interrupt)
    assert run(videos, tmp_path / "set", *COMMON) == 130
    said = capsys.readouterr().err.splitlines()
    assert said == ["what is done is kept: the same command goes on from there", "interrupted"]
    monkeypatch.undo()
    assert run(videos, tmp_path / "set", *COMMON) == 0


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt
