"""A bench for one rotation set's views: what the probes make of a path, of plants, of content."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from rotnet.config import PretrainConfig
from rotnet.data.video import VideoSet
from rotnet.doctor.border import stillness
from rotnet.doctor.content import Content, read_content
from rotnet.doctor.labelling import Draw
from rotnet.doctor.path import Path, training_path
from rotnet.doctor.plants import PLANTS, Plant
from rotnet.doctor.probe import Reading, read
from rotnet.doctor.sample import Look, Sample, everything, gather, luma
from rotnet.doctor.source import Filmed, Source, constants, noise
from rotnet.doctor.verdict import Planted, Probed
from rotnet.pretexts.rotation import RotationPretext
from rotnet.views.chance import generator

MORE = 4  # times as many clips, where the first leave it open whether a path tells

Halves = tuple[VideoSet, VideoSet]  # to learn from, and to judge on
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much the probes see; the same for the path and for every planted leak.

    Args:
        train: clips to learn from.
        error: standard error that a probe at chance may have; it says how many clips it is judged
            on: chance * (1 - chance) / error^2 of them, or `least`.
        least: clips that it is judged on, however low chance is.
        frames: of each clip that the probes look at, at most; the path treats all alike.
        files: of noise, for either way of preparing them.
        full: whether a verdict of "clean" is worth its name.
    """

    train: int
    error: float
    least: int
    frames: int
    files: int
    full: bool


# At 0.6 points a probe at chance exceeds its bound less than once in 2,000 times: that takes 6,945
# clips for 2 rotations, 5,209 for 4 and 3,039 for 8.
FULL = Budget(train=4000, error=0.006, least=2000, frames=2, files=120, full=True)
QUICK = Budget(train=800, error=0.016, least=200, frames=2, files=40, full=False)


@dataclass(frozen=True)
class Bench:
    """Where views of one draw are made and probed.

    Args:
        config: of the pretraining whose path it is; its seed draws all there is to draw.
        draw: which views, by which settings of the pretext, and what is asked of them.
        budget: of the probes.
        device: of path and probes.
        tell: is told what is being done.
        patient: whether a path is judged on more clips at once, instead of where few leave it open.
    """

    config: PretrainConfig
    draw: Draw
    budget: Budget
    device: torch.device
    tell: Tell
    patient: bool = False

    @property
    def _right(self) -> Path:
        return training_path(self.config, self.device)

    def path(
        self,
        parts: Halves | None,
        files: Mapping[str, Halves],
        only: Collection[str] | None = None,
    ) -> list[Probed]:
        """Probe the path on content that has no up.

        Args:
            parts: videos to learn from and videos to judge on; None: none are looked at.
            files: noise as files, by sort.
            only: sources that are looked at; None: all.
        """
        clip = RotationPretext(self.config).read
        every: dict[str, Look] = {"all": everything}
        both: dict[str, Look] = {"luma": self._luma, "colour": everything}
        cases: list[tuple[str, Source, Mapping[str, Look]]] = [
            ("noise", noise(self.config, clip.size), every),
            ("constants", constants(self.config, clip.size), every),
        ]
        cases += [(name, self._film(*halved), both) for name, halved in files.items()]
        if parts and all(angle % 90 == 0 for angle in self.config.pretext.angles):
            cases.append(("videos, secretly turned", self._film(*parts, turned=True), every))
        found = []
        for name, source, looks in cases:
            if only is not None and name not in only:
                continue
            samples = self._samples(name, self._right, source, looks, more=self.patient)
            for look, (train, test) in samples.items():
                # Chroma is kept at half the size, and where it sits tells: no path mends that.
                probed = Probed(name, look, self._read(train, test), required=look != "colour")
                if probed.unsure and self.budget.full and not self.patient:
                    more = self._more(name, source, {look: looks[look]})[look]
                    probed = replace(probed, readings=self._read(train, more))
                found.append(probed)
        return found

    def plants(self) -> list[Planted]:
        """Probe noise into which each leak in turn is planted."""
        source = noise(self.config, RotationPretext(self.config).read.size)
        found = []
        for plant in PLANTS:
            reason = plant.not_for(self.config.pretext.angles)
            readings = () if reason else self._planted(plant, source)
            found.append(Planted(plant.name, readings, reason))
        return found

    def content(self, train: VideoSet, test: VideoSet) -> Content:
        """Probe what parts of real pictures tell."""
        looks: dict[str, Look] = {"all": everything, "luma": self._luma}
        samples = self._samples("content", self._right, self._film(train, test), looks)
        self.tell("probing parts of the picture")
        return read_content(
            samples,
            self.draw.questions[0],
            stillness(replace(train, videos=train.videos + test.videos)),
            seed=self.config.seed,
            device=self.device,
        )

    @property
    def _judged_on(self) -> int:
        chance = max(question.chance for question in self.draw.questions)
        return max(self.budget.least, math.ceil(chance * (1 - chance) / self.budget.error**2))

    @property
    def _luma(self) -> Look:
        return luma(self.config.modality, self.config.views)

    def _film(self, train: VideoSet, test: VideoSet, *, turned: bool = False) -> Filmed:
        return Filmed(train, test, self.config, RotationPretext(self.config).read, turned)

    def _planted(self, plant: Plant, source: Source) -> tuple[Reading, ...]:
        right = self._right
        path = plant.detour(self.config, self.device, right) if plant.detour else right
        spoil = None if plant.spoil is None else partial(plant.spoil, self.config.clip.size)
        samples = self._samples(plant.name, path, source, {"all": everything}, spoil)
        return self._read(*samples["all"])

    def _samples(
        self,
        name: str,
        path: Path,
        source: Source,
        looks: Mapping[str, Look],
        spoil: Callable[[Tensor], Tensor] | None = None,
        *,
        more: bool = False,
    ) -> dict[str, tuple[Sample, Sample]]:
        self.tell(name)
        # Each source draws angles of its own, or a few more of one angle would show in all of them.
        learnt, judged = (
            generator(self.config.seed, f"doctor, {part}, {name}", 0) for part in ("train", "test")
        )
        train = gather(path, source, "train", self.budget.train, looks, learnt, spoil)
        clips = self._judged_on * (MORE if more else 1)
        test = gather(path, source, "test", clips, looks, judged, spoil)
        return {look: (train[look], test[look]) for look in looks}

    def _more(self, name: str, source: Source, looks: Mapping[str, Look]) -> dict[str, Sample]:
        """Take more clips to judge on, of which other angles are drawn."""
        self.tell(f"{name}: more clips")
        judged = generator(self.config.seed, f"doctor, more, {name}", 0)
        return gather(self._right, source, "test", MORE * self._judged_on, looks, judged)

    def _read(self, train: Sample, test: Sample) -> tuple[Reading, ...]:
        return tuple(
            reading
            for question in self.draw.questions
            for reading in read(train, test, question, seed=self.config.seed, device=self.device)
        )
