"""Other runs on one Ray cluster, as a run hears of them in their store: who gives way to whom.

Each posts what it takes and whether it would take more in a small file of its own, which it moves
on. One that has not moved for some time, by the reader's clock, counts no more. Nothing but the
order of work hangs on it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rotlab.planning.release.fairness import Wish, limit

EVERY_S = 1.0
WAIT_S = 10.0  # a run is given way to once it has lacked something for so long
STALE_S = 20.0
LAPSE_S = 180.0  # and no more when it has taken nothing of free room for so long


@dataclass(slots=True)
class _Heard:
    """What was last heard of a run, since when, and since when it has lacked, or left, room.

    One that was never seen to move may have been left by a run that was killed.
    """

    text: str
    since: float
    wish: Wish
    has_moved: bool = False
    lacks_since: float | None = None
    leaves_since: float | None = None


class Neighbours:
    """Posts a run's wish and reads those of the others.

    Args:
        folder: of the cluster, in the store that the runs share.
        run: identity of the run.
        clock: seconds that never run backwards.
    """

    def __init__(self, folder: Path, run: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._own, self._clock = folder, folder / f"{run}.json", clock
        self._heard: dict[str, _Heard] = {}
        self._looked, self._beat = float("-inf"), 0
        self._limit: float | None = None

    def look(self, wish: Callable[[], Wish]) -> float | None:
        """Post the run's wish, and return the most that it may take; None: all that there is.

        Args:
            wish: asked where it is time to look again.

        Raises:
            OSError: the store cannot be written, or read.
        """
        now = self._clock()
        if now - self._looked < EVERY_S:
            return self._limit
        self._looked = now
        own = wish()
        self._post(own)
        self._read(now)
        alive = [one for one in self._heard.values() if one.has_moved]
        others = [one.wish for one in alive]
        self._mark(own, others, now)
        heard = [one.wish for one in alive if self._counts(one, now)]
        self._limit = limit(own, others, heard) if heard else None
        return self._limit

    def leave(self) -> None:
        """Take back the wish."""
        self._own.unlink(missing_ok=True)

    def _post(self, own: Wish) -> None:
        self._beat += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = self._own.with_suffix(".part")
        aside.write_text(json.dumps({**asdict(own), "beat": self._beat}), encoding="utf-8")
        aside.replace(self._own)

    def _read(self, now: float) -> None:
        """Hear the others, and forget those that are gone or stand still."""
        found: dict[str, _Heard] = {}
        for path in self._folder.glob("*.json"):
            if path == self._own:
                continue
            try:
                text = path.read_text(encoding="utf-8")
                values = json.loads(text)
                values.pop("beat")
                wish = Wish(**values)
            except (FileNotFoundError, ValueError, TypeError, KeyError):
                continue
            known = self._heard.get(path.name)
            if known is None:
                known = _Heard(text, now, wish)
            elif known.text != text:
                if wish.use != known.wish.use:  # it has got, or given, some
                    known.leaves_since = None
                known.text, known.since, known.wish, known.has_moved = text, now, wish, True
            if now - known.since < STALE_S:
                found[path.name] = known
            else:  # it posts again if it was only stopped
                path.unlink(missing_ok=True)
        self._heard = found

    def _mark(self, own: Wish, others: list[Wish], now: float) -> None:
        """Note since when each lacks something, and since when there is room that it leaves."""
        free = 1.0 - own.use - sum(one.use for one in others)
        for one in self._heard.values():
            waits = one.wish.stage > 0
            one.lacks_since = (one.lacks_since or now) if waits else None
            leaves = waits and one.wish.stage <= free + 1e-6
            one.leaves_since = (one.leaves_since or now) if leaves else None

    @staticmethod
    def _counts(one: _Heard, now: float) -> bool:
        has_waited = one.lacks_since is not None and now - one.lacks_since >= WAIT_S
        lapsed = one.leaves_since is not None and now - one.leaves_since >= LAPSE_S
        return has_waited and not lapsed
