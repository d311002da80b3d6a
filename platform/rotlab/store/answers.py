"""What the errors of an object store mean, in words. No request is made here."""

from collections.abc import Mapping
from typing import Any, Literal

from rotnet.errors import UserError

# A bug, or an absence; another came between; no; no answer; another's request is under way.
Sort = Literal["other", "changed", "refused", "away", "busy"]
_TIMEOUTS = (
    "HTTPClientError",
    "ConnectionError",
    "ClientConnectionError",
    "ClientPayloadError",
    "IncompleteReadError",
    "ResponseParserError",
    "FSTimeoutError",
    "TimeoutError",
)
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound")
_WRONG_CREDENTIALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")
_BUSY = 409, 429  # another's request for the name is under way; too many at once
_FORBIDDEN, _CHANGED = 403, 412


class BucketError(UserError):
    """A bucket cannot be used as it has to be."""


def judged(error: Exception) -> tuple[Sort, str]:
    """What an error means, and that in words."""
    names = {each.__name__ for each in type(error).__mro__}
    response: Mapping[str, Any] = (
        getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
    )
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status == _CHANGED:
        return "changed", ""
    if code == "NoSuchBucket":
        return "refused", "there is no such bucket; make it first, or give another --store"
    if names.intersection(_NO_CREDENTIALS):
        said = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of the node"
        return "refused", f"no credentials were found; {said}"
    if code in _WRONG_CREDENTIALS:
        return "refused", f"its server does not accept the credentials ({code}); give others"
    if status == _FORBIDDEN:
        return "refused", (
            f"these credentials may not do that ({error}); they need s3:ListBucket, s3:GetObject, "
            "s3:PutObject and s3:DeleteObject there"
        )
    if status in _BUSY:
        return "busy", code
    if names.intersection(_TIMEOUTS) or status >= 500:
        return "away", str(error) or type(error).__name__
    if isinstance(error, FileNotFoundError | BucketError) or not (
        response or "BotoCoreError" in names
    ):
        return "other", ""
    return "refused", f"its server says: {error}"
