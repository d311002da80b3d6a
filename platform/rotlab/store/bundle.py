"""A study as one file: which members it has, and the manifest that comes first. Values only.

<study>/manifest.json                     format, study, by whom; SHA-256 and size of all members
<study>/manifest.sha256                   SHA-256 of the manifest
<study>/studies/<revision>.json           plan and question
<study>/journals/journal*.jsonl           what happened
<study>/decisions/searches/<key>/<path>   what searches decided, as in the store; looks likewise
<study>/records/<kind>/<key>.json         as in the store
<study>/results/<kind>/<key>/<path>       files of results, some of them left out
<study>/states/<kind>/<key>               training states
<study>/<name>                            for people: search_space.yaml, environment.json, results.*
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from rotlab.planning.space.report import NAME

FORMAT = 2  # of 1, the decisions were left out
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
FOR_PEOPLE = ("search_space.yaml", "environment.json", "results.csv", "results.md")
MAX_MANIFEST_BYTES = 1 << 29
Weights = Literal["results", "all", "none"]
_FORMS = (
    r"studies/[1-9]\d*\.json",
    rf"journals/journal(-{NAME})?\.jsonl",
    rf"decisions/(searches|looks)/[0-9a-f]+/({NAME}/)*{NAME}\.json",
    rf"records/{NAME}/[0-9a-f]+\.json",
    rf"results/{NAME}/[0-9a-f]+/.+",
    rf"states/{NAME}/[0-9a-f]+",
    *map(re.escape, FOR_PEOPLE),
)
_MEMBER = re.compile("|".join(_FORMS))


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a member must be.

    Args:
        sha256: of its content, in hexadecimal.
        size: bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file holds.

    Args:
        study: its name.
        weights: which were taken along.
        made: when, ISO 8601 with the offset from UTC.
        by: of whom made it: versions, commit, host.
        members: name below the study's folder -> what it must be.
    """

    study: str
    weights: str
    made: str
    by: Mapping[str, Any]
    members: Mapping[str, Sealed]


def manifest_to_json(manifest: Manifest) -> bytes:
    """Return the manifest as it stands in the file."""
    return json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1, sort_keys=True).encode()


def manifest_from_json(text: bytes) -> Manifest:
    """Return the manifest that `manifest_to_json` wrote.

    Raises:
        ValueError: if it is no manifest, has a newer format, or names a member that has no place.
    """
    values = json.loads(text)
    if not isinstance(values, dict) or not isinstance(values.get("format"), int):
        raise ValueError("its manifest is none of ours")
    if values.pop("format") > FORMAT:
        raise ValueError(f"it has a newer format than {FORMAT}, the one known here; update rotlab")
    try:
        members = {name: Sealed(**one) for name, one in values.pop("members").items()}
        manifest = Manifest(**values, members=members)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"its manifest is none of ours ({error})") from error
    if not re.fullmatch(NAME, str(manifest.study)):
        raise ValueError(f"its study {manifest.study!r} has no name that we give")
    for name in members:
        check_place(name)
    return manifest


def check_place(name: str) -> None:
    """Raise ValueError if a member has no place in a bundle, or lies outside of it."""
    parts = PurePosixPath(name).parts
    is_inside = "/".join(parts) == name and not {"..", ".", "/"} & set(parts)
    if not is_inside or "\\" in name or "\0" in name or not _MEMBER.fullmatch(name):
        raise ValueError(f"its member {name!r} has no place in a study")
