import csv
import io
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from rotlab.reporting.comparison import compare
from rotlab.reporting.grid import Grid, grids
from rotlab.reporting.typeset import grid_csv, grid_html, grid_latex, grid_markdown, grid_text
from rotnet.errors import UserError

Frame = Callable[..., pd.DataFrame]

NASTY = 'a_b & 50% #1 {x} <b> | "q" ~^\\'


@pytest.fixture
def wide(frame: Frame) -> pd.DataFrame:
    """Scratch, and rotation and pace with two rotations each, on two targets; one cell missing."""
    rows = [
        {"target": target, "init": init, "pretext.rotations": rotations, "seed": seed}
        | {"accuracy": base + seed / 100}
        for target in ("ucf101", "hmdb51")
        for init, rotations, base in (
            ("scratch", None, 0.2),
            ("rotation", 2, 0.4),
            ("rotation", 4, 0.6),
            (NASTY, 2, 0.1),
            (NASTY, 4, 0.5),
        )
        for seed in (0, 1, 2)
    ]
    del rows[-1]["accuracy"]
    rows[-1]["state"] = "FAILED"
    return frame(rows, ["pretext.rotations", "init"])


def _only(study: pd.DataFrame, rows: str, columns: str) -> Grid:
    [grid] = grids(compare(study), rows, columns)
    return grid


def test_any_two_axes_are_rows_and_columns(study: pd.DataFrame) -> None:
    grid = _only(study, "init", "modality")
    assert grid.rows == ("init", ("scratch", "rotation"))
    assert grid.columns == ("modality", ("rgb", "dif"))
    turned = _only(study, "modality", "init")
    assert [[one and one.mean for one in line] for line in zip(*turned.places, strict=True)] == [
        [one and one.mean for one in line] for line in grid.places
    ]


def test_the_best_of_a_column_is_bold_the_second_underlined_and_differences_are_marked(
    wide: pd.DataFrame,
) -> None:
    [four] = [one for one in grids(compare(wide), "init", "target") if "rotations 4" in one.title]
    ranks = {
        side: line[0].rank for side, line in zip(four.rows[1], four.places, strict=True) if line[0]
    }
    assert ranks == {"scratch": None, "rotation": "best", NASTY: "second"}
    marks = [line[0].mark for line in four.places if line[0]]
    assert marks == ["", "***", "***"]
    assert "**60.0" not in grid_markdown(four)
    assert "**61.0**\\*\\*\\*" in grid_markdown(four)
    assert "<u>51.0</u>" in grid_markdown(four)
    assert r"\textbf{61.0}" in grid_latex(four)


def test_other_axes_make_tables_of_their_own_and_scratch_stands_in_all(wide: pd.DataFrame) -> None:
    made = grids(compare(wide), "init", "target")
    assert [one.title for one in made] == [
        "finetune: accuracy in %, rotations 2",
        "finetune: accuracy in %, rotations 4",
    ]
    assert all(one.places[0][0] is not None for one in made)


def test_an_arm_without_the_axis_has_a_row_of_its_own(wide: pd.DataFrame) -> None:
    made = grids(compare(wide[wide["target"] == "ucf101"]), "pretext.rotations", "init")
    [grid] = made
    assert grid.rows[1] == ("-", "2", "4")
    assert [place is None for place in grid.places[0]] == [False, True, True]
    assert grid.title.startswith("ucf101, ")


def test_what_is_missing_has_a_footnote_in_every_form(wide: pd.DataFrame) -> None:
    [four] = [one for one in grids(compare(wide), "init", "target") if "rotations 4" in one.title]
    said = "1: 1 of 3 cells missing (seed 2, split 1: failed)"
    for write in (grid_text, grid_markdown, grid_latex, grid_html):
        assert said in write(four)
    rows = list(csv.DictReader(io.StringIO(grid_csv(four))))
    assert [row["hmdb51 missing"] for row in rows] == ["0", "0", "1"]
    assert float(rows[1]["ucf101 mean"]) == pytest.approx(0.61)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_of_users_is_escaped_in_html(wide: pd.DataFrame) -> None:
    parser = _Tags()
    parser.feed(grid_html(grids(compare(wide), "init", "target")[0]))
    assert parser.open == []
    assert "b" not in parser.seen
    assert NASTY in parser.text


def test_latex_compiles_with_booktabs_alone(wide: pd.DataFrame, tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex on this machine")
    tables = "\n\n".join(map(grid_latex, grids(compare(wide), "init", "target")))
    source = (
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n%s\n\\end{document}"
    )
    (tmp_path / "table.tex").write_text(source % tables)
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "table.pdf").exists()


def test_axes_that_there_are_not_are_refused(study: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="did you mean 'init'"):
        grids(compare(study), "inti", "modality")
    with pytest.raises(UserError, match="both init"):
        grids(compare(study), "init", "init")
