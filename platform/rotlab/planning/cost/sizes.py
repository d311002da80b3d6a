"""How many videos a data set has: of a prepared one counted, of an absent one as published."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rotlab.planning.datasets import DatasetInfo
from rotlab.planning.stage import DataRef, Role
from rotlab.planning.work import Size
from rotnet.data.catalog.hmdb51 import PUBLISHED as HMDB51
from rotnet.data.catalog.moments import PUBLISHED as MOMENTS
from rotnet.data.catalog.ucf101 import PUBLISHED as UCF101
from rotnet.data.header import MANIFEST_FILE, read_header
from rotnet.data.rows import read_rows


@dataclass(frozen=True, slots=True)
class Published:
    """How many videos a set has, for planning without it.

    Args:
        videos: all that its preparation keeps, and pretraining without a split learns from.
        splits: training and test videos of each split; one for all where it stands alone.
        source: of these numbers.
    """

    videos: int
    splits: tuple[tuple[int, int], ...]
    source: str


PUBLISHED: Mapping[str, Published] = {
    "demo": Published(256, ((48, 208),), "as `make demo` makes it"),
    "demo-pool": Published(600, (), "as `make demo` makes it"),
    "hmdb51": Published(6766, (HMDB51,), "its official lists"),
    "hockey": Published(1000, (), "Bermejo Nievas et al. 2011"),
    # 306,245 videos, of which each of 400 classes has 50 to validate and 100 to test on; those to
    # test on bear no label and are not prepared. Videos vanish from YouTube.
    "kinetics400": Published(
        266_245, ((246_245, 20_000),), "Kay et al. 2017, arXiv 1705.06950; some have vanished"
    ),
    "moments": Published(
        sum(MOMENTS.values()),
        ((MOMENTS["train"], MOMENTS["test"]),),
        "Monfort et al. 2018, arXiv 1801.03150, first edition",
    ),
    "ucf101": Published(13_320, UCF101, "its official lists"),
    "ut-interaction": Published(120, ((54, 6),), "Ryoo and Aggarwal 2010: both sets"),
    # Nine persons in ten actions; one of the second three ran, skipped and walked twice.
    "weizmann": Published(93, ((63, 30), (60, 33), (63, 30)), "Gorelick et al. 2007"),
}


class Sizes:
    """The sizes of the data sets of a plan. Each is read or looked up once, when it is asked for.

    Args:
        datasets: what is known of each set.
    """

    def __init__(self, datasets: Mapping[str, DatasetInfo]) -> None:
        self._datasets = datasets
        self._sets: dict[str, _Prepared | _Absent | None] = {}
        self._sizes: dict[DataRef, Size | None] = {}

    def of(self, ref: DataRef) -> Size | None:
        """Return the size of what a stage is given; None where it is not known.

        It is not for weights, for an absent set without published numbers, and for a set that is
        not what it was when the reference was made.

        Raises:
            DataError: a prepared set cannot be read.
        """
        if ref not in self._sizes:
            self._sizes[ref] = self._find(ref)
        return self._sizes[ref]

    def sources(self) -> dict[str, str]:
        """Return data set -> its number of videos and where that is from, of those asked for."""
        found = {name: one for name, one in sorted(self._sets.items()) if one is not None}
        return {name: f"{one.videos:,} videos ({one.source})" for name, one in found.items()}

    def _find(self, ref: DataRef) -> Size | None:
        info = self._datasets.get(ref.name)
        if ref.role == "weights" or info is None or info.fingerprint != ref.fingerprint:
            return None
        if ref.name not in self._sets:
            self._sets[ref.name] = _set(info)
        found = self._sets[ref.name]
        videos = None if found is None else found.count(ref.role, ref.split)
        if found is None or videos is None:
            return None
        return Size(videos, info.classes or 0, found.source)


def _set(info: DatasetInfo) -> "_Prepared | _Absent | None":
    if not info.absent:
        return _Prepared(info)
    published = PUBLISHED.get(info.name)
    return None if published is None else _Absent(published)


class _Prepared:
    """A set on this machine: its header says how many videos it has, its rows how many a side."""

    source = "prepared"

    def __init__(self, info: DatasetInfo) -> None:
        if info.folder is None:
            raise ValueError(f"{info.name} is not prepared")
        self._folder = info.folder
        self._num_splits = info.num_splits or 0
        counts = read_header(self._folder).counts
        self.videos = counts["ok"] + counts["part"]

    def count(self, role: Role, split: int | None) -> int | None:
        if split is None:
            return self.videos
        side = "test" if role == "test" else "train"
        return self._sides.count((split, side))

    @cached_property
    def _sides(self) -> list[tuple[int, str]]:
        rows = read_rows(self._folder / MANIFEST_FILE, self._num_splits)
        return [
            (index + 1, side) for row in rows if row.kept for index, side in enumerate(row.splits)
        ]


class _Absent:
    """A set that is still to be prepared."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self.videos = published.videos
        self.source = published.source

    def count(self, role: Role, split: int | None) -> int | None:
        splits = self._published.splits
        if split is None:
            return self.videos if role == "pretrain" else None
        if not splits:
            return None
        train, test = splits[min(split, len(splits)) - 1]
        return test if role == "test" else train
