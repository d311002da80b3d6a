"""Parts of a network that are computed again when going back, so that less is kept until then."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(
    part: Callable[[Tensor], Tensor], maps: Tensor, modules: Sequence[nn.Module]
) -> Tensor:
    """Return part(maps), keeping until the way back nothing but the maps given.

    The statistics of batch normalisation are taken once, as without.

    Args:
        part: of a network.
        maps: its input.
        modules: those that it uses.
    """
    layers = [
        layer for module in modules for layer in module.modules() if isinstance(layer, _BatchNorm)
    ]

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_kept(layers)

    return checkpoint(part, maps, use_reentrant=False, context_fn=contexts)


@contextmanager
def _statistics_kept(layers: Sequence[_BatchNorm]) -> Iterator[None]:
    """Let layers write their statistics to copies, which are thrown away."""
    own = [dict(layer._buffers) for layer in layers]
    for layer in layers:
        for name, buffer in layer._buffers.items():
            layer._buffers[name] = None if buffer is None else buffer.clone()
    try:
        yield
    finally:
        for layer, buffers in zip(layers, own, strict=True):
            layer._buffers.update(buffers)
