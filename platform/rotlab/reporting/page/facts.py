"""What a study took, what failed and where its numbers come from, as tables and words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import pandas as pd

from rotlab.reporting.arms import DONE
from rotlab.reporting.tables import Column
from rotlab.tracking.query import STAGES
from rotlab.tracking.stage_runs import StageRun

_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Source:
    """Where a report's numbers come from.

    Args:
        study: its name.
        uri: MLflow's.
        version: of rotlab.
        made: when the report was made.
        records: what the store adds, by name, where it is at hand: commits, devices, versions.
    """

    study: str
    uri: str
    version: str
    made: datetime
    records: Mapping[str, str]


def cost_columns(stages: Sequence[StageRun], frame: pd.DataFrame) -> list[Column]:
    """Return a row for each kind of stage: how many, how long, and what sharing saved.

    "Cell by cell" is how often cells need a stage of the kind, as if each ran by itself. Hours are
    those of the last attempts.
    """
    needed = Counter(key for held in frame[STAGES] if held for key in set(held))
    kinds = list(dict.fromkeys(one.kind for one in stages))
    rows = []
    for kind in kinds:
        own = [one for one in stages if one.kind == kind]
        alone = sum(needed[one.key] for one in own)
        seconds = sum(one.seconds or 0 for one in own)
        unshared = sum((one.seconds or 0) * needed[one.key] for one in own)
        rows.append(
            (
                kind,
                str(len(own)),
                str(sum(one.state == "FINISHED" for one in own)),
                str(sum(one.state == "REUSED" for one in own)),
                str(sum(one.state not in DONE for one in own)),
                f"{seconds / _HOUR_S:.2f}",
                str(alone),
                f"{unshared / seconds:.1f}x" if seconds else "-",
            )
        )
    heads = ("kind", "stages", "done", "reused", "other", "hours", "cell by cell", "saved")
    return [
        Column(head, tuple(row[place] for row in rows), number=place > 0)
        for place, head in enumerate(heads)
    ]


def failed(stages: Sequence[StageRun]) -> list[StageRun]:
    """Return the stages that ended, but not well."""
    return [one for one in stages if one.state not in (*DONE, "RUNNING")]


def last_line(error: str) -> str:
    """Return what an error says at its end, or that it says nothing."""
    lines = [line for line in error.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no error told"


def provenance(
    source: Source, frame: pd.DataFrame, stages: Sequence[StageRun]
) -> list[tuple[str, str]]:
    """Return what the report stands on: (what, value), in order."""
    data = dict.fromkeys(ref for one in stages for ref in one.data)
    begun = [one.start_ms for one in stages]
    ended = [one.end_ms for one in stages if one.end_ms is not None]
    seeds = sorted({int(seed) for seed in frame["seed"].dropna()})
    splits = sorted({int(split) for split in frame["split"].dropna()})
    facts = [
        ("study", source.study),
        ("MLflow", without_password(source.uri)),
        ("report made", f"{source.made:%Y-%m-%d %H:%M} UTC, by rotlab {source.version}"),
        ("work", f"{_day(min(begun))} to {_day(max(ended))}" if begun and ended else ""),
        ("seeds", ", ".join(map(str, seeds))),
        ("splits", ", ".join(map(str, splits))),
        ("data", ", ".join(data)),
        *source.records.items(),
    ]
    return [(name, value) for name, value in facts if value]


def without_password(uri: str) -> str:
    """Return a URI without the user and password that it may hold."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _day(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M}"
