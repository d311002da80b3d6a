"""Who counts on results of a store at a URL, and who removes some: leases, as of `tenure`.

.counting/<id>       somebody counts on what is there
.clearing.lock       somebody removes

Each puts its own sign there first, and then looks for the other's: of two who do so at once, one
sees the other at least. As `rotlab.store.gate` has it in a folder store, by a lock.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rotlab.store.layout import COUNTING, GATE
from rotlab.store.lease import HeldElsewhereError, Lease
from rotlab.store.replica import far_of, told
from rotlab.store.tenure import PACE, Pace, lives
from rotnet.errors import UserError


@contextlib.contextmanager
def present(root: Path, pace: Pace = PACE) -> Iterator[Callable[[], None]]:
    """Have nothing removed while this is entered; waits for a removal that is under way.

    Args:
        root: of the store.
        pace: of leases.

    Yields:
        What to ask before what was there is relied on: it raises UserError if this process was held
        up for so long that something may have been removed.
    """
    own = secrets.token_hex(6)
    while True:
        with Lease(root / COUNTING / own, own, None, _always, pace.stale_s) as lease:
            if lives(root / GATE, pace) is None:
                yield lambda: _check(lease, root, "what it relies on may be gone: try again")
                return
        while lives(root / GATE, pace) is not None:
            time.sleep(pace.look_s)


@contextlib.contextmanager
def alone(root: Path, wait_s: float, pace: Pace = PACE) -> Iterator[Callable[[], None]]:
    """Be the only one to remove, while nobody counts on what is there.

    Args:
        root: of the store.
        wait_s: how long others are waited for, once it is known that they live.
        pace: of leases.

    Yields:
        What to ask before each removal: it raises UserError if this process was held up for so long
        that others may not wait for it any more.

    Raises:
        UserError: if others are not gone by then.
    """
    end = time.monotonic() + wait_s
    with contextlib.ExitStack() as stack:
        lease = _take(stack, root / GATE, end, pace)
        for sign in _signs(root):
            while lives(sign, pace) is not None:
                if time.monotonic() > end:
                    raise _busy(root)
                time.sleep(pace.look_s)

        yield lambda: _check(
            lease, root, "nothing more is removed; what is left goes by the same command"
        )


def _take(stack: contextlib.ExitStack, path: Path, end: float, pace: Pace) -> Lease:
    """Be the one who removes; one who does and stands still is watched until that is stale."""
    stale: str | None = None
    while True:
        try:
            return stack.enter_context(
                Lease(path, secrets.token_hex(6), stale, _always, pace.stale_s)
            )
        except HeldElsewhereError as held:
            stale = None if lives(path, pace) is not None else str(held)
            if stale is None and time.monotonic() > end:
                raise _busy(path.parent) from held
            time.sleep(pace.look_s)


def _check(lease: Lease, root: Path, so: str) -> None:
    if not lease.is_fresh():
        raise UserError(
            f"{told(root)}: this process, or the bucket, did not answer for some seconds: {so}"
        )


def _signs(root: Path) -> list[Path]:
    far = far_of(root / COUNTING)
    there = {} if far is None else far.bucket.listed(far.name)
    return [root / COUNTING / name for name in sorted(there)]


def _busy(root: Path) -> UserError:
    return UserError(
        f"{told(root)} is being exported, imported to or cleared by another process, or a run "
        "begins: try again once that is over"
    )


def _always() -> bool:
    return True
