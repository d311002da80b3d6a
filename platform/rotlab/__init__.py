"""A platform for ablations: a search space becomes a plan, run by Ray Tune, tracked in MLflow.

import rotlab

cells = rotlab.results("demo", where="modality == 'rgb'")   # a pandas frame, a row a cell
stages = rotlab.history("demo")                             # what became of each stage
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotlab.answer import history, results

__all__ = ["history", "results"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # pandas is imported by who asks for results
    if name in __all__:
        return getattr(importlib.import_module("rotlab.answer"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
