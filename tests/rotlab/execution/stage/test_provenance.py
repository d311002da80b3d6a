"""Where a result comes from: the digest of its source moves with the source, and only with it."""

import sys
from pathlib import Path

import pytest

from rotlab.execution.stage import provenance


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of somebody's own with a stage's function, on the path."""
    package = tmp_path / "plug"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "kinds.py").write_text("def run(): ...\n")
    (package / "maths.py").write_text("TWO = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    return package


def source_now(run: str) -> str | None:
    """What a process that has just started would say."""
    for asked_once in (provenance.source, provenance._files, provenance._digest):
        asked_once.cache_clear()
    return provenance.source(run)


def test_every_file_of_a_kinds_own_package_counts(plug: Path) -> None:
    before = source_now("plug.kinds:run")
    assert before == source_now("plug.kinds:run")
    (plug / "maths.py").write_text("TWO = 3\n")
    assert source_now("plug.kinds:run") != before


def test_a_process_keeps_the_source_it_began_with(plug: Path) -> None:
    before = source_now("plug.kinds:run")
    (plug / "maths.py").write_text("TWO = 3\n")
    assert provenance.source("plug.kinds:run") == before


def test_of_the_platform_only_the_function_s_module_counts() -> None:
    files = provenance._own_files("rotlab.execution.stage.stages")
    assert [path.name for path in files.values()] == ["stages.py"]
    assert all(name.startswith("rotnet/") for name in provenance._files("rotnet"))
    assert source_now("rotlab.execution.stage.stages:pretrain") == source_now(
        "rotlab.execution.stage.stages:finetune"
    )


def test_a_module_in_no_package_counts_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lonely.py").write_text("def run(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = source_now("lonely:run")
    (tmp_path / "other.py").touch()
    assert source_now("lonely:run") == before
    (tmp_path / "lonely.py").write_text("def run(): return 1\n")
    assert source_now("lonely:run") != before
    assert "lonely" not in sys.modules
