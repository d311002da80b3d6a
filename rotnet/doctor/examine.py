"""One rotation set, examined: everything is probed, every leak planted, and a verdict is found."""

import tempfile
import time
from pathlib import Path

import torch

from rotnet.config import PretrainConfig
from rotnet.data.framestore.formats import Format
from rotnet.data.video import VideoSet
from rotnet.doctor.bench import Bench, Budget, Tell
from rotnet.doctor.drawn import Drawn
from rotnet.doctor.labelling import Draw, draws_of
from rotnet.doctor.verdict import Examination, Planted, Probed

# At 0.6 points a probe at chance exceeds its bound less than once in 2,000 times: that takes 6,945
# clips for 2 rotations, 5,209 for 4 and 3,039 for 8.
FULL = Budget(train=4000, error=0.006, least=2000, frames=2, files=120, full=True)
QUICK = Budget(train=800, error=0.016, least=200, frames=2, files=40, full=False)


def examine(
    config: PretrainConfig,
    videos: VideoSet | None,
    *,
    budget: Budget,
    device: torch.device,
    tell: Tell,
    storage: Format = "raw",
) -> Examination:
    """Probe the training path of one rotation set.

    Where something is told, a whole examination looks once more, with videos, noise, angles and
    halves that are drawn anew, and judges both looks together: over dozens of readings chance alone
    makes one of them stand out now and then, but the next time another.

    Args:
        config: of the pretraining whose path it is.
        videos: real content; None: none is looked at.
        budget: of the probes.
        device: of path and probes.
        tell: is told what is being done.
        storage: format through which noise goes as files.

    Raises:
        DataError: if there are too few videos to hold some out.
    """
    started = time.monotonic()
    frames = min(config.clip.frames, budget.frames)
    config = config.model_copy(update={"clip": config.clip.model_copy(update={"frames": frames})})
    probed: list[Probed] = []
    planted: list[Planted] = []
    content = None
    with tempfile.TemporaryDirectory(prefix="rotnet-doctor-") as folder:
        first, second = (
            Drawn(
                config.model_copy(update={"seed": config.seed + more}),
                videos,
                budget,
                storage,
                Path(folder, str(more)),
                tell,
            )
            for more in (0, 1)
        )
        for draw in draws_of(config.pretext):
            bench = Bench(_of(first.config, draw), draw, budget, device, tell)
            found = bench.path(first.parts, first.files)
            told = {one.source for one in found if one.told}
            if told and budget.full:
                tell(f"once more, with all else drawn anew: {'; '.join(sorted(told))}")
                again = Bench(_of(second.config, draw), draw, budget, device, tell, patient=True)
                other = again.path(second.parts, second.files, only=told)
                found = [one.with_more(other) for one in found]
            probed += found
            planted += bench.plants()
            if first.parts and content is None:
                content = bench.content(*first.parts)
    return Examination(
        rotations=config.pretext.model_dump()["rotations"],
        path="resampled" if config.pretext.resampled else "exact",
        modality=config.modality,
        probed=tuple(probed),
        planted=tuple(planted),
        content=content,
        full=budget.full,
        seconds=time.monotonic() - started,
    )


def _of(config: PretrainConfig, draw: Draw) -> PretrainConfig:
    return config.model_copy(update={"pretext": draw.pretext})
