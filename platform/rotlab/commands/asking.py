"""A question before something goes that does not come back."""

import sys

from rotnet.errors import UserError


def agreed(question: str) -> bool:
    """Ask on the terminal; return whether the answer is yes.

    Raises:
        UserError: if there is no terminal, so that nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise UserError("nobody can be asked here: give --yes if that is what you want")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
