"""Where the searches of a store are told to Optuna: a file, or a database by its URL."""

import os
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from rotnet.errors import UserError

FILE = "optuna.log"
NONE = "none"
_VARIABLE = "ROTLAB_OPTUNA_STORAGE"
_FORMS = "a file, sqlite:///PATH, postgresql://..., mysql://..., or none"


def optuna_storage(given: str | None, store_root: Path) -> str | None:
    """Return the file or URL that is meant; None where there is to be none.

    Args:
        given: as to --optuna-storage; None takes $ROTLAB_OPTUNA_STORAGE, else `optuna.log` in the
            store, an Optuna journal: that may lie on a shared file system, where SQLite may not.
        store_root: of the store.

    Raises:
        UserError: it is not of a form that can work.
    """
    found = given or os.environ.get(_VARIABLE) or str(store_root / FILE)
    if found == NONE:
        return None
    if "://" in found:
        _check_url(found)
        return found
    path = Path(found).expanduser().absolute()
    if path.is_dir():
        raise UserError(f"Optuna storage {path} is a folder; give the path of a file in it")
    return str(path)


def shown(storage: str) -> str:
    """Return a file or URL as it may be shown: without a password."""
    return make_url(storage).render_as_string(hide_password=True) if "://" in storage else storage


def _check_url(url: str) -> None:
    scheme = url.partition(":")[0]
    try:
        made = make_url(url)
        made.get_dialect().import_dbapi()
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UserError(
            f"Optuna storage {scheme}://...: its driver is not installed ({error}); install it, or "
            f"give {_FORMS}"
        ) from error
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise UserError(
            f"Optuna storage {scheme}://... is malformed: {error}; give {_FORMS}"
        ) from error
