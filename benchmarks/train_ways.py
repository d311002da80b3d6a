"""The ways to train that benchmarks/train.py puts side by side."""

import os
import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from rotnet.config import PretrainConfig
from rotnet.data.frames import FrameReader
from rotnet.data.sampling import frame_indices, random_place
from rotnet.data.video import VideoSet
from rotnet.learning.device import find_device
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Stopped, StopWish, Unwatched
from rotnet.models.convolution import Conv3d
from rotnet.models.net import build

DEVICE = find_device()
ON_GPU = DEVICE.type == "cuda"
CORES = os.cpu_count() or 1
PRECISIONS = {"fp32": None, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Case:
    """What all ways train: settings, videos, and the videos' frames in memory."""

    config: PretrainConfig
    videos: VideoSet
    frames: Tensor  # (N, F, H, W, 3) uint8, on the device

    def batches(self) -> Iterator[Tensor]:
        """Yield clips (B, T, H, W, 3) uint8 cut out of memory: those that our loader reads."""
        config, count = self.config, len(self.frames)
        height, width = self.frames.shape[2:4]
        size, item = config.clip.size, 0
        while True:
            clips = []
            for _ in range(config.pretrain.batch_size):
                draw, position = divmod(item, count)
                index = int(
                    np.random.default_rng([config.seed, 0, draw]).permutation(count)[position]
                )
                chance = np.random.default_rng([config.seed, 1, draw, index])
                length = self.frames.shape[1]
                place = random_place(length, height, width, config.clip, config.views.flip, chance)
                shown = frame_indices(place.start, length, config.clip, "rgb")
                rows = slice(place.top, place.top + size)
                clip = self.frames[index, shown[0] : shown[-1] + 1 : config.clip.stride, rows]
                clip = clip[:, :, place.left : place.left + size]
                clips.append(clip.flip(2) if place.flip else clip)
                item += 1
            yield torch.stack(clips)


def plain_views(clips: Tensor, config: PretrainConfig) -> tuple[Tensor, Tensor]:
    """Return the four rotations of clips, side by side, and which they are."""
    mean = torch.tensor(config.views.mean, device=clips.device).view(3, 1, 1, 1)
    std = torch.tensor(config.views.std, device=clips.device).view(3, 1, 1, 1)
    shown = (clips.permute(0, 4, 1, 2, 3).float() / 255 - mean) / std
    turned = torch.stack([torch.rot90(shown, turn, (-2, -1)) for turn in range(4)], dim=1)
    return turned.flatten(0, 1), torch.arange(4, device=clips.device).repeat(len(clips))


class Plain:
    """A plain loop.

    Args:
        case: what it trains.
        precision: "fp32" or "bf16".
        tuned: channels last, fused SGD.
        compiled: by torch.compile.
        tf32: whether convolutions may use it.
        chosen: whether cuDNN tries its algorithms.
    """

    def __init__(
        self,
        case: Case,
        precision: str = "fp32",
        *,
        tuned: bool = True,
        compiled: bool = False,
        tf32: bool = True,
        chosen: bool = True,
    ) -> None:
        self._case, self._dtype = case, PRECISIONS[precision]
        self._tuned, self._tf32, self._chosen = tuned, tf32, chosen
        self.model, self._optimizer = network(case.config, tuned=tuned)
        self._forward: Callable[[Tensor], Tensor] = self.model
        if compiled:
            self._forward = torch.compile(self.model, dynamic=False)
        self._batches = case.batches()

    def take(self, steps: int) -> float:
        """Take steps, and return their mean loss."""
        total = torch.zeros((), device=DEVICE)
        with flags(tf32=self._tf32, chosen=self._chosen):
            for _ in range(steps):
                total += self._step(next(self._batches))
            return total.item() / steps

    def _step(self, clips: Tensor) -> Tensor:
        views, labels = plain_views(clips, self._case.config)
        if self._tuned:
            views = views.contiguous(memory_format=torch.channels_last_3d)
        self.model.train()
        with torch.autocast(DEVICE.type, self._dtype, enabled=self._dtype is not None):
            outputs = self._forward(views)
        loss = cross_entropy(outputs.float(), labels)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return loss.detach()


def network(config: PretrainConfig, *, tuned: bool) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return the network that all ways start from, of torch's own layers, and its optimiser."""
    model = build(config.model, 4, config.seed).to(DEVICE)
    for module in model.modules():
        if isinstance(module, Conv3d):
            module.__class__ = nn.Conv3d  # type: ignore[assignment]  # but for our forward
    if tuned:
        model = model.to(memory_format=torch.channels_last_3d)
    training = config.pretrain
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=training.lr,
        momentum=training.momentum,
        weight_decay=training.weight_decay,
        fused=tuned,
    )
    return model, optimizer


@contextmanager
def flags(*, tf32: bool, chosen: bool) -> Iterator[None]:
    """Set how convolutions are computed on a CUDA device, and put it back."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, cudnn.benchmark = tf32, chosen
    try:
        yield
    finally:
        cudnn.allow_tf32, cudnn.benchmark = before


class OnCpu(IterableDataset[Tensor]):
    """Clips made ready on the CPU, frame by frame, in float (3, T, size, size), without end."""

    def __init__(self, case: Case) -> None:
        self._config, self._videos = case.config, case.videos

    def __iter__(self) -> Iterator[Tensor]:
        torch.set_num_threads(1)
        worker = get_worker_info()
        chance = np.random.default_rng([self._config.seed, worker.id if worker else 0])
        reader, clip = FrameReader(self._videos.folder), self._config.clip
        mean = np.array(self._config.views.mean, np.float32)
        std = np.array(self._config.views.std, np.float32)
        while True:
            video = self._videos.videos[int(chance.integers(len(self._videos)))]
            height, width = video.stored_height, video.stored_width
            place = random_place(video.frames, height, width, clip, 0.5, chance)
            angle = float(chance.uniform(-10, 10))
            rows = slice(place.top, place.top + clip.size)
            columns = slice(place.left, place.left + clip.size)
            shown = []
            for frame in reader.read(video, frame_indices(place.start, video.frames, clip, "rgb")):
                picture = Image.fromarray(frame).rotate(angle, Image.Resampling.BILINEAR)
                pixels = np.asarray(picture)[rows, columns].astype(np.float32) / 255
                shown.append((pixels[:, ::-1] if place.flip else pixels) - mean)
            yield torch.from_numpy((np.stack(shown) / std).transpose(3, 0, 1, 2).copy())


class EndToEnd:
    """The loop around `OnCpu`: float32, eager, blocks of rotations, the loss read at every step."""

    def __init__(self, case: Case, workers: int) -> None:
        self._case = case
        self._model, self._optimizer = network(case.config, tuned=False)
        loader = DataLoader(
            OnCpu(case),
            batch_size=case.config.pretrain.batch_size,
            num_workers=workers,
            pin_memory=ON_GPU,
        )
        self._batches = iter(loader)

    def take(self, steps: int) -> float:
        """Take steps, and return their mean loss."""
        with flags(tf32=True, chosen=False):
            return statistics.fmean(self._step(next(self._batches)) for _ in range(steps))

    def _step(self, clips: Tensor) -> float:
        turned = torch.cat([torch.rot90(clips, turn, (-2, -1)) for turn in range(4)])
        labels = torch.arange(4).repeat_interleave(len(clips))
        self._model.train()
        loss = cross_entropy(self._model(turned.to(DEVICE)), labels.to(DEVICE))
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return loss.item()


class Ours(Unwatched):
    """Our pretraining, in a thread that takes as many steps as it is told to.

    Args:
        case: what it trains.
        precision: "fp32" or "bf16".
        compiled: with `pretrain.compile`.
    """

    def __init__(self, case: Case, precision: str = "fp32", *, compiled: bool = False) -> None:
        training = case.config.pretrain.model_copy(
            update={"precision": precision, "compile": compiled}
        )
        self._config = case.config.model_copy(update={"pretrain": training})
        self._videos = case.videos
        self._turn, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._left, self._ended = 0, False
        self._error: BaseException | None = None
        self._threads = torch.get_num_threads()
        threading.Thread(target=self._run, daemon=True).start()

    def take(self, steps: int) -> None:
        """Take steps."""
        self._left = steps
        self._turn.release()
        self._done.acquire()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Have it stop."""
        self._ended = True
        self._turn.release()

    def should_stop(self) -> StopWish:
        """Wait for the next turn at the end of one."""
        self._left -= 1
        if self._left == 0:
            wait()
            self._done.release()
            self._turn.acquire()
        return "now" if self._ended else "no"

    def _run(self) -> None:
        torch.set_num_threads(self._threads)
        self._turn.acquire()
        with tempfile.TemporaryDirectory() as folder:
            try:
                pretrain(self._config, self._videos, Path(folder), self)
            except Stopped:
                return
            except BaseException as error:  # noqa: BLE001  (raised again by whoever waits)
                self._error = error
            self._done.release()


def wait() -> None:
    """Wait for the device."""
    if ON_GPU:
        torch.cuda.synchronize()
