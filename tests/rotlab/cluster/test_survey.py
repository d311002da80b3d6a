"""What one machine has."""

import os
from pathlib import Path

import pytest

from rotlab.cluster.survey import look_at_store, room, survey


def test_a_machine_is_told_with_its_versions_and_its_room(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    found = survey(str(tmp_path), "mark")
    assert found.store is None
    assert {"python", "torch", "ray", "mlflow"} <= found.versions.keys()
    assert found.rooms["cache"].path == os.environ["ROTNET_CACHE"]
    assert found.rooms["temporary"].free_bytes > 0
    assert [path.name for path in tmp_path.iterdir()] == ["mark"]


def test_a_folder_that_is_not_there_yet_has_the_room_of_its_disk(tmp_path: Path) -> None:
    assert room(tmp_path / "a" / "b").free_bytes > 0


def test_another_folder_than_the_drivers_is_found_out(tmp_path: Path) -> None:
    assert "is not the folder that the driver writes to" in str(look_at_store(tmp_path, "mark"))


def test_a_store_without_hard_links_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, f"Operation not permitted: {target} {self}")

    (tmp_path / "mark").touch()
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert "cannot be written (Operation not permitted" in str(look_at_store(tmp_path, "mark"))
    assert [path.name for path in tmp_path.iterdir()] == ["mark"]


def test_a_store_in_which_a_file_is_created_twice_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mark").touch()
    monkeypatch.setattr(Path, "hardlink_to", lambda self, target: target.replace(self))
    assert "lets two processes create one file" in str(look_at_store(tmp_path, "mark"))
