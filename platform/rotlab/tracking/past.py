"""What a study's events come to: how its stages ended last, and whether it was brought to its end.

Pure: no clock or disk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rotlab.tracking.journal import Event

DONE = ("FINISHED", "REUSED")


@dataclass(frozen=True, slots=True)
class Past:
    """What events tell.

    Args:
        ends: key -> its last end, as an event; stages begun since have none.
        last: the last event of all, if any.
        is_ended: whether all was done when the study was last run to its end.
        is_open: whether it is being run, or its last run was killed before it could tell an end.
    """

    ends: Mapping[str, Event]
    last: Event | None
    is_ended: bool
    is_open: bool = False

    @property
    def metrics(self) -> dict[str, Mapping[str, float]]:
        """Key -> metrics, of stages that are known to be done."""
        return {k: end["metrics"] for k, end in self.ends.items() if end["state"] in DONE}

    @property
    def failures(self) -> dict[str, Event]:
        """Key -> its last end, of stages that were given up."""
        return {key: end for key, end in self.ends.items() if end["state"] == "FAILED"}


def look_back(events: Iterable[Event]) -> Past:
    """Return what events, in their order, tell."""
    ends: dict[str, Event] = {}
    last: Event | None = None
    is_ended = is_open = False
    for event in events:
        last = event
        match event["event"]:
            case "stage_started":
                ends.pop(event["key"], None)
            case "stage_ended":
                ends[event["key"]] = event
            case "study_started":
                is_ended, is_open = False, True
            case "study_ended":
                is_ended, is_open = event["state"] == "FINISHED", False
    return Past(ends, last, is_ended, is_open)


def in_order(journals: Iterable[Iterable[Event]]) -> list[Event]:
    """Return the events of several journals of one study, by their time."""
    return sorted((event for events in journals for event in events), key=lambda one: one["time"])
