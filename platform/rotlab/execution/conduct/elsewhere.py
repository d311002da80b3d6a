"""Stages on which others' leases lie, as one driver sees it: when to look again. No clock.

Others are attempts of other drivers, and of this one where their workers are lost to it.
"""

from dataclasses import dataclass

from rotlab.store.lease import BEATS, STALE_S, holder_of


@dataclass(slots=True)
class _Seen:
    """A lease as last seen, since when it has been that, and when to look at it again."""

    lease: str
    since: float
    look_at: float
    wait_s: float


class Elsewhere:
    """Remembers leases. One that stays the same for `stale_s` is kept up by nobody."""

    def __init__(self, stale_s: float = STALE_S) -> None:
        self._stale_s = stale_s
        self._seen: dict[str, _Seen] = {}
        self._lost: dict[str, set[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._seen)

    def knows(self, key: str) -> bool:
        """Say whether another attempt's lease was seen on a stage that has not ended."""
        return key in self._seen

    def note(self, key: str, lease: str, now: float) -> None:
        """Take note that another attempt's lease lies on a stage."""
        if holder_of(lease).get("attempt") in self._lost.get(key, ()):
            self._seen[key] = _Seen(lease, now - self._stale_s, now, self._stale_s / BEATS)
            return
        known = self._seen.get(key)
        if known is not None and known.lease == lease:  # it may be stale: look at it soon
            since, wait_s = known.since, self._stale_s / BEATS
        else:
            since = now
            first_s = self._stale_s / BEATS
            wait_s = min(2 * known.wait_s, self._stale_s) if known else first_s
        self._seen[key] = _Seen(lease, since, now + wait_s, wait_s)

    def lose(self, key: str, attempt: str) -> None:
        """Take note that a worker was lost: its lease is nobody's, even if it still moves.

        One that is cut off from the driver may keep it up for a while, and can tell of nothing.
        """
        self._lost.setdefault(key, set()).add(attempt)

    def forget(self, key: str) -> None:
        """Take note that a stage has ended."""
        self._seen.pop(key, None)
        self._lost.pop(key, None)

    def is_due(self, key: str, now: float) -> bool:
        """Say whether a stage is to be tried: nobody is known to hold it, or that was long ago."""
        seen = self._seen.get(key)
        return seen is None or seen.look_at <= now

    def stale(self, key: str, now: float) -> str | None:
        """Return the lease on a stage that may be taken over, if there is one."""
        seen = self._seen.get(key)
        return seen.lease if seen is not None and now - seen.since >= self._stale_s else None
