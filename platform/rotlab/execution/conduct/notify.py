"""Telling people that a study ended, or is about to: a command is run, or a URL is posted to."""

import json
import os
import shlex
import subprocess
import threading
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import urlsplit

TIMEOUT_S = 10.0


class News:
    """Tells a target, if there is one, from threads of its own: nobody waits for it.

    Args:
        target: a command, or an http(s) URL.
        study: whose news they are.
    """

    def __init__(self, target: str | None, study: str) -> None:
        self._target, self._study = target, study
        self._tellers: list[threading.Thread] = []
        self._problems: list[str] = []

    def tell(self, text: str, **more: object) -> None:
        """Begin to tell."""
        if self._target is None:
            return
        news = {"study": self._study, "text": text, **more}
        teller = threading.Thread(target=self._tell, args=(self._target, news), daemon=True)
        self._tellers.append(teller)
        teller.start()

    def problems(self) -> list[str]:
        """Wait until all is told, and return what went wrong."""
        for teller in self._tellers:
            teller.join(2 * TIMEOUT_S)
        return self._problems

    def _tell(self, target: str, news: Mapping[str, object]) -> None:
        problem = notify(target, news)
        if problem is not None:
            self._problems.append(problem)


def check_target(target: str) -> str | None:
    """Return why nothing could be told to a target, None where it looks in order."""
    if _is_url(target):
        return _why_no_url(target)
    try:
        words = shlex.split(target)
    except ValueError as error:
        return f"{target!r} is no command: {error}"
    return None if words else "it is empty; give a command or an http(s) URL"


def notify(target: str, news: Mapping[str, object]) -> str | None:
    """Tell a target; return what went wrong, None if nothing did.

    A command gets the news as JSON on its input, and its text in $ROTLAB_NEWS; a URL gets a POST of
    it, with the text as `text`, as chat services take it.

    Args:
        target: a command, or an http(s) URL.
        news: plain values, `text` among them.
    """
    body = json.dumps(news).encode()
    try:
        if _is_url(target):
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(target, body, headers)  # noqa: S310  (http only)
            urllib.request.urlopen(request, timeout=TIMEOUT_S).close()  # noqa: S310
            return None
        done = subprocess.run(  # noqa: S603  (the user's own command)
            shlex.split(target),
            input=body,
            env={**os.environ, "ROTLAB_NEWS": str(news["text"])},
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, HTTPException, subprocess.SubprocessError) as error:
        return f"{target}: {error}"
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return f"{target}: exit status {done.returncode}{': ' + said[-1] if said else ''}"
    return None


def _why_no_url(target: str) -> str | None:
    try:
        parts = urlsplit(target)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        return f"{target!r} is no URL: {error}"
    is_plain = all("!" <= letter <= "~" for letter in target)
    return None if has_place and is_plain else f"{target!r} is no URL: a host, and no spaces"


def _is_url(target: str) -> bool:
    return target.startswith(("http://", "https://"))
