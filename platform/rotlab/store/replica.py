"""A store at a URL: what a folder of this node stands for. Names only; nothing is read or written.

The bucket holds what counts, laid out as a folder store is (`rotlab.store.layout`), so that a
copy of it is one. Each node has a folder that stands for it, in which stages work as in any other
store, and which can be removed whenever nobody works: it is a cache, of a name that tells the URL.

* What must be one for all, and is small (records, revisions, decisions), is created in the bucket
  first, exclusively, then here; it is read from the bucket. `rotlab.store.files`
* What a stage leaves goes up whole before its record does, and comes down, held against the
  record's SHA-256, where it is an input or asked for. `rotlab.store.carrying`
* The newest training state goes up while the stage goes on; a list of its files, replaced last,
  makes it count, so that no half of one is ever seen. `rotlab.store.mirror`
* Leases, and who runs a study, are objects replaced only by who saw their last content. Of a study
  the driver alone writes: its journal goes up in segments, each created once. Wishes to stop or
  cancel are objects that are looked for now and then. `lease`, `tenure` and `courier`

For a folder store, nothing of this does more than look at a path's text.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from rotlab.store.bucket import Bucket
from rotnet.data.framestore.verified import cache_folder

_SHELF, _SCHEME_END = "/stores/", "%3A%2F%2F"


@dataclass(frozen=True, slots=True)
class Far:
    """What a path stands for.

    Args:
        bucket: all of the store.
        name: of the object or folder in it; "" for the store itself.
    """

    bucket: Bucket
    name: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.name}" if self.name else str(self.bucket)


def replica_of(url: str) -> Path:
    """Return the folder of this node that stands for the store at a URL."""
    return cache_folder().absolute() / _SHELF.strip("/") / quote(url, safe="")


def far_of(path: Path) -> Far | None:
    """Return what a path stands for; None: for nothing but itself, as in a folder store."""
    head, is_one, tail = str(path).partition(_SCHEME_END)
    if not is_one:
        return None
    _, is_one, scheme = head.rpartition(_SHELF)
    if not is_one or "/" in scheme:
        return None
    rest, _, name = tail.partition("/")
    return Far(_bucket(f"{scheme}://{unquote(rest)}"), name)


def told(path: Path) -> str:
    """Return a path as users know it: by URL where it stands for one."""
    far = far_of(path)
    return str(path) if far is None else str(far)


_bucket = functools.lru_cache(maxsize=8)(Bucket)
