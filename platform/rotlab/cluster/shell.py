"""What command lines say: options, assignments, mounts. Nothing is run."""

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "efs", "lustre", "cifs", "ceph", "glusterfs")


def words(command: str) -> list[str]:
    """Return the words of a command line, brackets and separators as words of their own."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # an open quote
        return command.split()


def option(given: Sequence[str], *names: str) -> str | None:
    """Return the value of an option, --name VALUE or --name=VALUE; None if it is not given."""
    values = options(given, *names)
    return values[-1] if values else None


def options(given: Sequence[str], *names: str) -> list[str]:
    """Return all values of an option that may be given several times."""
    found = [
        word.partition("=")[2] for word in given if word.partition("=")[0] in names and "=" in word
    ]
    return found + [value for word, value in pairwise(given) if word in names]


def calls(command: str, *program: str) -> Iterator[list[str]]:
    """Yield the words that follow each call of a program, such as ("mlflow", "server")."""
    given, length = words(command), len(program)
    for start in range(len(given) - length + 1):
        if tuple(given[start : start + length]) == program:
            rest = given[start + length :]
            end = next((i for i, word in enumerate(rest) if set(word) <= set(";&|()<>")), len(rest))
            yield rest[:end]


def assignments(command: str) -> Iterator[tuple[str, str]]:
    """Yield the variables that a command line sets, with their values."""
    for word in words(command):
        if _ASSIGNED.match(word):
            name, _, value = word.partition("=")
            yield name, value


def network_mounts(command: str) -> Iterator[str]:
    """Yield the folders onto which a command line mounts a file system of the network."""
    for given in calls(command, "mount"):
        if option(given, "-t", "--types") in _NETWORK_FILE_SYSTEMS:
            yield given[-1]


def is_below(path: str, folders: Sequence[str]) -> bool:
    """Say whether a path is one of some folders, or lies in one."""
    return any(f"{path}/".startswith(f"{folder.rstrip('/')}/") for folder in folders)
