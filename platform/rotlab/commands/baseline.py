"""What `--baseline` says."""

import json
import re
from collections.abc import Mapping
from typing import Any

from rotlab.tracking.roster import NULL
from rotnet.errors import UserError


def baseline_of(given: str | None) -> Mapping[str, Any] | None:
    """Return axis -> value; a value is JSON where it can be read so, else text; null is "none"."""
    if given is None:
        return None
    found: dict[str, Any] = {}
    for part in re.split(r",(?=\s*[\w.]+\s*=)", given):  # a set's own commas do not divide
        axis, equals, text = (word.strip() for word in part.partition("="))
        if not equals or not axis:
            raise UserError(f"--baseline {given}: write it as AXIS=VALUE[,AXIS=VALUE]")
        try:
            value = json.loads(text)
            found[axis] = NULL if value is None else value
        except ValueError:
            found[axis] = text
    return found
