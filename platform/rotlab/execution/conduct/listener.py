"""Who is told of what happens in a run."""

from typing import Any, Protocol

Event = dict[str, Any]


class Listener(Protocol):
    """Who is told of every event, in order."""

    def record(self, event: Event) -> None:
        """Take an event; never wait for anything slow."""
