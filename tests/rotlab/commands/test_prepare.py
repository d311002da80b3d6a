"""`rotlab prepare`: interrupted or killed it goes on; what is wrong is said in one line."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rotlab.cli import INTERRUPTED, USER_ERROR, main
from rotlab.commands.prepare import awaited
from rotlab.execution.conduct.capacity import Capacity
from rotnet.cli import main as alone
from rotnet.data.staging import staging_of
from rotnet.data.synthetic import write_videos
from tests.rotlab.execution.processes import descendants, kill, wait_until
from tests.rotnet.data.preparing import content_of

NUMBER = 40


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    write_videos(tmp_path / "source", num_videos=NUMBER, seed=0, pool=True)
    return tmp_path / "source"


def words(videos: Path, out: Path) -> list[str]:
    return ["folder", str(videos), str(out), "--unlabelled", "--name", "set", "--short-side", "32"]


def start(videos: Path, out: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "rotlab.cli", "prepare", *words(videos, out), "--cpus", "2"]
    return subprocess.Popen(  # noqa: S603  (the words are ours)
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def done(out: Path) -> list[str]:
    return [path.name for path in staging_of(out).glob("work/parts/*.json") if len(path.stem) == 32]


@pytest.mark.cluster
@pytest.mark.slow
def test_cut_short_in_any_way_it_goes_on_to_the_files_of_one_process(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alone(["prepare", *words(videos, tmp_path / "alone"), "--workers", "0"]) == 0
    out = tmp_path / "set"
    first = start(videos, out)
    wait_until(lambda: len(done(out)) > 3 or first.poll() is not None, 120)
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=60)
    assert first.returncode == INTERRUPTED, told
    assert "what is done is kept: the same command goes on from there" in told

    kept = set(done(out))
    assert kept
    second = start(videos, out)
    wait_until(lambda: len(done(out)) > len(kept) + 3 or second.poll() is not None, 120)
    assert second.poll() is None
    kill(second.pid, *descendants(second.pid))
    second.communicate(timeout=60)
    assert kept < set(done(out))

    third = start(videos, out)
    said, told = third.communicate(timeout=240)
    assert third.returncode == 0, told
    assert f"prepared {out}: {NUMBER} videos" in said
    assert content_of(out) == content_of(tmp_path / "alone")
    assert alone(["prepare", *words(videos, out)]) == 0
    assert "nothing to do: same videos, same settings" in capsys.readouterr().out
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["folder", "none", "out"], "none does not exist: SOURCE must be a folder of videos"),
        (["folder", ".", "file"], "is a file: OUT must be a new folder, or a prepared set"),
        (["folder", ".", "out", "--cpus-per", "0"], "--cpus-per: must be at least 0.01, got 0"),
        (["folder", ".", "out", "--cpus-per", "0.00001"], "must be at least 0.01, got 1e-05"),
        (["folder", ".", "out", "--cpus", "0"], "--cpus: must be a whole number of at least 1"),
        (["folder", ".", "out", "--address", "127.0.0.1:9"], "nobody answers there"),
        (["folder", ".", "out", "--workers", "2"], "unrecognized arguments: --workers 2"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_before_a_ray_starts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert main(["prepare", *given]) == USER_ERROR
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_it_is_said_where_no_node_can_hold_a_video_yet() -> None:
    nodes = Capacity(6.0, 0.0, ((0.0, 0.0), (4.0, 0.0), (2.0, 0.0)))
    assert awaited(nodes, 4.0) is None
    told = awaited(nodes, 4.5) or ""
    assert told.startswith("no node has 4.5 cores, the largest has 4: waiting until one comes")
    assert "the largest has 0" in (awaited(Capacity(0.0, 0.0), 1.0) or "")
