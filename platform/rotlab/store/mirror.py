"""The newest training state of a stage in the bucket of a store at a URL, for another node.

<kind>/<key>/state.json            names the files of the state, and their SHA-256; replaced last
<kind>/<key>/state/<attempt>/<sha256>   their content

What the list does not name does not count, so that a node lost under way leaves the state before.
"""

import json
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rotlab.store.carrying import bring, fetch, send_away
from rotlab.store.files import StoreError, is_whole, seal
from rotlab.store.layout import ERROR, INVALID
from rotlab.store.replica import Far, far_of
from rotnet.errors import UserError
from rotnet.learning.watch import StopWish, Watch

LIST, CONTENT = "state.json", "state"
FLUSH_S = 60.0  # that a stage which stops waits for its last state to be there
_LOG = logging.getLogger(__name__)


def bring_state(home: Path) -> None:
    """Put the newest state in the bucket among the attempts here, unless it is from here.

    Args:
        home: folder of the stage.
    """
    far = far_of(home)
    if far is None:
        return
    attempts = home / "attempts"
    _drop_withdrawn(home, attempts)
    held = far.bucket.read(f"{far.name}/{LIST}")
    if held is None:
        return
    state = json.loads(held.data)
    name = f"{state['attempt']}-{state['number']}"
    if (attempts / state["attempt"]).is_dir() or (attempts / name).is_dir():
        return
    making = attempts / f".{name}-{secrets.token_hex(4)}"
    making.mkdir(parents=True)
    content = Far(far.bucket, f"{far.name}/{CONTENT}/{state['attempt']}")
    try:
        for file, sha256 in state["files"].items():
            if not fetch(content, sha256, making / file, sha256):
                _LOG.warning("%s: %s of its newest state is gone: not used", far, file)
                return
        making.rename(attempts / name)
    except StoreError as error:
        _LOG.warning("%s; not used", error)
    except OSError:
        if not (attempts / name).is_dir():  # nobody beside has just put it there
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def contents(home: Path) -> list[str]:
    """Return the names, below the folder of contents, of what the newest state consists of."""
    far = far_of(home)
    held = None if far is None else far.bucket.read(f"{far.name}/{LIST}")
    if held is None:
        return []
    state = json.loads(held.data)
    return [f"{state['attempt']}/{sha256}" for sha256 in state["files"].values()]


def forget_state(home: Path) -> None:
    """Remove what is there for going on: the stage is done."""
    far = far_of(home)
    if far is not None:
        far.bucket.remove(f"{far.name}/{LIST}")
        send_away(home / CONTENT)


@contextmanager
def mirrored(watch: Watch, folder: Path) -> Iterator[Watch]:
    """Give a watch by which each checkpoint goes into the bucket, beside the training.

    At most one is on its way; of those that come meanwhile the last one follows. A stage that ends
    by an error, a wish to stop among them, waits a while for the last one to be there.

    Args:
        watch: that is called in turn, and first.
        folder: of the attempt.
    """
    far = far_of(folder)
    if far is None:
        yield watch
        return
    home = Far(far.bucket, far.name.rpartition("/attempts/")[0])
    mirror = _Mirror(watch, folder, home)
    mirror.start()
    try:
        yield mirror
    except BaseException:
        mirror.end(FLUSH_S)
        raise
    mirror.end(None)


class _Mirror(threading.Thread):
    """A watch, and the thread that carries."""

    def __init__(self, watch: Watch, folder: Path, home: Far) -> None:
        super().__init__(name="mirror", daemon=True)
        self._watch, self._folder, self._home = watch, folder, home
        self._aside = folder.with_name(f".{folder.name}-state")
        self._lock = threading.Lock()
        self._news, self._is_over = threading.Event(), False
        self._waiting: Path | None = None
        self._number = 0

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Pass a step on."""
        self._watch.report(step, metrics)

    def should_stop(self) -> StopWish:
        """Pass the question on."""
        return self._watch.should_stop()

    def saved(self, step: int, path: Path) -> None:
        """Pass on that a checkpoint was written, and take a copy of all that is whole by now."""
        self._watch.saved(step, path)
        if not path.is_relative_to(self._folder):
            return
        self._number += 1
        copy = self._aside / str(self._number)
        shutil.copytree(self._folder, copy, ignore=_unfinished)
        with self._lock:
            skipped, self._waiting = self._waiting, copy
        if skipped is not None:
            shutil.rmtree(skipped, ignore_errors=True)
        self._news.set()

    def run(self) -> None:
        """Carry copies until it is over."""
        while True:
            self._news.wait()
            self._news.clear()
            with self._lock:
                copy, self._waiting = self._waiting, None
                if copy is None and self._is_over:
                    return
            if copy is None:
                continue
            began = time.monotonic()
            try:
                self._carry(copy)
                _LOG.info("state in %s after %.1f s", self._home, time.monotonic() - began)
            except (OSError, UserError) as error:  # the next one is tried
                _LOG.warning("no state was put into %s: %s", self._home, error)
            finally:
                shutil.rmtree(copy, ignore_errors=True)
            self._news.set()

    def end(self, wait_s: float | None) -> None:
        """Carry no more: at once, or once the last copy is there, or the time is over."""
        with self._lock:
            self._is_over = True
            if wait_s is None:
                self._waiting = None
        self._news.set()
        self.join(wait_s)
        shutil.rmtree(self._aside, ignore_errors=True)

    def _carry(self, copy: Path) -> None:
        """Put the contents there that are not yet, then the list; then remove what it has not."""
        bucket, attempt = self._home.bucket, self._folder.name
        files = {
            path.relative_to(copy).as_posix(): seal(path)
            for path in sorted(copy.rglob("*"))
            if path.is_file()
        }
        content = f"{self._home.name}/{CONTENT}"
        there = bucket.listed(content, deep=True)
        for name, sha256 in files.items():
            if f"{attempt}/{sha256}" not in there:
                bucket.upload(copy / name, f"{content}/{attempt}/{sha256}")
        state = {"attempt": attempt, "number": copy.name, "time": time.time(), "files": files}
        bucket.replace(f"{self._home.name}/{LIST}", json.dumps(state).encode())
        named = {f"{attempt}/{sha256}" for sha256 in files.values()}
        bucket.remove(*(f"{content}/{name}" for name in there if name not in named))


def _drop_withdrawn(home: Path, attempts: Path) -> None:
    """Remove attempts here that are older than the last time when the stage's result was withdrawn.

    Where that was done, on another node, they were set aside.
    """
    bring(home / INVALID)
    notes = (home / INVALID).glob("[!.]*.json")
    last = max((json.loads(note.read_text("utf-8"))["time"] for note in notes), default=0.0)
    for folder in attempts.iterdir():
        times = [path.stat().st_mtime for path in folder.rglob("*") if path.is_file()]
        if max(times, default=folder.stat().st_mtime) < last:
            shutil.rmtree(folder, ignore_errors=True)


def _unfinished(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not is_whole(Path(name)) or name == ERROR]
