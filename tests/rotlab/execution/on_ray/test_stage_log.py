"""What a stage says ends in its own log, whoever prints it."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rotlab.execution.on_ray.stage_log import logged, tail

CODE = """
import logging, os, sys
from pathlib import Path
from rotlab.execution.on_ray.stage_log import logged
print("before")
with logged(Path(sys.argv[1]), silent=True):
    print("a print")
    os.write(2, b"from C\\n")
    logging.getLogger("rotnet.x").info("news")
    logging.getLogger("else").info("no news")
print("after")
"""


def test_all_that_is_printed_goes_to_the_log_and_then_no_more(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "one.log"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", CODE, str(log)], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")
    text = log.read_text()
    for said in ("a print\n", "from C\n", "rotnet.x: news\n"):
        assert said in text
    assert "no news" not in text


def test_where_workers_talk_only_what_is_logged_goes_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    before = logging.getLogger("rotlab").level
    with logged(log, silent=False):
        os.write(1, b"talk\n")
        logging.getLogger("rotlab").info("news")
    assert capfd.readouterr().out == "talk\n"
    assert tail(log).endswith("rotlab: news\n")
    assert logging.getLogger("rotlab").level == before


def test_there_is_no_end_of_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert tail(tmp_path / "none") == ""
