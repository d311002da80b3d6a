"""How a run looks while it goes: a live table on a terminal, now and then a line elsewhere."""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rotlab.execution.conduct.snapshot import Active, Snapshot

REFRESH_PER_S = 2
LINE_EVERY_S = 15.0
MAX_ACTIVE = 8
_SHOWN_FIRST = ("loss", "accuracy")


class Display:
    """Shows snapshots until it is left, from a thread of its own.

    Args:
        snapshot: asked for whenever something is shown.
        console: where to show it.
        every_s: seconds between lines where the console is no terminal.
    """

    def __init__(
        self, snapshot: Callable[[], Snapshot], console: Console, every_s: float = LINE_EVERY_S
    ) -> None:
        self._snapshot = snapshot
        self._console = console
        self._every_s = every_s
        self._live = Live(
            console=console,
            get_renderable=lambda: table(snapshot()),
            refresh_per_second=REFRESH_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._over = threading.Event()
        self._lines = threading.Thread(target=self._print_lines, name="display", daemon=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        else:
            self._lines.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._console.is_terminal:
            self._live.stop()
        else:
            self._lines.join()
        self._print(line(self._snapshot()))

    def _print_lines(self) -> None:
        while not self._over.wait(self._every_s):
            self._print(line(self._snapshot()))

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def line(snapshot: Snapshot) -> str:
    """Return a snapshot in one line: "0:42 · pretrain 1/2 done, 1 running · about 1:20 left"."""
    parts = [duration(snapshot.seconds)]
    for kind, counts in snapshot.counts.items():
        ended = counts.done + counts.failed + counts.cancelled + counts.pruned
        total = ended + counts.running + counts.waiting
        words = [f"{kind} {counts.done}/{total} done"]
        others = {
            "running": counts.running,
            "failed": counts.failed,
            "cancelled": counts.cancelled,
            "pruned": counts.pruned,
        }
        words += [f"{number} {name}" for name, number in others.items() if number]
        parts.append(", ".join(words))
    parts += [left] if (left := _left(snapshot)) else []
    return " · ".join(parts)


def table(snapshot: Snapshot) -> Group:
    """Return a snapshot as stages by kind, the stages at work, and the time."""
    kinds = Table("stages", box=None, padding=(0, 2, 0, 0), header_style="dim")
    has_pruned = any(counts.pruned for counts in snapshot.counts.values())
    more = ("pruned",) if has_pruned else ()
    for name in ("done", "running", "waiting", "failed", "cancelled", *more):
        kinds.add_column(name, justify="right")
    for kind, counts in snapshot.counts.items():
        numbers = [counts.done, counts.running, counts.waiting, counts.failed, counts.cancelled]
        numbers += [counts.pruned] * has_pruned
        kinds.add_row(kind, *(str(number) if number else "·" for number in numbers))
    active = [Text(_active_line(each), no_wrap=True) for each in snapshot.active[:MAX_ACTIVE]]
    if len(snapshot.active) > MAX_ACTIVE:
        active.append(Text(f"and {len(snapshot.active) - MAX_ACTIVE} more"))
    times = filter(None, (duration(snapshot.seconds), _left(snapshot)))
    return Group(kinds, *active, Text(" · ".join(times)))


def duration(seconds: float) -> str:
    """Return seconds as "0:42", "12:05" or "3:12:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _left(snapshot: Snapshot) -> str:
    remaining = any(counts.waiting or counts.running for counts in snapshot.counts.values())
    if not remaining or snapshot.seconds_left is None:
        return ""
    least = "at least" if snapshot.is_least else "about"
    return f"{least} {duration(snapshot.seconds_left)} left"


def _active_line(active: Active) -> str:
    shown = [f"{active.kind} {active.key[:8]}  {duration(active.seconds)}"]
    if active.step:
        shown.append(f"step {active.step}")
    shown += [f"{name} {value:.4g}" for name, value in _chosen(active.metrics)]
    return "  ".join(shown)


def _chosen(metrics: Mapping[str, float], limit: int = 3) -> list[tuple[str, float]]:
    """Losses and accuracies before the rest."""

    def rank(name: str) -> tuple[int, str]:
        hits = [index for index, word in enumerate(_SHOWN_FIRST) if word in name]
        return (hits[0] if hits else len(_SHOWN_FIRST), name)

    return [(name, metrics[name]) for name in sorted(metrics, key=rank)[:limit]]
