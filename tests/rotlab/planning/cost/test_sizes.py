"""How many videos sets have, here and where they are absent."""

from pathlib import Path
from typing import Literal

import pytest

from rotlab.planning.cost.sizes import PUBLISHED, Sizes
from rotlab.planning.datasets import find_datasets
from rotlab.planning.stage import DataRef, Role
from rotnet.data.manifest import Manifest


def absent(name: str) -> Sizes:
    return Sizes(find_datasets([name], "nowhere"))


def ref(name: str, role: Role, split: int | None = None) -> DataRef:
    return DataRef(name, role, split, f"absent:{name}")


@pytest.mark.parametrize(
    ("name", "role", "split", "videos"),
    [
        ("ucf101", "train", 1, 9537),
        ("ucf101", "test", 1, 3783),
        ("ucf101", "test", 3, 3696),
        ("ucf101", "pretrain", None, 13320),
        ("hmdb51", "train", 2, 3570),
        ("hmdb51", "test", 3, 1530),
        ("kinetics400", "train", 1, 246245),
        ("kinetics400", "pretrain", None, 266245),
    ],
)
def test_absent_sets_are_as_large_as_published(
    name: str, role: Role, split: int | None, videos: int
) -> None:
    sizes = absent(name)
    found = sizes.of(ref(name, role, split))
    assert found is not None
    assert found.videos == videos
    (said,) = sizes.sources().values()
    assert PUBLISHED[name].source in said


def test_published_splits_hold_no_more_than_all_videos() -> None:
    for published in PUBLISHED.values():
        assert all(train + test <= published.videos for train, test in published.splits)


def test_what_nobody_has_counted_is_not_known() -> None:
    assert absent("mine").of(ref("mine", "train", 1)) is None
    assert absent("hockey").of(ref("hockey", "train", 1)) is None  # it has no splits
    assert absent("ucf101").of(DataRef("ucf101", "train", 1, "another set")) is None
    assert absent("ucf101").of(ref("ucf101", "weights")) is None


def test_a_prepared_set_is_counted(actions: Manifest, pool: Manifest, tmp_path: Path) -> None:
    for one, name in ((actions, "mine"), (pool, "ucf101")):
        (tmp_path / name).symlink_to(one.folder)
    sizes = Sizes(find_datasets(["mine", "ucf101"], tmp_path))
    roles: tuple[Literal["train", "test"], ...] = ("train", "test")
    for split in (1, 2, 3):
        for role in roles:
            found = sizes.of(DataRef("mine", role, split, actions.fingerprint))
            assert found is not None
            assert found.videos == len(actions.select(role, split).videos)
            assert (found.classes, found.source) == (len(actions.classes), "prepared")
    found = sizes.of(DataRef("ucf101", "pretrain", None, pool.fingerprint))
    assert found is not None
    assert found.videos == len(pool.videos)  # what is here counts, not what is published
    assert sizes.of(ref("ucf101", "pretrain")) is None
    assert sizes.sources()["ucf101"] == "20 videos (prepared)"
