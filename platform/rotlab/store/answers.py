"""What the errors of an object store mean, in words. No request is made here."""

from dataclasses import dataclass
from typing import Literal

from rotnet.errors import UserError

# What a server, or its protocol's library, says; "absent" is of an object, "other" is a bug.
Reason = Literal[
    "changed", "absent", "no package", "no bucket", "no credentials", "wrong credentials",
    "forbidden", "busy", "away", "no", "other",
]  # fmt: skip
# Nothing to tell users; another came between; no; no answer; another's request is under way.
Sort = Literal["other", "changed", "refused", "away", "busy"]
TIMEOUTS = frozenset(
    {
        "HTTPClientError",
        "ConnectionError",
        "ClientConnectionError",
        "ClientPayloadError",
        "IncompleteReadError",
        "ResponseParserError",
        "FSTimeoutError",
        "TimeoutError",
    }
)
_BUSY = 409, 429  # another's request for the name is under way; too many at once
_CHANGED, _WRONG, _FORBIDDEN, _TIMED_OUT = 412, 401, 403, 408


class BucketError(UserError):
    """A bucket cannot be used as it has to be."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What users of a protocol can do.

    Args:
        package: that speaks it.
        extra: of ours, that installs that.
        credentials: how they are given.
        rights: that these need.
        endpoint: variable that says where the server is.
    """

    package: str
    extra: str
    credentials: str
    rights: str
    endpoint: str


def names_of(error: BaseException) -> set[str]:
    """Return the names of an error's classes: those of libraries that may not be installed."""
    return {each.__name__ for each in type(error).__mro__}


def by_status(status: int) -> Reason:
    """What an answer of this HTTP status says, if nothing else is known of it."""
    if status in _BUSY:
        return "busy"
    if status >= 500 or status == _TIMED_OUT:
        return "away"
    known: dict[int, Reason] = {
        _CHANGED: "changed",
        _WRONG: "wrong credentials",
        _FORBIDDEN: "forbidden",
    }
    return known.get(status, "no")


def judged(reason: Reason, said: str, advice: Advice) -> tuple[Sort, str]:
    """What a reason means to who has asked, and that in words."""
    if reason in ("other", "absent"):
        return "other", ""
    if reason in ("changed", "busy", "away"):
        return reason, said
    return "refused", {
        "no package": f"the package {advice.package} is not installed here; "
        f"pip install '.[{advice.extra}]', on every node",
        "no bucket": "there is no such bucket; make it first, or give another --store",
        "no credentials": f"no credentials were found; {advice.credentials}",
        "wrong credentials": f"its server does not accept the credentials ({said}); give others",
        "forbidden": f"these credentials may not do that ({said}); they need {advice.rights} there",
        "no": f"its server says: {said}",
    }[reason]
