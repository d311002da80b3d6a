"""What to say about a name that is not known."""

from collections.abc import Collection
from difflib import get_close_matches

_LISTED = 12  # a longer list would hide the name that was probably meant


def unknown(what: str, name: object, valid: Collection[str]) -> str:
    """Return a sentence that refuses `name` and offers the nearest valid one.

    All valid ones are listed where they are few, or none is near.

    >>> unknown("measure", "finetun", ["finetune", "pretrain"])
    "unknown measure 'finetun'; did you mean 'finetune'? (finetune, pretrain)"
    """
    near = get_close_matches(str(name), valid, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    if not valid:
        listed = " (there are none)"
    elif len(valid) <= _LISTED or not near:
        listed = f" ({', '.join(valid)})"
    else:
        listed = ""
    return f"unknown {what} {name!r}{meant}{listed}"
