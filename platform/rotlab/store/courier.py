"""What passes between a study's runs and the bucket of a store at a URL, beside the work.

studies/<name>/journal.jsonl            what had happened when a run last ended
studies/<name>/journal.jsonl.parts/<n>  lines from byte n on; created once, so that of two who both
                                        take themselves for the one that writes, one learns better
studies/<name>/stop-<run>, cancel       wishes, looked for now and then

A journal is written here, at once, and goes up within seconds; a node that is lost takes with it
what it had not sent: of that MLflow may know more than the next run, which tells it anew.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from rotlab.store.bucket import ChangedError
from rotlab.store.files import write_copy
from rotlab.store.layout import Layout
from rotlab.store.replica import Far, far_of
from rotnet.errors import UserError

PARTS = ".parts"
DRIVER_LOOKS_S = 2.0
WORKER_LOOKS_S = 5.0
_PATIENCE_S = 10.0  # for a bucket that does not answer; then it is tried at the next look
_CLOSE_S = 30.0  # likewise, at the end of a run
_LOG = logging.getLogger(__name__)


def bring_journals(folder: Path) -> None:
    """Make journals of a study here those of the bucket, where these know more.

    Args:
        folder: of the study.
    """
    far = far_of(folder)
    if far is None:
        return
    there = far.bucket.listed(far.name)
    names = {name.removesuffix(PARTS) for name in there if name.startswith("journal")}
    for name in sorted(name for name in names if name.endswith(".jsonl")):
        data, path = _assembled(Far(far.bucket, f"{far.name}/{name}")), folder / name
        here = path.read_bytes() if path.exists() else b""
        if not here.startswith(data):
            write_copy(path, data)
            if not data.startswith(here):  # of another node's run: nothing sent of it counts
                path.with_suffix(".sent").unlink(missing_ok=True)


def _assembled(far: Far) -> bytes:
    """The content of a journal: parts first, as one that ends a run puts them into the whole."""
    parts = far.bucket.listed(f"{far.name}{PARTS}")
    held = far.bucket.read_all(f"{far.name}{PARTS}/{name}" for name in sorted(parts))
    whole = far.bucket.read(far.name)
    data = whole.data if whole is not None else b""
    for name, part in sorted(held.items()):
        start = int(name.rpartition("/")[2])
        if start > len(data):
            break
        if start + len(part.data) > len(data):
            data = data[:start] + part.data
    return data


@contextlib.contextmanager
def served(
    held: AbstractContextManager[str | None], layout: Layout, name: str, run: str
) -> Iterator[str | None]:
    """Hold a study, and have its journal and wishes carried meanwhile.

    Args:
        held: holds it; yields who else does.
        layout: of the store.
        name: of the study.
        run: identity of the run.
    """
    with held as other:
        bring_journals(layout.study_folder(name))
        journal = layout.journal_path(name, run if other is not None else None)
        courier = _Courier(journal, layout.stop_path(name, run), layout.cancel_path(name))
        courier.start()
        try:
            yield other
        finally:
            courier.end()


@contextlib.contextmanager
def heeding(*signs: Path | None) -> Iterator[None]:
    """Have files here that are in the bucket, soon after they are there; for a store at a URL."""
    wanted = [sign for sign in signs if sign is not None and far_of(sign) is not None]
    if not wanted:
        yield
        return
    over = threading.Event()

    def look() -> None:
        while not over.wait(WORKER_LOOKS_S):
            for sign in wanted:
                with contextlib.suppress(UserError, OSError):
                    _heed(sign)

    looker = threading.Thread(target=look, name="signs", daemon=True)
    looker.start()
    try:
        yield
    finally:
        over.set()


def raise_sign(path: Path) -> None:
    """Put a wish there that says nothing but that it is there."""
    far = far_of(path)
    if far is not None:
        far.bucket.replace(far.name, b"")
    path.touch()


class _Courier(threading.Thread):
    """Carries a journal and a wish to stop up, and a wish to cancel down."""

    def __init__(self, journal: Path, stop: Path, cancel: Path) -> None:
        super().__init__(name="courier", daemon=True)
        self._journal, self._stop_file, self._cancel = journal, stop, cancel
        far = far_of(journal)
        assert far is not None  # noqa: S101  (of a store at a URL)
        self._far = far
        whole = far.bucket.read(far.name)
        self._whole_tag = None if whole is None else whole.tag
        self._sent = len(_assembled(far))
        self._parts: list[str] = []
        self._stop_sent, self._is_lost = "", False
        self._over = threading.Event()

    def run(self) -> None:
        """Look now and then; tell when there is no answer, and when there is one again."""
        is_away = False
        while not self._over.wait(DRIVER_LOOKS_S):
            try:
                self._carry(_PATIENCE_S)
                _heed(self._cancel)
            except (UserError, OSError) as error:
                if not is_away:
                    _LOG.warning("%s; what is at work waits for it where it needs it", error)
                is_away = True
            else:
                if is_away:
                    _LOG.warning("store %s can be used again", self._far.bucket)
                is_away = False

    def end(self) -> None:
        """Carry what is left, put the journal together, and take the wish back."""
        self._over.set()
        self.join()
        try:
            self._carry(_CLOSE_S)
            self._put_together()
            far = far_of(self._stop_file)
            if far is not None and self._stop_sent:
                replace(far.bucket, patience_s=_CLOSE_S).remove(far.name)
        except (UserError, OSError) as error:
            _LOG.warning(
                "the end of the journal is on this node alone, until a run here: %s", error
            )

    def _carry(self, patience_s: float) -> None:
        hasty = replace(self._far.bucket, patience_s=patience_s)
        stop = self._stop_file.read_text("utf-8") if self._stop_file.exists() else ""
        if stop and stop != self._stop_sent:
            hasty.replace(
                f"{self._far.name.rpartition('/')[0]}/{self._stop_file.name}", stop.encode()
            )
            self._stop_sent = stop
        if self._is_lost or not self._journal.exists():
            return
        with self._journal.open("rb") as file:
            file.seek(self._sent)
            news = file.read()
        news = news[: news.rfind(b"\n") + 1]
        if not news:
            return
        part = f"{self._far.name}{PARTS}/{self._sent:015d}"
        try:
            hasty.create(part, news)
        except FileExistsError:
            there = hasty.read(part)
            if there is not None and news.startswith(there.data):  # an answer was lost
                self._parts.append(part)
                self._sent += len(there.data)
                return
            self._is_lost = True
            _LOG.warning(
                "another run has taken over the study while this one was away: what this one "
                "makes counts, its journal does not"
            )
            return
        self._parts.append(part)
        self._sent += len(news)

    def _put_together(self) -> None:
        """Put a whole journal there, in place of its parts."""
        if self._is_lost or not self._parts:
            return
        with self._journal.open("rb") as file:
            data = file.read(self._sent)
        bucket = replace(self._far.bucket, patience_s=_CLOSE_S)
        folder = f"{self._far.name}{PARTS}"
        parts = bucket.listed(folder)
        try:
            if self._whole_tag is None:
                bucket.create(self._far.name, data)
            else:
                bucket.replace(self._far.name, data, self._whole_tag)
        except (ChangedError, FileExistsError):
            return
        bucket.remove(*(f"{folder}/{one}" for one in parts if int(one) < self._sent))


def _heed(sign: Path) -> None:
    """Put a wish here that is in the bucket."""
    far = far_of(sign)
    if far is None or sign.exists():
        return
    held = replace(far.bucket, patience_s=_PATIENCE_S).read(far.name)
    if held is not None:
        write_copy(sign, held.data)
