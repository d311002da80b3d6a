"""What a stage says while a command runs it."""

import sys
from collections.abc import Mapping
from pathlib import Path

from rotnet.learning.watch import StopWish


class Printer:
    """A watch that prints a line for each report, on stderr."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Print the metrics of a step."""
        figures = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        sys.stderr.write(f"step {step}  {figures}\n")

    def saved(self, step: int, path: Path) -> None:
        """Say nothing of checkpoints."""

    def should_stop(self) -> StopWish:
        """Never stop; Ctrl-C does, and the next call goes on from the last checkpoint."""
        return "no"


def conclude(metrics: Mapping[str, float], out: Path) -> None:
    """Print a stage's metrics, one a line, and where it left its files."""
    width = max(map(len, metrics))
    sys.stdout.writelines(f"{name:{width}}  {value:.6g}\n" for name, value in metrics.items())
    sys.stdout.write(f"in {out}\n")
