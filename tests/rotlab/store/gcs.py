"""A server of the JSON API of Google Cloud Storage on loopback, to put a store into: a stand-in.

Of that API it has what the pages below document and a store asks for, all in memory, in one bucket:
uploads (media, multipart, resumable) with `ifGenerationMatch`, objects and their generations,
listings in pages, removal. There are no versions, no rights and no limits of rate.

https://cloud.google.com/storage/docs/json_api/v1/objects/insert, get, list and delete
https://cloud.google.com/storage/docs/request-preconditions
https://cloud.google.com/storage/docs/performing-resumable-uploads
https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.rotlab.store.served import BUCKET, Server, served
from tests.rotlab.store.things import RefusedError, Things

ENDPOINT = "STORAGE_EMULATOR_HOST"
_WHERE = re.compile(r"/(?:upload/|download/)?storage/v1/b/([^/]+)/o(?:/(.+))?")


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
        with self._refusing():
            name, asked = self._asked()
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
        with self._refusing():
            _, asked = self._asked()
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
        with self._refusing():
            name, asked = self._asked()
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

    def _asked(self) -> tuple[str | None, dict[str, str]]:
        """Return the name that a request is of, and its parameters."""
        url = urlsplit(self.path)
        where = _WHERE.fullmatch(url.path)
        if where is None or where[1] != BUCKET:
            raise RefusedError(404, "The specified bucket does not exist.")
        asked = {key: values[-1] for key, values in parse_qs(url.query).items()}
        return None if where[2] is None else unquote(where[2]), asked

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Answer what is refused in the block."""
        try:
            yield
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
