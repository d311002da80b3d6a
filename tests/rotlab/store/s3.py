"""A server of S3's API on loopback, to put a store into: moto's, a stand-in, all in memory.

Moto looks whether a name is taken and then takes it, in threads that know nothing of each other; S3
does that as one. So requests that write are let in one by one here.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from tests.rotlab.store.served import BUCKET, PAGE, Server, served

KEYS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "something",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def serving() -> Iterator[Server]:
    """Have a server with one bucket, for the length of the block."""
    with served(Path(__file__), {**KEYS, "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)}) as server:
        yield server


class _OneByOne:
    """An application that is let write by one request at a time."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app, self._lock = app, threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return self._app(environ, start)
        with self._lock:
            return list(self._app(environ, start))


class _Silent(WSGIRequestHandler):
    """Tells nobody of the requests."""

    def log(self, *_: object, **__: object) -> None:
        """Do nothing."""


def main() -> None:
    """Serve until killed; say on which port."""
    app = _OneByOne(DomainDispatcherApplication(create_backend_app))
    Client(app).put(f"/{BUCKET}", base_url="http://s3.amazonaws.com")
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    print(server.server_port, flush=True)  # noqa: T201  (whoever started it reads it)
    server.serve_forever()


if __name__ == "__main__":
    main()
