"""Who runs a study of a store at a URL: leases in its folder, which the runs keep up.

As `rotlab.store.hold` has it in a folder store, by locks. A lease does not end with its holder:
one that stands still is watched until it moves, or is stale and taken over.
"""

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rotlab.store.files import remove
from rotlab.store.hold import WAIT_S
from rotlab.store.lease import STALE_S, HeldElsewhereError, Lease, holder_of, is_gone, is_here
from rotlab.store.replica import far_of
from rotnet.errors import UserError

FIRST = "driver.lock"
_LOOK_S = 1.0
_SOON_S = 2.0  # after which a wait is told of
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a lease may stand still, and how often it is looked at, in seconds."""

    stale_s: float = STALE_S
    look_s: float = _LOOK_S


PACE = Pace()


def tenant(folder: Path, pace: Pace = PACE) -> str | None:
    """Return who runs the study of a folder, None where nobody does."""
    for name in _leases(folder):
        who = lives(folder / name, pace)
        if who is not None:
            return who
    return None


@contextlib.contextmanager
def tenure(
    folder: Path, run: str, what: str | None = None, pace: Pace = PACE
) -> Iterator[str | None]:
    """Hold a study, beside others if need be; see `rotlab.store.hold.hold`.

    Args:
        folder: of the study.
        run: identity of the run.
        what: holds it, for a while, where that is not a run; runs wait for it.
        pace: of leases.

    Yields:
        None for the first to hold it, else who that is.

    Raises:
        UserError: if something that is not a run held it for longer than a run waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = f"{run} ({what})" if what else run
    with contextlib.ExitStack() as stack:
        other = _take(stack, folder, own, pace, waits=what is None)
        if other is None:
            if not any(lives(folder / name, pace) for name in _leases(folder) if name != FIRST):
                _sweep(folder)
        else:
            beside = folder / f"driver-{run}.lock"
            stack.enter_context(Lease(beside, own, None, _always, pace.stale_s))
        yield other


def lives(path: Path, pace: Pace) -> str | None:
    """Return who holds a lease, if it moves before it is stale; of a process here, if that runs."""
    far = far_of(path)
    assert far is not None  # noqa: S101  (of a store at a URL)
    first, began = None, time.monotonic()
    while True:
        held = far.bucket.read(far.name)
        text = None if held is None else held.data.decode()
        if text is None or is_gone(holder_of(text)):
            return None
        if is_here(holder_of(text)) or (first is not None and text != first):
            return _signature(text)
        if time.monotonic() - began > pace.stale_s:
            return None
        first = first or text
        time.sleep(pace.look_s)


def _take(
    stack: contextlib.ExitStack, folder: Path, own: str, pace: Pace, *, waits: bool
) -> str | None:
    """Be the first; or return who is, once its lease has moved."""
    began = time.monotonic()
    seen, since, stale, is_told = None, began, None, False
    while True:
        try:
            stack.enter_context(Lease(folder / FIRST, own, stale, _always, pace.stale_s))
        except HeldElsewhereError as held:
            text, now = str(held), time.monotonic()
            who = _signature(text)
            if text != seen:
                is_moving = seen is not None and holder_of(seen).get("attempt") == holder_of(
                    text
                ).get("attempt")
                seen, since, stale = text, now, None
                if (is_moving or is_here(holder_of(text))) and not (waits and who.endswith(")")):
                    return who
            elif now - since > pace.stale_s:
                stale = text
            if now - began > WAIT_S and who.endswith(")"):
                raise UserError(
                    f"{folder.name} is held by {who}; try again once that is over"
                ) from held
            if now - began > _SOON_S and not is_told:
                is_told = True
                _LOG.warning(
                    "%s is held by %s: looking whether that lives, for up to %.0f s",
                    folder.name,
                    who,
                    pace.stale_s,
                )
        else:
            return None
        time.sleep(pace.look_s)


def _leases(folder: Path) -> list[str]:
    far = far_of(folder)
    there = {} if far is None else far.bucket.listed(far.name)
    return sorted(name for name in there if name.startswith("driver") and name.endswith(".lock"))


def _sweep(folder: Path) -> None:
    """Clear what ended runs have left."""
    far = far_of(folder)
    assert far is not None  # noqa: S101  (of a store at a URL)
    for name, one in far.bucket.listed(far.name).items():
        if name.startswith(("stop-", "driver-")) or name == "cancel":
            remove(folder / name)
        elif name.startswith("smoke-") and one is None:
            far.bucket.remove_folder(f"{far.name}/{name}")
    for path in (*folder.glob("stop-*"), folder / "cancel"):
        path.unlink(missing_ok=True)
    for tried in folder.glob("smoke-*"):
        shutil.rmtree(tried, ignore_errors=True)


def _signature(text: str) -> str:
    holder = holder_of(text)
    _, _, what = str(holder.get("attempt", "")).partition(" ")
    return f"process {holder.get('process')} on {holder.get('host')}" + (f" {what}" if what else "")


def _always() -> bool:
    return True
