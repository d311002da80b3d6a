"""The identity of a stage's work."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rotlab.planning.stage import DataRef, StageKind

_DIGITS = 20  # 80 bits: among a million stages, two that share a key have odds below 1 in 10^12


def stage_key(
    kind: StageKind,
    identity: Mapping[str, Any],
    inputs: Mapping[str, str],
    data: Iterable[DataRef],
) -> str:
    """Return the key of a stage: 20 hex digits of a hash over all that can change its result.

    Args:
        kind: its name and code version count.
        identity: the settings that can change a result, as `rotnet.config.identity` gives them.
        inputs: input name -> key of the stage that makes it.
        data: role, split and fingerprint count, the set's name does not.
    """
    content = {
        "kind": kind.name,
        "version": kind.version,
        "config": identity,
        "inputs": inputs,
        "data": [
            {"role": ref.role, "split": ref.split, "fingerprint": ref.fingerprint} for ref in data
        ],
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:_DIGITS]


def canonical(value: object) -> str:
    """Return the one JSON text of a plain value: names sorted, no spaces, 1 and 1.0 apart.

    Raises:
        TypeError: for what JSON has no form for.
        ValueError: for NaN and infinities.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of an identity by "section.setting", each as its one JSON text."""
    found = {}
    for section, inner in values.items():
        if isinstance(inner, Mapping):
            found.update({f"{section}.{name}": canonical(one) for name, one in inner.items()})
        else:
            found[section] = canonical(inner)
    return found
