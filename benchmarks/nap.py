"""A stage kind that sleeps, in a module that a worker imports in no time."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rotlab.planning.stage import DataRef
from rotnet.learning.watch import Watch


class NapSettings(BaseModel):
    """How long to sleep."""

    model_config = ConfigDict(frozen=True)

    seconds: float = 1.0
    number: int = 0


class NapConfig(BaseModel):
    """The one section."""

    model_config = ConfigDict(frozen=True)

    nap: NapSettings = NapSettings()


def nap(
    config: NapConfig,
    inputs: Mapping[str, Path],  # noqa: ARG001  (all kinds are called alike)
    data: Sequence[tuple[DataRef, Path]],  # noqa: ARG001
    folder: Path,  # noqa: ARG001
    watch: Watch,
) -> dict[str, float]:
    """Sleep, and report once."""
    time.sleep(config.nap.seconds)
    watch.report(1, {"loss": 1.0})
    return {"accuracy": 1.0}
