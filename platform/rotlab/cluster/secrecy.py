"""Rules on what must not be written down: a cluster file tells its readers no secret."""

import re
from collections.abc import Iterator
from typing import Any

from rotlab.cluster.shell import assignments
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place

_KNOWN = {
    "an access key of AWS": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a token": re.compile(r"\b(ghp|gho|github_pat|hf|glpat|xoxb)[_-][A-Za-z0-9_-]{16,}"),
    "a password in an address": re.compile(r"\w+://[^\s/:@]+:[^\s/@$]+@"),
}
_NAMES = re.compile(
    r"(TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_?KEY|CREDENTIALS)$", re.IGNORECASE
)
_ELSEWHERE = ("$", "~", "/", "{")  # a variable or a file says where a secret is, not what it is
_MOST_SHOWN = 3


def check_secrecy(report: Report) -> None:
    """Note every secret that stands in a file; messages do not repeat it."""
    for place, text in _texts(report.source.values, ()):
        for what, form in _KNOWN.items():
            if found := form.search(text):
                _refuse(report, place, what, found[0])
        for name, value in assignments(text):
            _check_value(report, place, name, value)
        _check_value(report, place, str(place[-1]) if place else "", text)
        if place[-1:] == ("value",):
            name = report.get((*place[:-1], "name"))
            _check_value(report, place, str(name), text)


def _check_value(report: Report, place: Place, name: str, value: str) -> None:
    if _NAMES.search(name) and value and not value.startswith(_ELSEWHERE) and " " not in value:
        _refuse(report, place, f"the value of {name}", value)


def _refuse(report: Report, place: Place, what: str, secret: str) -> None:
    report.add(
        place,
        f"holds {what} ({secret[:_MOST_SHOWN]}...), for whoever reads this file; take it out, "
        "change it where it is valid, and hand it over by a mounted file, a role or a secret of "
        "the provider's",
    )


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:  # noqa: ANN401  # plain values
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*place, index))
