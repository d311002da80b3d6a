"""Where a process of a study can be made to stand still, so that something can be killed then.

Nothing of it is in the code under test: `arm_if_asked` is called at the start of every Python
process whose path holds `tests/chaos/site`, and lets functions halt as their modules are imported.
Standard library only, for it is loaded into processes that are to start fast.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = "ROTLAB_CHAOS"  # environment variable: where orders to halt are given


def _always(*_: object) -> bool:
    return True


def _is_record(path: Path, *_: object) -> bool:
    return path.name == "record.json"


@dataclass(frozen=True)
class Point:
    """A moment in the life of a stage, by the function that is called then.

    Args:
        module: that holds the function.
        function: of a class.
        after: the moment of its end, not of its beginning.
        applies: says, by the function's arguments, whether this call is one.
    """

    module: str
    function: str
    after: bool = False
    applies: Callable[..., bool] = _always


POINTS = {
    "checkpoint": Point("rotlab.execution.stage.pulse", "Pulse.saved"),
    "commit": Point("pathlib", "Path.hardlink_to", applies=_is_record),  # written, not yet in place
    "record": Point("rotlab.store.store", "Store.commit", after=True),  # nobody has heard of it
    "run": Point("mlflow.tracking", "MlflowClient.create_run", after=True),  # nothing says so yet
}


def arm_if_asked() -> None:
    """Have this process halt where orders say, if the environment names their folder."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    armed = {point.module: (name, point) for name, point in POINTS.items()}
    for module in armed.keys() & sys.modules.keys():
        _arm(sys.modules[module], *armed[module], Path(folder))
    sys.meta_path.insert(0, _Armer(armed, Path(folder)))


def order(folder: Path, name: str) -> None:
    """Have the next process that comes to a point halt there."""
    (folder / name).touch()


def halted(folder: Path, name: str) -> int | None:
    """Return the process that stands still at a point since the last order, None: none does yet."""
    for path in folder.glob(f"{name}.*"):
        return int(path.suffix[1:])
    return None


def forget(folder: Path, name: str) -> None:
    """Forget who stood at a point."""
    for path in folder.glob(f"{name}.*"):
        path.unlink()


class _Armer(MetaPathFinder):
    """Arms modules as they are imported."""

    def __init__(self, armed: dict[str, tuple[str, Point]], folder: Path) -> None:
        self._armed, self._folder = armed, folder

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return what Python would find, which arms what it loads."""
        if fullname not in self._armed:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_arm(module: ModuleType) -> None:
            load(module)
            _arm(module, *self._armed[fullname], self._folder)

        spec.loader.exec_module = load_and_arm  # type: ignore[method-assign]
        return spec


def _arm(module: ModuleType, name: str, point: Point, folder: Path) -> None:
    owner, function = point.function.split(".")
    holder = getattr(module, owner)
    setattr(holder, function, _halting(getattr(holder, function), name, point, folder))


def _halting(function: Callable[..., Any], name: str, point: Point, folder: Path) -> Any:
    @wraps(function)
    def halting(*args: Any, **named: Any) -> Any:
        here = point.applies(*args)
        if here and not point.after:
            _halt(folder, name)
        result = function(*args, **named)
        if here and point.after:
            _halt(folder, name)
        return result

    return halting


def _halt(folder: Path, name: str) -> None:
    """Stand still, all threads, if that was ordered; who renames the order is the one."""
    try:
        (folder / name).rename(folder / f"{name}.{os.getpid()}")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGSTOP)
