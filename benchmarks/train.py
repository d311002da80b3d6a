"""How fast a pretraining steps: ours beside a well-tuned plain loop, and beside plainer ones.

    python benchmarks/train.py [--networks resnet3d r3d_18 r2plus1d_18] [--frames 16 64] [--batch N]
        [--steps 5] [--rounds 5] [--only WORD ...] [--eager] [--cpu]
        [--minutes M] [--trials]

In one process, in turns, on the same prepared videos, in the same batches, from the same weights:

    a0    float32, eager, TF32 off; clips in memory, rotated on the device
    a1    torch's defaults, with cuDNN's choice of algorithms (a CUDA device only)
    a2    end to end with views made by loader processes on the CPU, in float: frames turned by up
          to 10 degrees one by one, cropped, mirrored, normalised; four copies in blocks; the loss
          read at every step. So the released code is described to work
    c     a plain loop as one would tune it: clips in memory, rotated on the device, channels last,
          fused SGD; in float32 and bf16, as it is and compiled
    ours  `rotnet.learning.pretrain`, from its prepared set, with all that it does beside

On a CUDA device the networks are those of the paper's sizes at 112 pixels; on a CPU, the recipe
`tiny`. Before anything is timed, views of the plain loop and ours are held against one another, and
so are their losses. `--minutes` trains on and watches the memory; `--trials` compares one training
on all cores with one for each core (CPU).
"""

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from benchmarks.train_ways import (
    CORES,
    DEVICE,
    ON_GPU,
    PRECISIONS,
    Case,
    EndToEnd,
    Ours,
    Plain,
    plain_views,
    wait,
)
from rotnet.config import ModelConfig, PretrainConfig, RuntimeConfig
from rotnet.data.catalog import FolderKind
from rotnet.data.frames import FrameReader
from rotnet.data.hands import processes
from rotnet.data.loader import ClipLoader
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import encode, render
from rotnet.data.video import VideoSet
from rotnet.errors import UserError
from rotnet.learning.lessons import pretext_lesson
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Unwatched
from rotnet.pretexts.pretext import make_pretext
from rotnet.recipes import PAPER, TINY

VIDEOS, REPEATS = 48, 4  # videos, and scenes of 40 frames in each
SCALE = 3  # times that scenes are enlarged for networks of the paper's size
ALIKE = 20  # steps over which losses are compared


class Hearing(Unwatched):
    """A watch that remembers the last loss that is reported."""

    loss = float("nan")

    def report(self, step: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002  (a watch)
        """Take a report."""
        self.loss = metrics["loss"]


def check(case: Case) -> None:
    """Hold views and losses of the plain loop against ours; leave with an error if they differ."""
    config, pretext = case.config, make_pretext(case.config)
    loader = ClipLoader(case.videos, pretext.read, "rgb")
    batches = loader.training(
        batch_size=config.pretrain.batch_size, seed=config.seed, flip=config.views.flip, first=0
    )
    worst = 0.0
    for batch, clips in islice(zip(batches, case.batches(), strict=True), 3):
        ours, targets = pretext_lesson(config, pretext, batch.to(DEVICE))
        theirs, labels = plain_views(clips, config)
        std = torch.tensor(config.views.std, device=DEVICE).view(3, 1, 1, 1)
        worst = max(worst, ((ours - theirs) * std).abs().max().item())
        if not torch.equal(targets, labels):
            raise SystemExit("error: labels of the plain loop and ours differ")
    print(f"views of the plain loop and ours differ by at most {worst * 255:.2g}/255")
    watch = Hearing()
    training = config.pretrain.model_copy(update={"steps_per_epoch": ALIKE, "epochs": 1})
    with tempfile.TemporaryDirectory() as folder:
        pretrain(config.model_copy(update={"pretrain": training}), case.videos, Path(folder), watch)
    plain = Plain(case, tuned=False, tf32=True).take(ALIKE)
    print(f"mean loss of {ALIKE} steps: plain {plain:.4f}, ours {watch.loss:.4f}")
    if worst * 255 > 1 or abs(plain - watch.loss) > 0.02 * plain:
        raise SystemExit("error: the plain loop and ours do not do the same work")


Way = Callable[[], Plain | EndToEnd | Ours]


def ways(case: Case) -> Mapping[str, Way]:
    """Return what is measured here, by name."""
    workers = min(8, CORES)
    found: dict[str, Way] = {
        "a0 float32, eager": partial(Plain, case, tuned=False, tf32=False, chosen=False),
        "a2 end to end, CPU views": partial(EndToEnd, case, workers),
    }
    if ON_GPU:
        found["a1 torch's defaults"] = partial(Plain, case, tuned=False)
    for precision in PRECISIONS:
        for compiled in (False, True):
            said = f"{precision}{', compiled' * compiled}"
            found[f"c {said}"] = partial(Plain, case, precision, compiled=compiled)
            found[f"ours {said}"] = partial(Ours, case, precision, compiled=compiled)
    return dict(sorted(found.items()))


def measure(
    case: Case,
    only: Sequence[str],
    steps: int,
    rounds: int,
    *,
    compiled: bool = True,
    process: bool = False,
) -> None:
    """Print milliseconds a step of each way, and ratios to the best plain loop in the same turn."""
    clock = time.process_time if process else time.perf_counter
    chosen = {
        name: way
        for name, way in ways(case).items()
        if (not only or any(word in name for word in only)) and (compiled or "compiled" not in name)
    }
    if not chosen:
        raise SystemExit(f"error: --only: nothing is called so; there are {', '.join(ways(case))}")
    running: dict[str, Plain | EndToEnd | Ours] = {}
    for name, way in chosen.items():
        begin = time.perf_counter()
        try:
            running[name] = way()
            running[name].take(3)
        except (RuntimeError, UserError) as error:  # no compiler, no memory: told, and left out
            running.pop(name, None)
            print(f"  {name}: not measured: {str(error).strip().splitlines()[0]}")
            continue
        wait()
        print(f"  {name}: first 3 steps in {time.perf_counter() - begin:.1f} s")
    taken: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(rounds):
        for name, one in running.items():
            begin = clock()
            one.take(steps)
            wait()
            taken[name].append((clock() - begin) / steps)
    tell(taken, steps)
    for one in running.values():
        if isinstance(one, Ours):
            one.end()
    running.clear()
    gc.collect()


def tell(taken: Mapping[str, Sequence[float]], steps: int) -> None:
    """Print the table."""
    plain = [name for name in taken if name.startswith("c ")]
    best = min(plain, key=lambda name: statistics.median(taken[name]), default=None)
    rounds = max(map(len, taken.values()), default=0)
    print(f"  {'':28}{'ms a step':>10}{'least to most':>18}   times the best plain loop's speed")
    for name, seconds in taken.items():
        span = f"{1000 * min(seconds):.1f} to {1000 * max(seconds):.1f}"
        print(f"  {name:28}{1000 * statistics.median(seconds):10.1f}{span:>18}", end="")
        if best is not None:
            ratios = [one / other for one, other in zip(taken[best], seconds, strict=True)]
            print(f"   {statistics.median(ratios):.2f}", end="")
        print()
    print(f"  medians of {rounds} turns of {steps} steps; the best plain loop is {best}\n")


def watch_memory(case: Case, minutes: float) -> None:
    """Train on, and print the memory after a tenth of the time and at the end."""
    ours = Ours(case, "bf16" if ON_GPU else "fp32")
    begin, count = time.perf_counter(), 0
    early = ""
    while (passed := (time.perf_counter() - begin) / 60) < minutes:
        ours.take(10)
        count += 10
        if not early and passed >= minutes / 10:
            early = f"after {count} steps {memory()}"
            print(f"  {early}")
    ours.end()
    print(f"  after {count} steps {memory()}")


def memory() -> str:
    """Say how much memory the process has, and how much of the GPU's."""
    said = f"{private_mb():.0f} MB of the process"
    return f"{said}, {torch.cuda.memory_reserved() / 1e6:.0f} MB of the GPU" if ON_GPU else said


def private_mb() -> float:
    """Return the memory that is this process's own, without mapped files."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise SystemExit("error: this system does not say how much memory is a process's own")


def compare_trials(folder: Path, seconds: float = 10.0) -> None:
    """Print steps a second of one training on all cores, and of one for each core together."""
    if ON_GPU:
        raise SystemExit("error: --trials is for a machine without a GPU")
    found: dict[int, list[float]] = {1: [], CORES: []}
    for _ in range(3):
        for count in found:
            command = [sys.executable, __file__, "--data", str(folder), "--alone", str(seconds)]
            command += ["--threads", str(CORES // count)]
            running = [
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)
            ]
            found[count].append(sum(float(one.communicate()[0]) for one in running))
    for count, rates in found.items():
        print(f"  {count} at a time, {CORES // count} threads each: ", end="")
        print(f"{statistics.median(rates):.2f} steps/s ({min(rates):.2f} to {max(rates):.2f})")


def alone(case: Case, seconds: float) -> float:
    """Return steps a second of our training by itself."""
    ours = Ours(case)
    ours.take(5)
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        ours.take(5)
        count += 5
    return count / (time.perf_counter() - begin)


def make_set(folder: Path, short_side: int) -> VideoSet:
    """Prepare synthetic videos, unless the folder holds them already."""
    videos = folder / "videos"
    if not videos.exists():
        for index in range(VIDEOS):
            chance = np.random.default_rng([0, index])
            scenes = np.concatenate([render(None, chance) for _ in range(REPEATS)])
            if ON_GPU:
                scenes = scenes.repeat(SCALE, axis=1).repeat(SCALE, axis=2)
            path = videos / f"{index:03}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            encode(scenes, path)
    storage = Storage(short_side=short_side, bars="keep")
    kind = FolderKind(unlabelled=True)
    return prepare(
        videos, folder / "set", kind, storage=storage, hands=processes(CORES)
    ).manifest.select("pretrain")


def make_case(videos: VideoSet, backbone: str, frames: int, batch: int | None) -> Case:
    """Return what is trained: on a GPU a network of the paper's size, else the recipe tiny."""
    recipe = PAPER if ON_GPU else TINY
    clip = recipe.clip.model_copy(update={"frames": frames}) if ON_GPU else recipe.clip
    size = batch or (512 // frames if ON_GPU else recipe.pretrain.batch_size)
    training = recipe.pretrain.model_copy(
        update={
            "epochs": 1000,
            "steps_per_epoch": 1000,
            "batch_size": size,
            "val_fraction": 0.0,
            "schedule": "constant",
            "milestones": (),
            "warmup_epochs": 0.0,
            "lr": 0.01,
        }
    )
    model = ModelConfig(backbone=backbone) if ON_GPU else recipe.model
    runtime = RuntimeConfig(workers=min(4, CORES) if ON_GPU else 1)
    config = PretrainConfig(clip=clip, model=model, pretrain=training, runtime=runtime)
    reader = FrameReader(videos.folder)
    stored = [torch.from_numpy(reader.read(video, slice(None))) for video in videos.videos]
    return Case(config, videos, torch.stack(stored).to(DEVICE))


def main() -> None:
    """Measure, and print a table for each network and length."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--networks", nargs="+", default=["resnet3d", "r3d_18", "r2plus1d_18"])
    parser.add_argument("--frames", nargs="+", type=int, default=[16, 64], help="on a GPU")
    parser.add_argument("--batch", type=int, help="clips a step [512 / frames; tiny's on a CPU]")
    parser.add_argument("--steps", type=int, default=5, help="of a turn [5]")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way [5]")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="ways named so")
    parser.add_argument("--eager", action="store_true", help="nothing compiled")
    parser.add_argument("--threads", type=int, help="of the CPU [all]")
    parser.add_argument("--minutes", type=float, help="train for so long, and watch the memory")
    parser.add_argument("--trials", action="store_true", help="one training, or one a core")
    parser.add_argument("--data", type=Path, help="keep the prepared videos here")
    parser.add_argument(
        "--cpu", action="store_true", help="by processor time of the process, where others compute"
    )
    parser.add_argument("--alone", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    clip = (PAPER if ON_GPU else TINY).clip
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.data or Path(scratch)
        videos = make_set(folder, clip.resize)
        if args.alone:
            print(alone(make_case(videos, "resnet3d", clip.frames, args.batch), args.alone))
        elif args.trials:
            compare_trials(folder)
        else:
            for backbone, frames in cases(args.networks, args.frames):
                run(make_case(videos, backbone, frames, args.batch), args)


def cases(networks: Sequence[str], frames: Sequence[int]) -> list[tuple[str, int]]:
    """Return the backbones and lengths to measure; on a CPU those of the recipe tiny."""
    if not ON_GPU:
        return [("resnet3d", TINY.clip.frames)]
    return [(backbone, length) for length in frames for backbone in networks]


def run(case: Case, args: argparse.Namespace) -> None:
    """Measure one network."""
    config = case.config
    clip, size = config.clip, config.pretrain.batch_size
    name = torch.cuda.get_device_name() if ON_GPU else f"CPU, {torch.get_num_threads()} threads"
    print(
        f"{config.model.backbone}, width {config.model.width}: {clip.frames} frames of {clip.size}"
    )
    print(f"pixels, {size} clips in 4 rotations; {name}; load {os.getloadavg()[0]:.1f}")
    if args.minutes:
        watch_memory(case, args.minutes)
        return
    check(case)
    measure(case, args.only, args.steps, args.rounds, compiled=not args.eager, process=args.cpu)


if __name__ == "__main__":
    main()
