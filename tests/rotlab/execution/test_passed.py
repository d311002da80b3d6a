"""What has passed is known again by the same code, with the same resources, and only then."""

from pathlib import Path

import pytest

from rotlab.execution.passed import Passed
from rotlab.execution.stage import provenance
from rotlab.planning.stage import Resources
from tests.rotlab.execution.lab import KINDS, make_stage

STAGE = make_stage("count", name="a")


def known(folder: Path, cpus: int = 1, address: str | None = None) -> Passed:
    return Passed(folder, KINDS, dict.fromkeys(KINDS, Resources(cpus, 0.0)), address)


def test_what_passed_is_known_to_a_later_run(tmp_path: Path) -> None:
    assert STAGE not in known(tmp_path)
    known(tmp_path).add([STAGE])
    known(tmp_path).add([make_stage("count", name="b")])
    assert STAGE in known(tmp_path)
    assert make_stage("count", name="c") not in known(tmp_path)


def test_other_resources_and_another_cluster_are_to_be_tried(tmp_path: Path) -> None:
    known(tmp_path).add([STAGE])
    assert STAGE not in known(tmp_path, cpus=2)
    assert STAGE not in known(tmp_path, address="auto")


@pytest.mark.parametrize("name", ["platform_source", "versions"])
def test_other_code_is_to_be_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    known(tmp_path).add([STAGE])
    monkeypatch.setattr(provenance, name, lambda: {"torch": "another"})
    assert STAGE not in known(tmp_path)


def test_what_no_source_is_known_of_is_always_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "source", lambda _: None)
    known(tmp_path).add([STAGE])
    assert STAGE not in known(tmp_path)


def test_a_torn_memory_costs_a_trial_and_no_more(tmp_path: Path) -> None:
    known(tmp_path).add([STAGE])
    (tmp_path / "passed.json").write_text('["ab')
    assert STAGE not in known(tmp_path)
    known(tmp_path).add([STAGE])
    assert STAGE in known(tmp_path)
