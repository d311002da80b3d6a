"""How a metric's values are shown, and which way is better: shares in per cent, others as is."""

from dataclasses import dataclass
from typing import Literal

_SHARES = ("accuracy", "recall", "precision", "chance")
_SHORT = {"mean_average_precision": "mAP"}
_LOWER_IS_BETTER = ("loss", "error", "seconds")


@dataclass(frozen=True, slots=True)
class Scale:
    """How one metric is read.

    Args:
        percent: whether its values are shares of 1, shown in per cent.
        better: which way is better; None where its name does not tell.
    """

    percent: bool
    better: Literal["higher", "lower"] | None

    @property
    def unit(self) -> str:
        """What stands behind a value: " %" or nothing."""
        return " %" if self.percent else ""

    @property
    def difference_unit(self) -> str:
        """What stands behind a difference: " points" or nothing."""
        return " points" if self.percent else ""

    def show(self, value: float | None) -> str:
        """Return a value without its unit: 0.1234 as "12.3", a loss as "0.1234", nothing as "-"."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else f"{value:.4g}"

    def show_signed(self, value: float) -> str:
        """Return a difference with its sign: "+12.3"."""
        return f"{100 * value:+.1f}" if self.percent else f"{value:+.4g}"


def short_name(metric: str) -> str:
    """Return a metric's name as the field abbreviates it, or as it is."""
    return _SHORT.get(metric, metric)


def scale_of(metric: str) -> Scale:
    """Return how a metric is read, judged by the last part of its name."""
    name = metric.rpartition(".")[2]
    if any(word in name for word in _LOWER_IS_BETTER):
        return Scale(percent=False, better="lower")
    share = any(word in name for word in _SHARES)
    return Scale(percent=share, better="higher" if share else None)
