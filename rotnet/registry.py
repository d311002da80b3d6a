"""What can be added without a fork: backbones, pretexts, data sets. Names here, code on demand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rotnet.errors import UserError, offer


@dataclass(frozen=True)
class Registry:
    """Named things of one sort: those of this project, and those that packages register.

    Args:
        group: of entry points; each one's name is the name, its value "module:attribute".
        noun: what one of them is called.
        built_in: name -> "module:attribute".
    """

    group: str
    noun: str
    built_in: Mapping[str, str]

    def names(self) -> list[str]:
        """Return all names, sorted, without importing what they stand for."""
        return sorted({*self.built_in, *_points(self.group)})

    def load(self, name: str) -> Any:  # noqa: ANN401  # what it is, its group says
        """Return what a name stands for.

        Raises:
            UserError: if nothing is called so, or it cannot be imported.
        """
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return getattr(import_module(module), attribute)
        point = _points(self.group).get(name)
        if point is None:
            raise UserError(f"unknown {self.noun} {name!r}; {offer(name, self.names())}")
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            raise UserError(
                f"{self.noun} {name!r} ({point.value}, entry point group {self.group}) "
                f"cannot be loaded: {error}"
            ) from error


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


# A backbone is a function (config: ModelConfig, num_outputs: int) -> rotnet.models.net.VideoNet.
BACKBONES = Registry(
    "rotnet.backbones",
    "backbone",
    {
        "resnet3d": "rotnet.models.resnet3d:resnet3d",
        "r3d_18": "rotnet.models.torchvision_nets:r3d_18",
        "mc3_18": "rotnet.models.torchvision_nets:mc3_18",
        "r2plus1d_18": "rotnet.models.torchvision_nets:r2plus1d_18",
        "c3d": "rotnet.models.c3d:c3d",
    },
)
# A pretext is a function (config: PretrainConfig) -> rotnet.pretexts.pretext.Pretext.
PRETEXTS = Registry(
    "rotnet.pretexts",
    "pretext",
    {
        "rotation": "rotnet.pretexts.rotation:RotationPretext",
        "pace": "rotnet.pretexts.pace:PacePretext",
    },
)
# A data set is a rotnet.data.catalog.Kind, or a class that makes one without arguments; what it may
# be told on the command line is in rotnet.commands.sources (WithOptions).
DATASETS = Registry("rotnet.datasets", "data set", {})
