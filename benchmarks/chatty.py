"""A stage kind that reports as fast as it can, in a module that a worker imports in no time."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rotlab.planning.stage import DataRef
from rotnet.learning.watch import Watch

METRICS = {f"metric_{number}": number / 20 for number in range(20)}


class ChatSettings(BaseModel):
    """How often to report."""

    model_config = ConfigDict(frozen=True)

    reports: int = 100
    number: int = 0


class ChatConfig(BaseModel):
    """The one section."""

    model_config = ConfigDict(frozen=True)

    chat: ChatSettings = ChatSettings()


def chat(
    config: ChatConfig,
    inputs: Mapping[str, Path],  # noqa: ARG001  (all kinds are called alike)
    data: Sequence[tuple[DataRef, Path]],  # noqa: ARG001
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Report, and keep how long each report took."""
    taken = []
    for step in range(1, config.chat.reports + 1):
        start = time.perf_counter()
        watch.report(step, dict(METRICS))
        taken.append(time.perf_counter() - start)
    (folder / "told.json").write_text(json.dumps(taken))
    return {"accuracy": 1.0}
