"""What a run shows of itself."""

import io
from dataclasses import replace

from rich.console import Console

from rotlab.execution.conduct.display import Display, duration, line, table
from rotlab.execution.conduct.snapshot import Active, Snapshot
from rotlab.planning.release.release import Counts

SNAPSHOT = Snapshot(
    counts={"pretrain": Counts(done=1, running=1), "evaluate": Counts(waiting=3, failed=1)},
    active=(Active("abcdef0123", "pretrain", 61.0, 40, {"lr": 0.1, "loss": 1.25}),),
    seconds=125.0,
    seconds_left=3725.0,
    is_least=False,
    ended=1,
)


def test_durations_read_as_clocks_do() -> None:
    assert [duration(s) for s in (0, 59.6, 61, 3725)] == ["0:00", "1:00", "1:01", "1:02:05"]


def test_a_line_tells_stages_by_kind_and_time_left() -> None:
    assert line(SNAPSHOT) == (
        "2:05 · pretrain 1/2 done, 1 running · evaluate 0/4 done, 1 failed · about 1:02:05 left"
    )


def test_the_table_shows_what_runs_with_its_loss_first() -> None:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as shown:
        console.print(table(SNAPSHOT))
    assert "pretrain abcdef01  1:01  step 40  loss 1.25  lr 0.1" in shown.get()


def test_without_a_terminal_whole_lines_are_printed_now_and_then() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=False, width=40)
    with Display(lambda: SNAPSHOT, console, every_s=0.01) as display:
        display._over.wait(0.1)
    lines = out.getvalue().splitlines()
    assert len(lines) > 1
    assert set(lines) == {line(SNAPSHOT)}


def test_on_a_terminal_the_live_table_is_gone_at_the_end() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with Display(lambda: SNAPSHOT, console):
        pass
    assert out.getvalue().rstrip().endswith(line(SNAPSHOT))


def test_an_estimate_that_leaves_kinds_out_says_so() -> None:
    assert "at least 1:02:05 left" in line(replace(SNAPSHOT, is_least=True))
    assert "left" not in line(replace(SNAPSHOT, is_least=True, seconds_left=None))
