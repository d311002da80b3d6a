"""A video file that belongs to no prepared set, read as preparation would read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rotnet.data.catalog import Candidate
from rotnet.data.store import Storage, Task, prepare_video
from rotnet.data.video import VideoSet
from rotnet.data.workplace import Packer, Workplace
from rotnet.errors import DataError


@dataclass(frozen=True, slots=True)
class NewVideo:
    """A set of one video, and what is wrong with it where it is used in part, else empty."""

    videos: VideoSet
    note: str


@contextmanager
def new_video(file: Path, *, short_side: int) -> Iterator[NewVideo]:
    """Give a video file as a set of its own, whose frames lie in a temporary folder.

    It is turned upright, rid of bars and reduced like any video that `rotnet prepare` stores, with
    that command's short side or the one asked for, whichever is longer.

    Args:
        file: of any format that can be decoded.
        short_side: of the pictures that are wanted, in pixels.

    Raises:
        DataError: if it is no video that can be decoded; the message is one line that names it.
    """
    if not file.is_file():
        raise DataError(
            f"{file}: {'a folder' if file.is_dir() else 'no such file'}; give a video file"
        )
    storage = Storage(short_side=max(short_side, Storage().short_side))
    with TemporaryDirectory(prefix="rotnet-") as place:
        workplace = Workplace(Path(place), {})
        candidate = Candidate(path=file.name, label=None, group=file.name)
        task = Task(file, candidate, storage, workplace.part(candidate.path))
        stored = prepare_video(task)
        if not stored.video.kept:
            raise DataError(f"{file}: {stored.video.reason}")
        packer = Packer(workplace, has_frames=True)
        packer.add(stored, task.part)
        packer.finish(storage.format, None)
        (video,) = packer.rows
        videos = VideoSet(workplace.set, (), video.sha256, "pretrain", None, (video,))
        yield NewVideo(videos, video.reason)
