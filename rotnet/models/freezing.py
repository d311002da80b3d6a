"""Stages that hold still while later ones learn."""

from rotnet.errors import UserError
from rotnet.models.net import VideoNet


def freeze(model: VideoNet, stages: int) -> None:
    """Hold the first stages still: no gradient, and batch statistics fixed, whatever the mode.

    They stay in eval mode when `model.train()` is called (see `VideoNet.train`). Weight decay and
    momentum leave them alone too, since a parameter without a gradient is not stepped. Called with
    a smaller number, it lets stages learn again.

    Args:
        model: whose stages.
        stages: how many, from the first; 0 lets all learn.

    Raises:
        UserError: if the network has fewer stages.
    """
    if not 0 <= stages <= len(model.stages):
        raise UserError(
            f"freeze must be from 0 to {len(model.stages)}, the stages of this network "
            f"({', '.join(model.stages)}), got {stages}"
        )
    model.frozen = stages
    for number, stage in enumerate(model.stages):
        for module in model.modules_of(stage):
            for parameter in module.parameters():
                parameter.requires_grad_(number >= stages)
                if number < stages:
                    parameter.grad = None
    model.train(model.training)
