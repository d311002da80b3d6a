"""What a network is shown of a video: which frames, which square of them, and in which form."""

from typing import Literal, Self

from pydantic import Field, model_validator

from rotnet.config.settings import (
    NonNegativeFloat,
    PositiveInt,
    Probability,
    Settings,
    Triple,
    added,
)

Modality = Literal["rgb", "dif"]


class ClipConfig(Settings):
    """Which frames of a video, and which square of them, form a clip.

    A clip of T frames with stride s is drawn from a window of T*s + 1 frames, whatever the
    modality: RGB shows frames 0, s, ..., (T-1)*s of it, and DIF needs frame T*s as well.
    """

    frames: PositiveInt = Field(16, description="frames a network sees (T)")
    stride: PositiveInt = Field(
        2, description="distance between two of them, in frames of the video"
    )
    resize: PositiveInt = Field(
        136, description="short side of the picture before the crop, in pixels"
    )
    size: PositiveInt = Field(112, description="side of the square crop, in pixels (H = W)")
    short_video: Literal["loop", "pad_last", "drop"] = Field(
        "loop",
        description="a video shorter than a window starts again, holds its last frame, or is out",
    )

    @property
    def window(self) -> int:
        """Frames of video that one clip spans: T*stride + 1."""
        return self.frames * self.stride + 1

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.size > self.resize:
            raise ValueError(
                f"size must be at most resize: a crop of {self.size} does not fit a short side "
                f"of {self.resize}"
            )
        return self


class ViewConfig(Settings):
    """What happens to a clip on its way into the network, beside rotation.

    Mean and std are those of the released code (train.py), in RGB order for pixels in [0, 1]. DIF
    is the difference of consecutive sampled frames after this normalisation, as there.

    What is drawn in training is drawn once for a whole clip, before it is rotated. `grey` and
    `chroma_drop` take away, and `chroma_shift` blurs, what colour may tell of how a picture was
    turned: the lens's fringes, and the grid on which a codec keeps colour.
    """

    flip: Probability = Field(
        0.5, description="probability of a horizontal flip in training, before rotation"
    )
    vertical_flip: Probability = Field(
        0.0,
        description="probability of a vertical flip in training; none where rotations are learnt",
        json_schema_extra=added(0.0),
    )
    grey: Probability = Field(
        0.0,
        description="probability that a clip is shown in grey (its luma) in training",
        json_schema_extra=added(0.0),
    )
    chroma_drop: Probability = Field(
        0.0,
        description="probability that one colour channel, drawn by chance, stands for all three",
        json_schema_extra=added(0.0),
    )
    chroma_shift: NonNegativeFloat = Field(
        0.0,
        description="colour is moved against luma by up to so many pixels, in any direction",
        json_schema_extra=added(0.0),
    )
    dif: Literal["norm_then_diff", "diff_only", "diff_std"] = Field(
        "norm_then_diff",
        description="DIF of normalised frames (paper), of pixels in [0, 1], or that by dif_std",
        json_schema_extra=added("norm_then_diff"),
    )
    dif_std: Triple | None = Field(
        None,
        description="divides differences of pixels in [0, 1], per channel, for dif: diff_std",
        json_schema_extra=added(None),
    )
    mean: Triple = Field((0.4339, 0.4046, 0.3776), description="subtracted, per channel")
    std: Triple = Field((0.151987, 0.14855, 0.1569), description="divided by, per channel")

    @model_validator(mode="after")
    def _std_is_positive(self) -> Self:
        if min(self.std) <= 0:
            raise ValueError(f"std must be greater than 0 in every channel, got {list(self.std)}")
        return self

    @model_validator(mode="after")
    def _dif_std_goes_with_its_rule(self) -> Self:
        if (self.dif == "diff_std") != (self.dif_std is not None):
            raise ValueError(
                "dif_std and dif: diff_std go together, got "
                f"dif {self.dif!r} and dif_std {self.dif_std}"
            )
        if self.dif_std is not None and min(self.dif_std) <= 0:
            raise ValueError(
                f"dif_std must be greater than 0 in every channel, got {list(self.dif_std)}"
            )
        return self
