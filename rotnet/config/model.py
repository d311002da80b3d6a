"""The network."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from rotnet.config.settings import Fraction, PositiveInt, Settings, added, check_known
from rotnet.registry import BACKBONES


class ModelConfig(Settings):
    """The network: by default the 3D ResNet-18 released with the paper (resnet.py), of any width.

    Shortcut A pads with zero channels. The released code cuts the gradient of those shortcuts by
    accident: `A-detached` is that, `A` lets it flow, `B` is a 1x1x1 convolution. Depth, width and
    shortcut are resnet3d's; the other backbones have one form.
    """

    backbone: str = Field(
        "resnet3d",
        description="resnet3d, r3d_18, mc3_18, r2plus1d_18, c3d, or a rotnet.backbones entry point",
        json_schema_extra=added("resnet3d"),
    )
    depth: Literal[18, 34, 50] = Field(
        18, description="layers of resnet3d", json_schema_extra=added(18)
    )
    width: PositiveInt = Field(
        64, description="channels of the stem; the stages have 1, 2, 4, 8 times as many"
    )
    shortcut: Literal["A", "A-detached", "B"] = Field(
        "A", description="how a stage's first block adds its input"
    )
    hidden: PositiveInt = Field(64, description="units between the pooled features and the classes")
    dropout: Fraction = Field(
        0.0,
        description="probability that a pooled feature is dropped in training, before the head",
        json_schema_extra=added(0.0),
    )

    @field_validator("backbone")
    @classmethod
    def _backbone_is_known(cls, backbone: str) -> str:
        return check_known(BACKBONES, backbone)

    @model_validator(mode="after")
    def _others_have_one_form(self) -> Self:
        for name in ("depth", "width", "shortcut"):
            given, default = getattr(self, name), type(self).model_fields[name].default
            if self.backbone != "resnet3d" and given != default:
                raise ValueError(
                    f"{name} is for backbone resnet3d; {self.backbone} has one form, for which it "
                    f"is {default!r}, got {given!r}"
                )
        return self
