"""What a prepared set holds, as tables of text. Counting only; nothing is printed here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rotnet.data.catalog import UtInteractionKind, WeizmannKind
from rotnet.data.framestore.layout import Record, origin_of
from rotnet.data.header import Header
from rotnet.data.manifest import Manifest
from rotnet.data.sizes import in_bytes
from rotnet.data.video import Video

WINDOWS = (17, 33)  # frames that a clip of 16 spans at stride 1 and 2: T * stride + 1
MOST_COMMON = 5
WIDEST = 5  # splits that have a column in the table of classes
HOLD_GROUPS_OUT = (WeizmannKind().name, UtInteractionKind().name)


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column names (none for a list of facts) and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def summarise(manifest: Manifest, header: Header) -> tuple[Table, ...]:
    """Return tables of a set: facts, classes, splits, pictures, bars, and what is not whole."""
    kept = [video for video in manifest.videos if video.kept]
    tables = [
        _facts(manifest, header, kept),
        _classes(manifest, kept),
        _splits(manifest, kept),
        _pictures(kept),
        _bars(kept),
        _troubled(manifest.videos),
    ]
    return tuple(table for table in tables if table.rows)


def _place(folder: Path) -> list[tuple[str, str]]:
    url = origin_of(folder)
    staged = [("from", url)] if url is not None else []
    return [*staged, ("folder", str(folder))]


def _store(record: Record) -> str:
    if record.source is not None:
        return f"in the videos, {record.source}"
    shards = f"{len(record.shards)} shard{'s' if len(record.shards) != 1 else ''}"
    return f"{in_bytes(record.num_bytes)} of {record.storage} in {shards}"


def _facts(manifest: Manifest, header: Header, kept: Sequence[Video]) -> Table:
    counts = header.counts
    facts = [
        *_place(manifest.folder),
        ("kind", header.kind),
        ("fingerprint", header.fingerprint[:16]),
        ("settings", ", ".join(f"{key}={value}" for key, value in header.settings.items())),
        (
            "videos",
            f"{len(kept)} kept ({counts['part']} of them in part), {counts['left_out']} left out; "
            f"{counts['ignored_files']} other files ignored",
        ),
        ("groups", str(len({video.group for video in kept}))),
        ("identical", _identical(kept)),
        ("frames", _store(Record.load(manifest.folder))),
    ]
    if "missing" in counts:
        listed = f"{counts['listed']:,} videos, {counts['missing']:,} of them missing"
        facts.append(("listed", f"{listed}; {counts['unlisted']:,} others were there, not used"))
    if header.kind in HOLD_GROUPS_OUT:
        facts += [
            (f"test of split {number}", ", ".join(_test_groups(kept, number)))
            for number in range(1, manifest.num_splits + 1)
        ]
    facts += [("note", note) for note in header.notes]
    return Table(manifest.name, (), tuple(facts))


def _identical(kept: Sequence[Video]) -> str:
    copies = sum(number - 1 for number in Counter(video.sha256 for video in kept).values())
    return f"{copies} videos are byte for byte another one; they share its group"


def _test_groups(kept: Iterable[Video], number: int) -> list[str]:
    return sorted({video.group for video in kept if video.splits[number - 1] == "test"})


def _classes(manifest: Manifest, kept: Sequence[Video]) -> Table:
    """Return videos per class, and for each split the numbers that train and test."""
    if not manifest.classes:
        return Table("classes", (), (("labels", "none: for pretraining only"),))
    shown = manifest.num_splits if manifest.num_splits <= WIDEST else 0
    rows = [
        (label, *_counted([video for video in kept if video.label == label], shown))
        for label in manifest.classes
    ]
    rows.append(("all", *_counted(kept, shown)))
    splits = (f"split {number} train+test" for number in range(1, shown + 1))
    return Table("classes", ("class", "videos", *splits), tuple(rows))


def _splits(manifest: Manifest, kept: Sequence[Video]) -> Table:
    """Return each split's numbers, where they are many or leave videos unused."""
    sides = [Counter(video.splits[k] for video in kept) for k in range(manifest.num_splits)]
    if len(sides) <= WIDEST and not any(each["unused"] for each in sides):
        return Table("splits", (), ())
    rows = [
        (str(number), *(str(each[side]) for side in ("train", "test", "unused")))
        for number, each in enumerate(sides, start=1)
    ]
    return Table("splits", ("split", "train", "test", "unused"), tuple(rows))


def _counted(videos: Sequence[Video], num_splits: int) -> Iterable[str]:
    yield str(len(videos))
    for index in range(num_splits):
        sides = Counter(video.splits[index] for video in videos)
        yield f"{sides['train']}+{sides['test']}"


def _pictures(kept: Sequence[Video]) -> Table:
    frames = [video.frames for video in kept]
    short = [
        f"{number} ({number / len(kept):.0%}) shorter than {window}"
        for window in WINDOWS
        for number in [sum(count < window for count in frames)]
    ]
    rows = [
        ("source size", _common(f"{video.width}x{video.height}" for video in kept)),
        ("stored size", _common(f"{video.stored_width}x{video.stored_height}" for video in kept)),
        (
            "frames",
            f"{min(frames)} to {max(frames)}, median {median(frames):g}; {sum(frames)} in all",
        ),
        ("short videos", "; ".join(short)),
        ("frames a second", _common(f"{video.fps:.4g}" for video in kept)),
        ("rotated upright", _common(f"{v.rotation} degrees" for v in kept if v.rotation)),
    ]
    return Table("pictures", (), tuple(row for row in rows if row[1]))


def _bars(kept: Sequence[Video]) -> Table:
    """Return, for each side, how many videos had lines cut there, and how many lines."""
    cuts: dict[str, list[int]] = {"top": [], "bottom": [], "left": [], "right": []}
    for video in kept:
        if video.area:
            cuts["top"].append(video.area.y)
            cuts["bottom"].append(video.height - video.area.y - video.area.height)
            cuts["left"].append(video.area.x)
            cuts["right"].append(video.width - video.area.x - video.area.width)
    rows = [
        (side, str(len(found)), f"{median(found):g}", f"{min(found)} to {max(found)}")
        for side, lines in cuts.items()
        if (found := [number for number in lines if number])
    ]
    columns = ("side", "videos cut", "median lines", "range")
    return Table("black bars and half-dark edges cut", columns, tuple(rows))


def _troubled(videos: Iterable[Video]) -> Table:
    rows = [
        (video.path, video.status.replace("_", " "), video.reason)
        for video in videos
        if video.status != "ok"
    ]
    return Table("not wholly decodable", ("video", "status", "reason"), tuple(rows))


def _common(values: Iterable[str]) -> str:
    """Return the most frequent values with their counts, and how many others there are."""
    counts = Counter(values)
    shown = [f"{value} ({number})" for value, number in counts.most_common(MOST_COMMON)]
    rest = len(counts) - len(shown)
    return ", ".join(shown) + (f", and {rest} others" if rest else "")
