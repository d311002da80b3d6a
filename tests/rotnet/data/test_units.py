"""What cannot be torn apart: groups, joined by identical files."""

from rotnet.data.units import join_identical, units_of
from rotnet.data.video import Video


def video(path: str, group: str, sha256: str = "") -> Video:
    return Video(path, None, group, (), 20, 25.0, 8, 8, 0, None, sha256, "ok", "", 8, 8, 0)


CHAIN = [
    video("1", "a", "x"),
    video("2", "b", "x"),
    video("3", "b", "y"),
    video("4", "c", "y"),
    video("5", "d", "z"),
]


def test_groups_are_joined_through_chains_of_identical_files() -> None:
    assert join_identical(CHAIN) == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert join_identical(CHAIN[::-1]) == join_identical(CHAIN)


def test_a_unit_is_all_videos_of_joined_groups() -> None:
    units = units_of(CHAIN)
    assert {name: [each.path for each in unit] for name, unit in units.items()} == {
        "a": ["1", "2", "3", "4"],
        "d": ["5"],
    }


def test_files_that_could_not_be_read_are_not_identical() -> None:
    assert len(units_of([video("1", "a"), video("2", "b")])) == 2
