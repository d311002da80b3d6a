"""A server of the JSON API of Google Cloud Storage on loopback, to put a store into: a stand-in.

Of that API it has what the pages below document and a store asks for, all in memory, in one bucket:
uploads (media, multipart, resumable) with `ifGenerationMatch`, objects and their generations,
listings in pages, removal. There are no versions, no rights and no limits of rate.

https://cloud.google.com/storage/docs/json_api/v1/objects/insert, get, list and delete
https://cloud.google.com/storage/docs/request-preconditions
https://cloud.google.com/storage/docs/performing-resumable-uploads
https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

import base64
import hashlib
import itertools
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.rotlab.store.served import BUCKET, PAGE, Server, served

ENDPOINT = "STORAGE_EMULATOR_HOST"
_WHERE = re.compile(r"/(?:upload/|download/)?storage/v1/b/([^/]+)/o(?:/(.+))?")


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


@dataclass(slots=True)
class Session:
    """A resumable upload that is under way."""

    name: str
    condition: str | None
    data: bytes = b""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    things, sessions = Things(), dict[str, Session]()

    def do_GET(self) -> None:
        with self._refusing() as (name, asked):
            if name is None:
                self._answer(200, self.things.page(asked))
                return
            thing = self.things.get(name)
            if asked.get("alt") != "media":
                self._answer(200, thing.told(name))
                return
            generation = {"X-Goog-Generation": str(thing.generation)}
            asked_range = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if asked_range is None:
                self._answer(200, thing.data, generation)
                return
            first, last = int(asked_range[1]), int(asked_range[2] or len(thing.data) - 1)
            part = thing.data[first : last + 1]
            end = first + len(part) - 1
            said = {"Content-Range": f"bytes {first}-{end}/{len(thing.data)}"}
            self._answer(206, part, generation | said)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self._refusing() as (_, asked):
            condition = asked.get("ifGenerationMatch")
            if "upload_id" in asked:
                self._go_on(self.sessions[asked["upload_id"]], body)
            elif asked.get("uploadType") == "resumable":
                made = secrets.token_hex(8)
                name = asked.get("name") or json.loads(body)["name"]
                self.sessions[made] = Session(name, condition)
                where = f"http://{self.headers['Host']}/upload/storage/v1/b/{BUCKET}/o"
                location = f"{where}?uploadType=resumable&upload_id={made}"
                self._answer(200, b"", {"Location": location})
            elif asked.get("uploadType") == "multipart":
                _, told, data = _parts(body, self.headers["Content-Type"])
                self._answer(200, self.things.put(json.loads(told)["name"], data, condition))
            else:
                self._answer(200, self.things.put(asked["name"], body, condition))

    do_PUT = do_POST  # noqa: N815  (called so)

    def do_DELETE(self) -> None:
        with self._refusing() as (name, asked):
            if "upload_id" in asked:
                del self.sessions[asked["upload_id"]]
                self._answer(499, b"")
                return
            assert name is not None
            self.things.remove(name)
            self._answer(204, b"")

    def log_message(self, *_: object) -> None:
        """Tell nobody of the requests."""

    def _go_on(self, session: Session, body: bytes) -> None:
        """Take a part of a resumable upload; bytes that are there already are passed over."""
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", self.headers["Content-Range"])
        if found is None:
            raise RefusedError(400, "Failed to parse Content-Range header.")
        first, size = int(found[1]), int(found[3])
        if first > len(session.data):
            raise RefusedError(503, "Bytes are missing before these.")
        session.data += body[len(session.data) - first :]
        if len(session.data) < size:
            self._answer(308, b"", {"Range": f"bytes=0-{len(session.data) - 1}"})
        else:
            self._answer(200, self.things.put(session.name, session.data, session.condition))

    @contextmanager
    def _refusing(self) -> Iterator[tuple[str | None, dict[str, str]]]:
        """Give the name and the parameters that a request is of, and answer what is refused."""
        url = urlsplit(self.path)
        try:
            where = _WHERE.fullmatch(url.path)
            if where is None or where[1] != BUCKET:
                raise RefusedError(404, "The specified bucket does not exist.")
            asked = {key: values[-1] for key, values in parse_qs(url.query).items()}
            yield (None if where[2] is None else unquote(where[2])), asked
        except RefusedError as error:
            said = {"error": {"code": error.status, "message": str(error)}}
            self._answer(error.status, said)

    def _answer(
        self, status: int, said: dict[str, Any] | bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(said, bytes) else "application/json"
        found = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
        for name, value in found.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _parts(body: bytes, kind: str) -> list[bytes]:
    """Return what lies before the first boundary of a multipart body, and the parts' contents."""
    found = re.search(r'boundary="?([^";]+)"?', kind)
    assert found is not None
    parts = body.split(b"--" + found[1].encode())[:-1]
    return [re.split(rb"\r?\n\r?\n", part, maxsplit=1)[-1].removesuffix(b"\n") for part in parts]


@contextmanager
def serving() -> Iterator[Server]:
    """Have a server with one bucket, for the length of the block."""
    with served(Path(__file__), {}) as server:
        yield server


def main() -> None:
    """Serve until killed; say on which port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)  # noqa: T201  (whoever started it reads it)
    server.serve_forever()


if __name__ == "__main__":
    main()
