"""A command or a URL is told, and what goes wrong with it is said and harms nothing."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rotlab.execution.conduct.notify import check_target, notify

NEWS = {"study": "lr", "text": "lr ended", "status": 0}


def test_a_command_gets_the_news_on_its_input_and_their_text_in_its_environment(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    code = (
        f"import os,sys; open({str(out)!r},'w').write(os.environ['ROTLAB_NEWS']+sys.stdin.read())"
    )
    script = tmp_path / "hook.py"
    script.write_text(code)
    assert notify(f"{sys.executable} {script}", NEWS) is None
    assert out.read_text() == "lr ended" + json.dumps(NEWS)


def test_a_command_that_fails_is_said(tmp_path: Path) -> None:
    assert "No such file" in str(notify(str(tmp_path / "none"), NEWS))
    said = notify(f"{sys.executable} -c \"import sys; sys.exit('no luck')\"", NEWS)
    assert str(said).endswith("exit status 1: no luck")


def test_a_url_gets_a_post() -> None:
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path == "/ok" else 500)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        assert notify(f"{url}/ok", NEWS) is None
        assert json.loads(got[0]) == NEWS
        assert "500" in str(notify(f"{url}/broken", NEWS))
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_no_target_is_refused() -> None:
    assert check_target("https://x/y") is None
    assert check_target("mail -s done me") is None
    assert "no command" in str(check_target("say 'x"))
    assert "empty" in str(check_target("  "))


@pytest.mark.parametrize("url", ["http://x/a b", "http://x:notaport/", "http://[x", "http:///y"])
def test_what_is_no_url_is_refused_and_would_break_nothing(url: str) -> None:
    assert "is no URL" in str(check_target(url))
    assert str(notify(url, NEWS)).startswith(url)
