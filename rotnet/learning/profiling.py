"""Where the time of a training's steps goes: a few of them, timed and traced, and then no more."""

import contextlib
import json
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch

from rotnet.config import FinetuneConfig, PretrainConfig, TrainConfig
from rotnet.learning.arithmetic import layers_flops, matmul_rate, torch_flops
from rotnet.learning.device import find_device
from rotnet.learning.meter import PARTS
from rotnet.learning.stopwatch import Stopwatch, Times
from rotnet.learning.watch import Stopped

TRACE, TABLE, FIGURES = "trace.json", "profile.txt", "profile.json"
_LONG = 1000  # steps of an epoch: none ends, and nothing is judged, while steps are timed

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Profile:
    """What steps of a training are and take.

    Args:
        device: its name.
        precision: of activations.
        views: that a step shows.
        times: of the parts of steps.
        flops: operations of a step by the layers' count; None where they are not known.
        torch_flops: the same by torch's counter.
        matmul: operations a second of a large product of matrices here, in that precision.
        peak_bytes: most memory at a time: of the CUDA device, else of the whole process.
    """

    device: str
    precision: str
    views: int
    times: Times
    flops: int | None
    torch_flops: int
    matmul: float
    peak_bytes: int

    @property
    def rate(self) -> float:
        """Operations a second of whole steps, by torch's count."""
        return self.torch_flops / self.times.step_s

    def table(self) -> str:
        """Return it as text; the parts add up to the step."""
        times = self.times
        lines = [
            f"where a step's time goes: {self.device}, {self.precision}, {self.views} views; "
            f"mean of {times.steps} steps",
            "",
        ]
        rows = [(part, times.seconds[part] / times.steps) for part in PARTS]
        for name, seconds in [*rows, ("step", times.step_s)]:
            share = seconds / times.step_s
            lines.append(f"{name:<10}{1000 * seconds:>10.2f} ms{100 * share:>8.1f} %")
        ours = "not known" if self.flops is None else f"{self.flops / 1e9:.4g}"
        lines += [
            "",
            f"GFLOP a step   {ours} by the layers, {self.torch_flops / 1e9:.4g} by torch's counter",
            f"rate           {self.rate / 1e9:.4g} GFLOP/s, {100 * self.rate / self.matmul:.0f} % "
            f"of the {self.matmul / 1e9:.4g} of a product of matrices here",
            f"peak memory    {self.peak_bytes / 1e6:.0f} MB",
        ]
        if times.busy is not None:
            lines.append(f"device busy    {100 * times.busy:.0f} % of the steps traced")
        return "\n".join(lines) + "\n"


ConfigT = TypeVar("ConfigT", PretrainConfig, FinetuneConfig)


def profile_steps(
    config: ConfigT,
    num_outputs: int,
    copies: int,
    run: Callable[[ConfigT, Path, Stopwatch], object],
    folder: Path,
) -> Profile:
    """Take a few steps of a training, and say where their time went.

    Args:
        config: all settings; for the time of this an epoch is long, and nothing is saved.
        num_outputs: K.
        copies: views of a clip in a step.
        run: trains with settings, in a folder, with a stopwatch as meter and as watch, which has it
            stop.
        folder: gets trace.json (for chrome://tracing or Perfetto), profile.txt and profile.json.

    Returns:
        What was found.
    """
    device = find_device()
    training, brief = _brief(config)
    stopwatch = Stopwatch(device, folder / TRACE)
    with tempfile.TemporaryDirectory() as scratch, contextlib.suppress(Stopped):
        run(brief, Path(scratch), stopwatch)
    peak = _peak(device)
    frozen = config.finetune.freeze if isinstance(config, FinetuneConfig) else 0
    views = training.batch_size * copies
    each = layers_flops(config.model, config.clip, num_outputs, frozen)
    found = Profile(
        device=_name(device),
        precision=training.precision,
        views=views,
        times=stopwatch.times(),
        flops=None if each is None else each * views,
        torch_flops=torch_flops(config.model, config.clip, num_outputs, frozen) * views,
        peak_bytes=peak,
        matmul=matmul_rate(device, _DTYPES[training.precision]),
    )
    (folder / TABLE).write_text(found.table(), encoding="utf-8")
    figures = {**asdict(found), "step_s": found.times.step_s, "rate": found.rate}
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return found


def _brief(config: ConfigT) -> tuple[TrainConfig, ConfigT]:
    """Return the training's settings, and all of them for steps without end or interruption."""
    name = "pretrain" if isinstance(config, PretrainConfig) else "finetune"
    training: TrainConfig = getattr(config, name)
    long = training.model_copy(update={"steps_per_epoch": _LONG})
    runtime = config.runtime.model_copy(update={"checkpoint_s": 1e9})
    return training, config.model_copy(update={name: long, "runtime": runtime})


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU with {torch.get_num_threads()} threads"


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
