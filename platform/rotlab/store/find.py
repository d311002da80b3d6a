"""The one stage that a few characters of a key mean, among all studies of a store."""

from collections.abc import Iterable, Mapping

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import StageKind
from rotlab.store.added import added, load_grown
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy
from rotnet.errors import UserError

MAX_LISTED = 8


class NotFoundError(UserError):
    """No stage has such a key."""


def find_stage(
    key: str, store: Store, kinds: Mapping[str, StageKind]
) -> tuple[SavedStudy, Plan, str]:
    """Return the study, its plan and the key of the one stage whose key begins so.

    Raises:
        NotFoundError: if there is none.
        UserError: if there is more than one.
    """
    found: dict[str, SavedStudy] = {}
    for name in store.studies():
        study = store.study(name)
        if study is not None:
            keys = [stage["key"] for stage in study.plan["stages"]] + list(added(store, study))
            found.update({each: study for each in keys if each.startswith(key)})
    if not found:
        raise NotFoundError(
            f"no stage in {store.name} has a key that begins with {key!r}; "
            f"searched studies: {', '.join(store.studies()) or 'none'}"
        )
    if len(found) > 1:
        raise UserError(
            f"{len(found)} stages have a key that begins with {key!r}: {_listed(found)}; "
            "give more of it"
        )
    ((whole, study),) = found.items()
    return study, load_grown(store, study, kinds), whole


def _listed(found: Iterable[str]) -> str:
    keys = sorted(found)
    shown = ", ".join(key[:16] for key in keys[:MAX_LISTED])
    return shown + (", ..." if len(keys) > MAX_LISTED else "")
