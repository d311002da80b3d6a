"""Search spaces written on the spot, and plans of them, for sets that are not on the machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rotlab.planning.kinds import load_kinds
from rotlab.planning.outline.outline import outline, outline_json
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import find_all, plan_file
from rotlab.planning.plan.planner import make_plan
from rotlab.planning.space.spec import Spec, load_spec

HEAD = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Spec]:
    """Return what reads a search space given as text."""

    def read_text(text: str) -> Spec:
        path = tmp_path / "space.yaml"
        path.write_text(text)
        return load_spec(path)

    return read_text


@pytest.fixture
def plan(read: Callable[[str], Spec], tmp_path: Path) -> Callable[[str], Plan]:
    """Return what plans a search space: its text below a head that names two data sets."""

    def plan_text(text: str) -> Plan:
        spec = read(text if text.startswith("name:") else HEAD + text)
        return make_plan(spec, load_kinds(), find_all(spec, tmp_path / "none"))

    return plan_text


@pytest.fixture
def outlined(tmp_path: Path) -> Callable[[str], tuple[str, dict[str, Any]]]:
    """Return what outlines a search space's plan, as text and as values."""

    def outline_text(text: str) -> tuple[str, dict[str, Any]]:
        path = tmp_path / "space.yaml"
        path.write_text(HEAD + text)
        planned = plan_file(path, tmp_path / "none")
        return outline(planned, {}), outline_json(planned, {})

    return outline_text
