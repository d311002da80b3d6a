"""What travels with a study."""

from pathlib import Path

import pytest

from rotlab.cluster.parcel import code, pack
from rotlab.planning.space.include import read_whole
from rotlab.planning.space.problems import SpecError


def test_a_file_travels_with_all_that_it_includes(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "spaces").mkdir(parents=True)
    (here / "base.yaml").write_text("base: tiny\n")
    (here / "spaces" / "more.yaml").write_text("include: ../base.yaml\nquestion: q\n")
    (here / "spaces" / "mine.yaml").write_text("include: [more.yaml, ../base.yaml]\nname: mine\n")
    (here / "spaces" / "private.yaml").write_text("not: sent\n")
    inside = pack(here / "spaces" / "mine.yaml", there)
    assert inside == "spaces/mine.yaml"
    assert read_whole(there / inside).values == {"base": "tiny", "question": "q", "name": "mine"}
    assert not (there / "spaces" / "private.yaml").exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        pack(tmp_path / "none.yaml", tmp_path / "there")


def test_the_code_at_work_is_two_folders() -> None:
    assert [Path(one).name for one in code()] == ["rotnet", "rotlab"]
    assert all((Path(one) / "__init__.py").is_file() for one in code())
