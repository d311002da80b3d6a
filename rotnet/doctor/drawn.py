"""What an examination draws its clips from, by one seed: halves of a set, and noise as files."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rotnet.config import PretrainConfig
from rotnet.data.framestore.formats import Format
from rotnet.data.holdout import hold_out
from rotnet.data.video import VideoSet
from rotnet.doctor.bench import Budget, Halves, Tell
from rotnet.doctor.files import noise_set
from rotnet.errors import DataError
from rotnet.pretexts.rotation import RotationPretext

LEAST_VIDEOS = 20  # of a set: with fewer on either side no bound means anything


@dataclass(frozen=True)
class Drawn:
    """What clips are drawn from; made when it is first asked for.

    Args:
        config: of the pretraining; its seed draws.
        videos: real content; None: there is none.
        budget: how many files of noise there are.
        storage: format through which they go.
        folder: new; where they lie.
        tell: is told what is being done.
    """

    config: PretrainConfig
    videos: VideoSet | None
    budget: Budget
    storage: Format
    folder: Path
    tell: Tell

    @cached_property
    def parts(self) -> Halves | None:
        """Videos to learn from, and videos to judge on."""
        return None if self.videos is None else halves(self.videos, self.config.seed)

    @cached_property
    def files(self) -> dict[str, Halves]:
        """Noise that went through files, as stored and reduced."""
        found = {}
        for name, reduced in (("files", False), ("files, reduced", True)):
            self.tell(f"writing noise as {name}, {self.storage}")
            manifest = noise_set(
                self.folder / str(reduced),
                RotationPretext(self.config).read,
                videos=self.budget.files,
                reduced=reduced,
                storage=self.storage,
                seed=self.config.seed,
            )
            videos = manifest.select("pretrain")
            half = len(videos) // 2
            found[name] = (
                replace(videos, videos=videos.videos[:half]),
                replace(videos, videos=videos.videos[half:]),
            )
        return found


def halves(videos: VideoSet, seed: int) -> tuple[VideoSet, VideoSet]:
    """Part a set into videos to learn from and videos to judge on, by whole groups.

    Raises:
        DataError: if there are too few videos.
    """
    kept, held = hold_out(videos.videos, 0.5, seed)
    if min(len(kept), len(held)) < LEAST_VIDEOS:
        raise DataError(
            f"{videos.folder}: the probes need {LEAST_VIDEOS} videos to learn from and as many of "
            f"other groups to be judged on, got {len(kept)} and {len(held)}; give a larger set, or "
            "none, to probe the path alone"
        )
    return replace(videos, videos=kept), replace(videos, videos=held)
