"""Features as a Parquet file: a row a clip or a video, a column a stage. Needs pyarrow.

Vectors of different stages differ in length, so each stage is a column of its own, of fixed-size
lists, and a reader loads the stages it asks for. Columns: video, label, group (text; label is null
in an unlabelled set), start (first frame of the clip; null for a mean over clips), clips, and the
stages by name.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from rotnet.evaluation.clip_features import Features

ROWS_IN_GROUP = 1024
NOTE = b"rotnet"  # key in the file's metadata; its value is JSON


def write_features(path: Path, features: Iterable[Features], note: Mapping[str, object]) -> int:
    """Write features under a temporary name, then rename; return how many rows there are.

    No more than a group of rows is in memory at a time.

    Args:
        path: of the file, .parquet.
        features: at least one; all of the same stages.
        note: where they are from, plain values; kept in the file's metadata.

    Raises:
        ValueError: if there are no features.
    """
    waiting = iter(features)
    first = next(waiting, None)
    if first is None:
        raise ValueError(f"{path}: there are no features to write")
    schema = _schema(first, note)
    aside = path.with_name(path.name + ".part")
    count = 0
    try:
        with ParquetWriter(aside, schema) as writer:
            for rows in _groups(chain([first], waiting)):
                writer.write_table(_table(rows, schema))
                count += len(rows)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return count


def _schema(first: Features, note: Mapping[str, object]) -> pa.Schema:
    stages = [
        (stage, pa.list_(pa.float32(), vector.size)) for stage, vector in first.vectors.items()
    ]
    columns = [
        ("video", pa.string()),
        ("label", pa.string()),
        ("group", pa.string()),
        ("start", pa.int32()),
        ("clips", pa.int32()),
        *stages,
    ]
    return pa.schema(columns, metadata={NOTE: json.dumps(note)})


def _groups(features: Iterator[Features]) -> Iterator[list[Features]]:
    while rows := list(islice(features, ROWS_IN_GROUP)):
        yield rows


def _table(rows: list[Features], schema: pa.Schema) -> pa.Table:
    columns = {
        "video": [_text(row.video.path) for row in rows],
        "label": [row.video.label for row in rows],
        "group": [_text(row.video.group) for row in rows],
        "start": [row.start for row in rows],
        "clips": [row.clips for row in rows],
    }
    arrays = [pa.array(values, schema.field(name).type) for name, values in columns.items()]
    for stage, first in rows[0].vectors.items():
        values = np.concatenate([row.vectors[stage] for row in rows])
        arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(values), first.size))
    return pa.Table.from_arrays(arrays, schema=schema)


def _text(name: str) -> str:
    r"""Return a file's name, which need not be text, as text: what is none becomes \udcXX."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
