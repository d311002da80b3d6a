"""The command as its user meets it: words in, lines and an exit status out."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from rotnet.cli import main


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two classes of three videos each."""
    for number in range(6):
        path = tmp_path / "source" / ("run" if number % 2 else "walk") / f"{number}.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(number)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
            for _ in range(20):
                blocks = rng.integers(60, 230, (6, 8, 3), dtype=np.uint8)
                frame = blocks.repeat(8, axis=0).repeat(8, axis=1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
    return tmp_path / "source"


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Return the one line on stderr with which a command ends with status 2."""
    assert main([str(word) for word in words]) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    return line


def test_prepare_then_inspect(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "run" / "empty.mp4").touch()
    out = tmp_path / "set"
    assert main(["prepare", "folder", str(source), str(out), "--workers", "0"]) == 0
    said = capsys.readouterr().out
    assert "left out  run/empty.mp4: the file is empty (0 bytes)" in said
    assert "6 videos (0 in part), 1 left out, 2 classes, 3 splits" in said
    assert main(["prepare", "folder", str(source), str(out), "--workers", "0"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    for named in (out, out / "manifest.csv"):
        assert main(["inspect", str(named)]) == 0
        said = capsys.readouterr().out
        assert "2+1" in said
        assert "64x48 (6)" in said
        assert "run/empty.mp4" in said


def test_strict_names_what_failed(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "run" / "empty.mp4").touch()
    words = ["prepare", "folder", source, tmp_path / "set", "--strict", "--workers", "0"]
    assert main([str(word) for word in words]) == 2
    estimate, error = capsys.readouterr().err.splitlines()
    assert "will be written (judged by" in estimate
    assert error.startswith("error: ")
    assert "run/empty.mp4" in error
    assert not (tmp_path / "set").exists()


def test_options_may_stand_anywhere(source: Path, tmp_path: Path) -> None:
    words = ["prepare", "folder", "--short-side", "24", str(source), "--workers", "0"]
    assert main([*words, str(tmp_path / "set"), "--name", "other"]) == 0


def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, empty, text = tmp_path / "set", tmp_path / "empty", tmp_path / "text"
    empty.mkdir()
    text.mkdir()
    (text / "a.avi").write_text("text")
    common = ("--workers", "0")
    assert "does not exist" in refused(capsys, "prepare", "folder", tmp_path / "x", out, *common)
    assert "holds no video" in refused(capsys, "prepare", "folder", empty, out, *common)
    assert "a.avi: it cannot be" in refused(capsys, "prepare", "folder", text, out, *common)
    assert "did you mean 'folder'" in refused(capsys, "prepare", "floder", source, out)
    assert "did you mean 'prepare'" in refused(capsys, "prepar", "folder", source, out)
    assert "--short-side" in refused(capsys, "prepare", "folder", source, out, "--short-side", "x")
    assert "at least 16" in refused(capsys, "prepare", "folder", source, out, "--short-side", "2")
    assert "at least 0" in refused(capsys, "prepare", "folder", source, out, "--workers", "-1")
    assert "OUT" in refused(capsys, "prepare", "folder", source)
    assert "unknown '3'; (2, 4, 8, 360)" in refused(capsys, "doctor", "--rotations", "3")
    assert "positive" in refused(capsys, "prepare", "synthetic", out, "--videos", "0")
    assert "does not exist" in refused(capsys, "inspect", out)
    assert "not a prepared data set" in refused(capsys, "inspect", empty)
    assert "is a file, not a prepared" in refused(capsys, "inspect", text / "a.avi")
    assert not out.exists()


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "prepare" in capsys.readouterr().err


def test_debug_shows_where_an_error_comes_from(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="does not exist") as caught:
        main(["inspect", str(tmp_path / "none"), "--debug"])
    assert caught.traceback


def test_help_imports_neither_torch_nor_av() -> None:
    code = (
        "import sys; from rotnet.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'av', 'numpy', 'rich')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603
    assert done.returncode == 0
    assert b"prepare" in done.stdout


def test_ctrl_c_ends_with_130_and_the_set_is_not_there_yet(source: Path, tmp_path: Path) -> None:
    for number in range(4000):  # more than are done before the signal comes, on a busy machine
        (source / "run" / f"copy{number}.avi").symlink_to(source / "run" / "1.avi")
    words = ["prepare", "folder", source, tmp_path / "set", "--workers", "2"]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "rotnet.cli", *map(str, words)],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    parts = tmp_path / ".set.preparing" / "work" / "parts"
    deadline = time.monotonic() + 60
    while not any(parts.glob("*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.decode().splitlines()[-2:] == [
        "what is done is kept: the same command goes on from there",
        "interrupted",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".set.preparing", "source"]
