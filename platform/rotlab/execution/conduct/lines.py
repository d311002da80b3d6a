"""Several short stages for one worker, one after the other. No clock, no Ray.

After each stage that ends, its worker's next one is a round through Ray and the driver. What is
known to be short is given to a worker several at a time, so that there are fewer of these rounds.
"""

from collections.abc import Callable, Sequence

LINE_S = 10.0  # what becomes urgent meanwhile waits for no longer
MOST = 8  # stages in a line


def line_after(
    first: str,
    ready: Callable[[int], Sequence[str]],
    longest: Callable[[str], float],
    fits: Callable[[str], bool],
    workers: int,
) -> list[str]:
    """Return the stages that a worker is to go on with after the first.

    Of the stages that are ready a worker gets no more than half its share, so that lines become
    shorter as the stages run out, and workers end together.

    Args:
        first: the most urgent stage.
        ready: the first so many stages that may start now, most urgent first.
        longest: the seconds that a stage may take, infinite where that is not known.
        fits: whether a worker that is at the first stage can go on with this one.
        workers: how many share the stages.
    """
    left = LINE_S - longest(first)
    if left <= 0:
        return []
    waiting = ready(2 * workers * MOST)
    most = len(waiting) // (2 * workers)
    found: list[str] = []
    for key in waiting:
        if 1 + len(found) >= most or longest(key) > left:
            break
        if key != first and fits(key):
            found.append(key)
            left -= longest(key)
    return found
