"""`rotlab diff`: what a run of a file would do, and why."""

from pathlib import Path

import pytest

from rotlab.cli import main

PAPER = Path(__file__).parents[3] / "search_spaces" / "paper.yaml"


def test_in_an_empty_store_all_would_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(PAPER), "--store", str(tmp_path), "--data", str(tmp_path)]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading == "paper: 756 of 756 stages would run"
    assert lines[0].split(maxsplit=2) == ["36", "pretrain:", "the store has no result of pretrain"]
    assert len(lines) == 4


def test_a_file_that_is_not_in_order_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'none.yaml'}: no such file\n"
