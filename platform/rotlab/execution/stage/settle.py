"""A used process made like a fresh one: what ran there before must not change a result."""

import importlib
import random
import sys

import numpy as np

SEED = 0


def settle(cpus: int, gpus: float | None = None) -> None:
    """Put random generators, numerical flags and thread counts where every stage starts from.

    Stages seed what they draw from; this is for what they forget. Torch is settled only where it is
    loaded, for it takes seconds to load: call this after importing what is to run.

    Args:
        cpus: threads to compute with.
        gpus: devices, or the share of one whose memory this process may take at most.
    """
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002  (the global generator is what there is to be settled)
    if "torch" in sys.modules:
        torch_part = importlib.import_module("rotlab.execution.stage.settle_torch")
        torch_part.settle_torch(SEED, cpus, gpus)
