"""Errors that a user can mend. Their text is the message: the value, the rule, the way out."""

from collections.abc import Sequence
from difflib import get_close_matches


class UserError(Exception):
    """Something the user gave is wrong; commands print this text alone and end with status 2."""


class DataError(UserError):
    """A video, a folder of videos or a prepared data set cannot be used."""


class CheckpointError(UserError):
    """A checkpoint does not fit what it is loaded into, or is not one."""


def offer(word: str, valid: Sequence[str]) -> str:
    """Return the valid words, the one that was probably meant first: "did you mean 'b'? (a, b)"."""
    near = get_close_matches(word, valid, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"({', '.join(valid)})"
