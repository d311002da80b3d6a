"""What every process that may be killed is started with."""

import os
from pathlib import Path

from tests.chaos.points import FOLDER

ROOT = Path(__file__).parents[2]


def environment(orders: Path) -> dict[str, str]:
    """Return the environment in which processes halt where orders say.

    Args:
        orders: the folder where they are given.
    """
    path = (ROOT / "tests/chaos/site", ROOT, ROOT / "platform")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "OMP_NUM_THREADS": "1",
        FOLDER: str(orders),
    }
