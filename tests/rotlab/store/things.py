"""Objects and their generations, in memory, as Google Cloud Storage has them: `gcs` serves them."""

import base64
import hashlib
import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.rotlab.store.served import BUCKET, PAGE


class RefusedError(Exception):
    """What is answered instead."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Thing:
    """An object."""

    data: bytes
    generation: int
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def told(self, name: str) -> dict[str, str]:
        """Return it as a resource of the API."""
        return {
            "kind": "storage#object",
            "bucket": BUCKET,
            "name": name,
            "generation": str(self.generation),
            "size": str(len(self.data)),
            "timeCreated": self.created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "md5Hash": base64.b64encode(
                hashlib.md5(self.data, usedforsecurity=False).digest()
            ).decode(),
        }


class Things:
    """All objects. Who looks whether a name is taken, and takes it, does that as one."""

    def __init__(self) -> None:
        self._lock, self._held = threading.Lock(), dict[str, Thing]()
        self._numbers = itertools.count(time.time_ns() // 1000)

    def put(self, name: str, data: bytes, condition: str | None) -> dict[str, str]:
        """Write an object, if the live one has that generation; 0: if there is none."""
        with self._lock:
            there = self._held.get(name)
            if condition is not None and int(condition) != (there.generation if there else 0):
                raise RefusedError(412, "At least one of the pre-conditions you specified failed.")
            self._held[name] = Thing(data, next(self._numbers))
            return self._held[name].told(name)

    def get(self, name: str) -> Thing:
        """Return an object."""
        with self._lock:
            if name not in self._held:
                raise RefusedError(404, f"No such object: {BUCKET}/{name}")
            return self._held[name]

    def remove(self, name: str) -> None:
        """Remove an object."""
        with self._lock:
            if self._held.pop(name, None) is None:
                raise RefusedError(404, f"No such object: {BUCKET}/{name}")

    def page(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of a listing; a token is the last name of the page before."""
        start, delimiter = asked.get("prefix", ""), asked.get("delimiter")
        with self._lock:
            found: dict[str, Thing | None] = {}
            for name, thing in self._held.items():
                if not name.startswith(start):
                    continue
                head, cut, _ = (
                    name[len(start) :].partition(delimiter) if delimiter else ("", "", "")
                )
                found |= {f"{start}{head}{cut}": None} if cut else {name: thing}
        last = base64.b64decode(asked.get("pageToken", "")).decode()
        names = [name for name in sorted(found) if name > last]
        most = min(int(asked.get("maxResults", PAGE)), PAGE)
        page = {name: found[name] for name in names[:most]}
        answer: dict[str, Any] = {
            "kind": "storage#objects",
            "items": [thing.told(name) for name, thing in page.items() if thing is not None],
            "prefixes": [name for name, thing in page.items() if thing is None],
        }
        if names[most:]:
            answer["nextPageToken"] = base64.b64encode(names[most - 1].encode()).decode()
        return {key: value for key, value in answer.items() if value}
