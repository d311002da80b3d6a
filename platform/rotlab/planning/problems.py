"""What is wrong with a search space: all of it at once, each with its line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rotnet.errors import UserError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Args:
        text: the value, the rule, the way out.
        where: dotted path of the setting; empty for the file as a whole.
        line: counted from 1; None for the file as a whole.
    """

    text: str
    where: str = ""
    line: int | None = None


class SpecError(UserError):
    """A search space cannot be used.

    Its text is one line for a single problem, else a heading and a line for each.

    Args:
        path: of the file.
        problems: at least one.
    """

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__(_said(path, self.problems))


def _said(path: Path, problems: Sequence[Problem]) -> str:
    if len(problems) == 1:
        return f"{path}: {_line(problems[0], 0)}"
    width = max(len(str(problem.line or "")) for problem in problems)
    lines = "".join(f"\n  {_line(problem, width)}" for problem in problems)
    return f"{path}: {len(problems)} problems{lines}"


def _line(problem: Problem, width: int) -> str:
    numbered = f"line {problem.line:<{width}} " if problem.line else ""
    return f"{numbered}{problem.where}{': ' if problem.where else ''}{problem.text}"
