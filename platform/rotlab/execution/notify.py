"""Telling people that a study ended, or is about to: a command is run, or a URL is posted to."""

import json
import os
import shlex
import subprocess
import urllib.request
from collections.abc import Mapping
from urllib.error import URLError

TIMEOUT_S = 10.0


def check_target(target: str) -> str | None:
    """Return why nothing could be told to a target, None where it looks in order."""
    if _is_url(target):
        return None
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
    except (OSError, URLError, subprocess.TimeoutExpired) as error:
        return f"{target}: {error}"
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return f"{target}: exit status {done.returncode}{': ' + said[-1] if said else ''}"
    return None


def _is_url(target: str) -> bool:
    return target.startswith(("http://", "https://"))
