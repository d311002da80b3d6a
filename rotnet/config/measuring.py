"""How a network is measured: scores of videos, probes of its features, fusion with others."""

from typing import Annotated, Literal

from pydantic import Field

from rotnet.config.settings import PositiveFloat, PositiveInt, Settings, added


class EvaluateConfig(Settings):
    """How a video is scored: the mean softmax of clips spread evenly over it."""

    clips: PositiveInt = Field(10, description="clips per video")
    crops: Literal[1, 3] = Field(
        1,
        description="squares of each clip: the centre, or three spread along the longer side",
        json_schema_extra=added(1),
    )


class LinearConfig(Settings):
    """How features are probed: logistic regression on every stage's features, network frozen.

    The features of a video are the mean over its clips. The weight decay is chosen from `l2` on
    videos held out of the training part by group, then the probe is fitted on all of it.
    """

    clips: PositiveInt = Field(10, description="clips per video")
    pools: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)] = Field(
        (1, 2), description="sides of the grids that maps are averaged to; 1 is global"
    )
    l2: Annotated[tuple[PositiveFloat, ...], Field(strict=False, min_length=1)] = Field(
        (1e-4, 1e-3, 1e-2, 1e-1, 1.0), description="weight decays to choose from"
    )
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="share of the training videos, by group, that chooses the weight decay"
    )


class RetrievalConfig(Settings):
    """How features are searched: the nearest training videos of every test video, by cosine."""

    clips: PositiveInt = Field(10, description="clips per video, whose features are averaged")


class FuseConfig(Settings):
    """How the scores of several networks become one."""

    rule: Literal["mean_softmax", "mean_logits", "fitted"] = Field(
        "mean_softmax",
        description="mean of the networks' softmax, or of their logits, or softmax weighted as is "
        "best on their validation scores",
    )
