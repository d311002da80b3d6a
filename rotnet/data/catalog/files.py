"""Which files below a folder are videos, by their names."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

VIDEO_SUFFIXES = frozenset(
    [
        ".3gp",
        ".asf",
        ".avi",
        ".flv",
        ".gif",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
    ]
)


def video_paths(source: Path) -> tuple[list[str], int]:
    """Return the sorted relative paths of all videos below a source, and the number of others.

    Hidden files are neither; links to folders are followed unless they lead back up.
    """
    videos: list[str] = []
    ignored = 0
    for path in _files(source, {source.resolve()}):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            videos.append(path.relative_to(source).as_posix())
        else:
            ignored += 1
    return sorted(videos), ignored


def stem(path: str) -> str:
    """Return a file's name without its folders, and without its suffix if that is a video's.

    A name that a list gives without a suffix may hold dots.
    """
    name = path.rpartition("/")[2]
    cut = PurePosixPath(name)
    return cut.stem if cut.suffix.lower() in VIDEO_SUFFIXES else name


def _files(folder: Path, above: set[Path]) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if not path.is_dir():
            yield path
        elif (real := path.resolve()) not in above:
            yield from _files(path, above | {real})
