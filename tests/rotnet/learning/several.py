"""Processes that train together, for tests: they find one another by a file."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from rotnet.config import PretrainConfig
from rotnet.data.video import VideoSet
from rotnet.learning.company import Company, begin
from rotnet.learning.descent import Descent, Taken
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Stopped, StopWish, Unwatched


class StopsAt(Unwatched):
    """A watch that wishes to stop at a checkpoint when it is asked for the nth time."""

    def __init__(self, number: int | None) -> None:
        self._number, self._asked = number, 0

    def should_stop(self) -> StopWish:
        self._asked += 1
        return "at_checkpoint" if self._asked == self._number else "no"


def train(
    config: PretrainConfig, videos: VideoSet, folder: Path, stop_at: int | None = None
) -> dict[str, float]:
    """Pretrain, alone or with others; nothing is returned where it was stopped."""
    folder.mkdir(exist_ok=True, parents=True)
    with contextlib.suppress(Stopped):
        return pretrain(config, videos, folder, StopsAt(stop_at))
    return {}


def die(config: PretrainConfig, videos: VideoSet, folder: Path, at: int) -> None:
    """Pretrain; every process but the leader dies before it takes a step."""
    take = Descent.step

    def step(self: Descent, number: int, batch: Any) -> Taken:
        if number == at and not Company.here().leads:
            os._exit(9)
        return take(self, number, batch)

    Descent.step = step  # type: ignore[method-assign]
    train(config, videos, folder)


def draw_more(config: PretrainConfig, videos: VideoSet, folder: Path) -> None:
    """Pretrain by a network that draws by chance beside its head's dropout."""
    take = Descent._go_through

    def go_through(self: Descent, *given: Any) -> Any:
        torch.rand(1)
        return take(self, *given)

    Descent._go_through = go_through  # type: ignore[assignment,method-assign]
    train(config, videos, folder)


class Several:
    """Calls functions in several processes that are in one group.

    Args:
        pool: of so many processes.
        count: how many.
    """

    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool, self._count = pool, count

    def begin(self, function: Callable[..., Any], *given: Any) -> list[Future[Any]]:
        """Return what each will return, by rank."""
        meeting = Path(tempfile.mkdtemp()) / "meeting"
        return [
            self._pool.submit(_as_one_of, meeting, rank, self._count, function, given)
            for rank in range(self._count)
        ]

    def call(self, function: Callable[..., Any], *given: Any) -> list[Any]:
        """Return what each returns, by rank."""
        return [one.result() for one in self.begin(function, *given)]


@contextlib.contextmanager
def several(count: int, *, gpus: bool = False) -> Iterator[Several]:
    """Start so many processes, and end them; without GPUs they see none, where there are any."""
    begun = None if gpus else _see_no_gpu
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=begun) as pool:
        yield Several(pool, count)


def _see_no_gpu() -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""


def _as_one_of(
    meeting: Path, rank: int, count: int, function: Callable[..., Any], given: tuple[Any, ...]
) -> Any:
    torch.set_num_threads(1)
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
    begin(init_method=f"file://{meeting}", rank=rank, world_size=count)
    try:
        return function(*given)
    finally:
        dist.destroy_process_group()
