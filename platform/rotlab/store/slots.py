"""A small text that one holder puts in a place and moves on: a file, or an object of a bucket."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rotlab.store.bucket import ChangedError
from rotlab.store.replica import Far, far_of


class Slot(Protocol):
    """A place for one text."""

    def create(self, text: str) -> bool:
        """Put a text there if there is none; return whether that is so."""

    def read(self) -> str | None:
        """Return the text that is there."""

    def glance(self) -> str | None:
        """Likewise, if it can be known soon.

        Raises:
            UserError: if the bucket does not answer now.
        """

    def take_over(self, theirs: str, text: str) -> bool:
        """Put a text where another's was read; return whether it is there."""

    def move_on(self, text: str) -> bool:
        """Put a text where one's own was; return whether it still was.

        Raises:
            OSError: if it cannot be written now.
            UserError: if the bucket does not answer now.
        """

    def let_go(self) -> None:
        """Remove the text.

        Raises:
            UserError: if the bucket does not answer now.
        """


def slot_of(path: Path, holder: str, patience_s: float) -> Slot:
    """Return the slot at a path of the store.

    Args:
        path: of the file, in a folder that is there.
        holder: a name that nobody else uses.
        patience_s: that a holder may wait for a bucket that does not answer.
    """
    far = far_of(path)
    return FileSlot(path, holder) if far is None else ObjectSlot(far, patience_s)


class FileSlot:
    """A file, created by a hard link: whole, and for one only.

    Two that take over at once may both have done so, as far as they know; the later one has.
    """

    def __init__(self, path: Path, holder: str) -> None:
        self._path, self._aside = path, path.with_name(f".lease-{holder}")

    def create(self, text: str) -> bool:
        """Put a text there if there is none; return whether that is so."""
        self._aside.write_text(text, encoding="utf-8")
        try:
            os.link(self._aside, self._path)
        except FileExistsError:
            return False
        finally:
            self._aside.unlink(missing_ok=True)
        return True

    def read(self) -> str | None:
        """Return the text that is there."""
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def glance(self) -> str | None:
        """Return the text that is there."""
        return self.read()

    def take_over(self, theirs: str, text: str) -> bool:  # noqa: ARG002  (whatever is there)
        """Put a text where another's was read; return whether it is there."""
        self._path.unlink(missing_ok=True)
        return self.create(text)

    def move_on(self, text: str) -> bool:
        """Put a text there; who moves on has looked that it is its own."""
        try:
            self._aside.write_text(text, encoding="utf-8")
            self._aside.replace(self._path)
        except OSError:
            self._aside.unlink(missing_ok=True)
            raise
        return True

    def let_go(self) -> None:
        """Remove the text."""
        self._path.unlink(missing_ok=True)


class ObjectSlot:
    """An object, each time replaced only as it was last seen: of two, one takes over."""

    def __init__(self, far: Far, patience_s: float) -> None:
        self._far, self._tag = far, ""
        self._hasty = replace(far.bucket, patience_s=patience_s)

    def create(self, text: str) -> bool:
        """Put a text there if there is none; return whether that is so."""
        try:
            self._tag = self._far.bucket.create(self._far.name, text.encode())
        except FileExistsError:
            return False
        return True

    def read(self) -> str | None:
        """Return the text that is there."""
        held = self._far.bucket.read(self._far.name)
        return None if held is None else held.data.decode()

    def glance(self) -> str | None:
        """Return the text that is there: what is moved on next, if it is one's own."""
        held = self._hasty.read(self._far.name)
        if held is None:
            return None
        self._tag = held.tag
        return held.data.decode()

    def take_over(self, theirs: str, text: str) -> bool:
        """Put a text where another's was read; return whether it is there."""
        held = self._far.bucket.read(self._far.name)
        if held is None:
            return self.create(text)
        return held.data == theirs.encode() and self._put(text, held.tag)

    def move_on(self, text: str) -> bool:
        """Put a text where one's own was; return whether it still was."""
        return self._put(text, self._tag)

    def let_go(self) -> None:
        """Remove the text."""
        self._hasty.remove(self._far.name)

    def _put(self, text: str, tag: str) -> bool:
        try:
            self._tag = self._hasty.replace(self._far.name, text.encode(), tag)
        except ChangedError:
            return False
        return True
