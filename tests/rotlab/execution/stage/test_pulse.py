"""Signs of life, and what becomes of a stage that gives none."""

import subprocess
import sys
from pathlib import Path

from rotlab.execution.on_ray.stage_log import was_hung
from rotlab.execution.stage.pulse import Pulse
from rotnet.learning.watch import Unwatched

HANG = """
import sys, time
from pathlib import Path
from rotlab.execution.stage.pulse import Pulse
from rotnet.learning.watch import Unwatched

def deep_in_the_stage():
    time.sleep(30)

with Pulse(Unwatched(), 0.2, Path(sys.argv[1])) as pulse:
    for step in range(int(sys.argv[2])):
        pulse.report(step, {})
        time.sleep(0.1)
    if sys.argv[3] == "hang":
        deep_in_the_stage()
print("the end")
"""


def run(log: Path, steps: int, end: str) -> subprocess.CompletedProcess[str]:
    code = HANG.replace("0.2,", "0.5,")
    words = [sys.executable, "-c", code, str(log), str(steps), end]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603


def test_a_hung_stage_is_ended_and_its_log_says_where_it_stood(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run(log, 2, "hang")
    assert (done.returncode, done.stdout) == (1, "")
    assert "deep_in_the_stage" in log.read_text()
    assert was_hung(log)


def test_a_stage_that_is_slow_but_alive_is_not_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run(log, 20, "go on")
    assert (done.returncode, done.stdout) == (0, "the end\n")
    assert not was_hung(log)


def test_every_call_is_a_sign_of_life_and_is_passed_on(tmp_path: Path) -> None:
    heard: list[object] = []

    class Ear(Unwatched):
        def report(self, step: int, metrics: object) -> None:  # noqa: ARG002
            heard.append(step)

        def saved(self, step: int, path: Path) -> None:  # noqa: ARG002
            heard.append(path)

    with Pulse(Ear(), None, tmp_path / "log") as pulse:
        pulse.report(1, {})
        pulse.saved(2, tmp_path)
        assert pulse.should_stop() == "no"
    assert heard == [1, tmp_path]
    assert not (tmp_path / "log").exists()


def test_a_stage_is_alive_unless_it_is_hung_or_waits_long_for_an_answer(tmp_path: Path) -> None:
    now = 0.0
    answers: list[bool] = []

    class Slow(Unwatched):
        def report(self, step: int, metrics: object) -> None:  # noqa: ARG002
            nonlocal now
            now += 50
            answers.append(pulse.is_alive(60))
            now += 50
            answers.append(pulse.is_alive(60))

    pulse = Pulse(Slow(), 1000.0, tmp_path / "log", clock=lambda: now)
    pulse.report(1, {})
    assert answers == [True, False]
    assert pulse.is_alive(60)
    now += 999
    assert pulse.is_alive(60)
    now += 2
    assert not pulse.is_alive(60)
