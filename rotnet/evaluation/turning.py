"""How clips are turned to be looked at: by which angles, and on which path. No chance in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rotnet.config import ClipConfig, PretextConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.errors import UserError
from rotnet.evaluation.opened import Opened
from rotnet.views.resample import dithered, turn
from rotnet.views.room import room_for
from rotnet.views.rotation import quarter_turns

MOST = 36  # angles side by side; a larger set is shown by SPREAD of them
SPREAD = 8


@dataclass(frozen=True, slots=True)
class Turning:
    """The rotations in which clips are shown, all on one path, so that networks see one picture.

    The path is that on which a network has learnt (`rotnet.pretexts.rotation`), filter and dither
    included, but for what is random there: nothing is moved, no angle jitters, and the dither is
    the same each time.

    Args:
        angles: in degrees, counter-clockwise.
        resampled: whether clips are resampled to be turned, or their pixels moved.
        any_angle: whether crops lie where any rotation of them fits into the picture.
    """

    angles: tuple[int, ...]
    resampled: bool
    any_angle: bool

    @property
    def path(self) -> str:
        """As `pretext.path` has it."""
        return "resampled" if self.resampled else "exact"

    def read(self, clip: ClipConfig) -> ClipConfig:
        """Return what to read of a video, so that clips of these settings can be turned."""
        return room_for(clip) if self.any_angle else clip

    def turned(self, batch: Batch, size: int) -> Batch:
        """Return every clip of a batch in all rotations, those of a clip side by side.

        Args:
            batch: of clips (B, T, S, S, 3), read by `read`.
            size: side of what is returned, in pixels.

        Returns:
            clips (B * n, T, size, size, 3), uint8 on the exact path, else float32 in [0, 255] but
            for the dither, with what else is known of each.
        """
        count = len(self.angles)
        pixels = batch.clips.permute(0, 4, 1, 2, 3)
        angles = torch.tensor(self.angles).expand(len(pixels), -1)
        make = _resample if self.resampled else _move
        views = make(pixels, angles, size)
        return replace(
            batch,
            clips=views.permute(0, 2, 3, 4, 1),
            videos=batch.videos.repeat_interleave(count),
            labels=batch.labels.repeat_interleave(count),
            seams=batch.seams.repeat_interleave(count, dim=0),
        )


def turning_of(networks: Sequence[Opened], angles: Sequence[int] | None = None) -> Turning:
    """Return how clips are turned for networks side by side.

    The first of them that has learnt rotations decides, by its set and its path; where none has,
    clips are shown in quarter turns. A set of more than 36 rotations is shown by 8 of them, evenly
    spread: of 360, those 45 degrees apart.

    Args:
        networks: that are to be shown the clips.
        angles: in degrees, in place of the set's.

    Raises:
        UserError: if the angles are none, too many, equal, out of range, or oblique where that
            network has learnt by quarter turns.
    """
    learnt = next((network for network in networks if _rotations(network)), None)
    pretext = (_rotations(learnt) if learnt else None) or PretextConfig()
    if angles is None:
        return Turning(_some(pretext.angles), pretext.resampled, pretext.any_angle)
    oblique = _checked(angles)
    if learnt is None:
        return Turning(tuple(angles), oblique is not None, oblique is not None)
    if oblique is not None and not pretext.resampled:
        raise UserError(
            f"--angles {oblique}: {learnt.name} has learnt on path exact, which turns by multiples "
            f"of 90 degrees; give some of 0, 90, 180, 270"
        )
    return Turning(tuple(angles), pretext.resampled, pretext.any_angle)


def unlike(networks: Sequence[Opened], turning: Turning) -> Iterator[str]:
    """Say which networks have learnt rotations on another path than they are shown."""
    for network in networks:
        pretext = _rotations(network)
        if pretext is not None and pretext.resampled != turning.resampled:
            learnt = "resampled" if pretext.resampled else "exact"
            yield (
                f"{network.name} has learnt rotations on path {learnt}, and is shown those of path "
                f"{turning.path}, as the networks beside it"
            )


def _rotations(network: Opened) -> PretextConfig | None:
    """What a network has learnt of rotations; None where that was not its task."""
    config = network.config
    if network.kind != "pretrain" or not isinstance(config, PretrainConfig):
        return None
    return config.pretext if config.pretext.task == "rotation" else None


def _some(angles: tuple[int, ...]) -> tuple[int, ...]:
    if len(angles) <= MOST:
        return angles
    return tuple(angles[number * len(angles) // SPREAD] for number in range(SPREAD))


def _checked(angles: Sequence[int]) -> int | None:
    """Return the first angle that is no quarter turn, if any is."""
    for angle in angles:
        if not 0 <= angle < 360:
            raise UserError(f"--angles must be whole degrees from 0 to 359, got {angle}")
    if len(set(angles)) < len(angles):
        raise UserError(f"--angles must differ from one another, got {', '.join(map(str, angles))}")
    if not 1 <= len(angles) <= MOST:
        raise UserError(f"--angles takes 1 to {MOST} angles, got {len(angles)}")
    return next((angle for angle in angles if angle % 90), None)


def _move(pixels: Tensor, angles: Tensor, size: int) -> Tensor:
    edge = (pixels.shape[-1] - size) // 2
    centre = pixels[..., edge : edge + size, edge : edge + size]
    return quarter_turns(centre, angles // 90)


def _resample(pixels: Tensor, angles: Tensor, size: int) -> Tensor:
    still = torch.zeros(*angles.shape, 2)
    views = turn(pixels.float(), angles, still, size)
    return dithered(views, torch.Generator().manual_seed(0))
