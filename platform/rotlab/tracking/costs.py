"""What the stages behind a cell took, as a tag of the cell's run: so cells are all a query reads.

MLflow gives runs only whole, and a server takes as long for a stage's run as for a cell's.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rotlab.tracking.progress import Progress

COSTS_TAG = "rotlab.costs"
_UNIT = "gpu_hours"


def costs_tag(stages: Iterable[Progress | None]) -> str:
    """Return a tag that holds what a cell's stages took, for `read_costs`.

    Args:
        stages: how far each is, in the order of the cell's stages; None where nothing is known.
    """
    known = list(stages)
    columns = {
        "seconds": [one and one.seconds for one in known],
        _UNIT: [one and one.hours.get(_UNIT) for one in known],
    }
    told = {name: column for name, column in columns.items() if any(column)}
    return json.dumps(told, separators=(",", ":"))


def read_costs(
    told: Mapping[str, Sequence[float | None]], stages: Sequence[str]
) -> Iterator[tuple[str, str, float]]:
    """Yield metric ("seconds", "gpu_hours"), stage and what it took, of what a tag tells.

    Args:
        told: the JSON that `costs_tag` made.
        stages: the keys of the cell's stages.
    """
    for metric, column in told.items():
        for key, taken in zip(stages, column, strict=True):
            if taken is not None:
                yield metric, key, taken
