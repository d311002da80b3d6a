"""A copy that is brought up from time to time while a study runs, and at its end. A thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_EVERY_S = 5.0


@contextmanager
def copying(
    bring_up: Callable[[], None] | None,
    news: Callable[[], object],
    failed: Callable[[str], None],
    every_s: float = _EVERY_S,
) -> Iterator[None]:
    """Keep a copy up to what it is of, until the end; whatever becomes of it, the study goes on.

    Args:
        bring_up: does so; None: there is no copy.
        news: returns something that is another when there is something to be copied.
        failed: is told at the end, in a line, why the copy is not whole, if so.
        every_s: how often there may be news.
    """
    if bring_up is None:
        yield
        return
    over = threading.Event()
    last: list[object] = [None]

    def go_on() -> None:
        while not over.wait(every_s):
            _try(bring_up, news, last)

    thread = threading.Thread(target=go_on, name="copying", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        problem = _try(bring_up, news, last)
        if problem:
            failed(problem)


def _try(
    bring_up: Callable[[], None], news: Callable[[], object], last: list[object]
) -> str | None:
    """Bring the copy up if there is news; return why that could not be done."""
    try:
        now = news()
        if now != last[0]:
            bring_up()
            last[0] = now
    except Exception as error:  # noqa: BLE001  # whatever a driver of a database may raise
        said = str(error).strip().splitlines()
        return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
    return None
