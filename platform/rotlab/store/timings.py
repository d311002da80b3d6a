"""What records tell of how long stages take, for planning, which knows no records."""

import json
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError

from rotlab.planning.cost.cost import Timed
from rotlab.planning.stage import DataRef, Stage, StageKind
from rotlab.store.record import Record


def timings(records: Iterable[Record], kinds: Mapping[str, StageKind]) -> Iterator[Timed]:
    """Yield the stages behind records, and how long they took.

    A record of a kind that is not registered, or whose settings the kind no longer takes, tells
    nothing of stages that are planned now, and is left out.
    """
    for record in records:
        kind = kinds.get(record.kind)
        if kind is None:
            continue
        try:
            config = kind.config.model_validate_json(json.dumps(record.config))
            data = tuple(DataRef(**ref) for ref in record.data)
        except (ValidationError, TypeError):
            continue
        stage = Stage(record.key, record.kind, config, dict(record.inputs), data)
        yield Timed(stage, record.seconds, record.device, record.continued, record.processes)
