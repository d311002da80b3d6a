"""What is wrong with a search space: all of it at once, each with its line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rotnet.errors import UserError


@dataclass(frozen=True, slots=True)
class Line:
    """Where something stands.

    Args:
        number: counted from 1.
        path: of an included file; None for the search space itself.
    """

    number: int
    path: Path | None = None

    def __str__(self) -> str:
        return f"{self.path} line {self.number}" if self.path else f"line {self.number}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Args:
        text: the value, the rule, the way out.
        where: dotted path of the setting; empty for the file as a whole.
        line: counted from 1; None for the file as a whole.
        path: of the included file that it stands in; None for the search space itself.
    """

    text: str
    where: str = ""
    line: int | None = None
    path: Path | None = None


class SpecError(UserError):
    """A search space cannot be used.

    Its text is one line for a single problem, else a heading and a line for each.

    Args:
        path: of the file.
        problems: at least one.
    """

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(
            sorted(problems, key=lambda problem: (str(problem.path or ""), problem.line or 0))
        )
        super().__init__(_said(path, self.problems))


def _said(path: Path, problems: Sequence[Problem]) -> str:
    if len(problems) == 1:
        return f"{problems[0].path or path}: {_line(problems[0], 0)}"
    width = max(len(str(problem.line or "")) for problem in problems)
    lines = "".join(
        f"\n  {f'{one.path} ' if one.path else ''}{_line(one, width)}" for one in problems
    )
    return f"{path}: {len(problems)} problems{lines}"


def _line(problem: Problem, width: int) -> str:
    numbered = f"line {problem.line:<{width}} " if problem.line else ""
    return f"{numbered}{problem.where}{': ' if problem.where else ''}{problem.text}"
