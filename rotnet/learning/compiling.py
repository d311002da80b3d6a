"""A network compiled by torch for its device, where that can be done."""

import logging
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rotnet.errors import UserError

_log = logging.getLogger(__name__)

Forward = Callable[[Tensor], Tensor]


def compiled(model: nn.Module, device: torch.device) -> Forward:
    """Return a model's forward pass, compiled; as it is where this machine cannot compile.

    Why it cannot is logged as a warning. Weights are shared with the model, and the first call
    compiles, which takes a minute or so.

    Args:
        model: on its device.
        device: where it is.
    """
    reason = why_not(device)
    if reason is not None:
        _log.warning("the network is not compiled (%s): it is computed as it is", reason)
        return model
    quick = torch.compile(model, dynamic=False)

    def forward(views: Tensor) -> Tensor:
        try:
            return quick(views)
        except torch._dynamo.exc.TorchDynamoException as error:
            raise UserError(
                f"this network cannot be compiled ({_first_line(error)}); set compile to false"
            ) from error

    return forward


def why_not(device: torch.device) -> str | None:
    """Return why nothing can be compiled for a device here, or None: a small thing is tried."""
    try:
        torch.compile(_sample, dynamic=False)(torch.ones(8, device=device))
    except Exception as error:  # noqa: BLE001  (whatever a compiler or its absence raises)
        return _first_line(error)
    return None


def _sample(values: Tensor) -> Tensor:
    return (values * 2 + 1).relu()


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
