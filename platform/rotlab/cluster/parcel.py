"""What travels to a cluster with a study: its file with all that it includes, and the code."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from rotlab.planning.space.include import files

CODE = ("rotnet", "rotlab")


def pack(file: Path, folder: Path) -> str:
    """Copy a search space, and what it includes, into a folder, as they lie to one another.

    Returns:
        The path of the search space within the folder.

    Raises:
        SpecError: a file cannot be read, is not there, or includes itself.
    """
    found = [path.resolve() for path in files(file)]
    top = Path(os.path.commonpath([path.parent for path in found]))
    for path in found:
        inside = folder / path.relative_to(top)
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, inside)
    return found[0].relative_to(top).as_posix()


def code() -> list[str]:
    """Return the folders of the packages that are at work here."""
    specs = [find_spec(name) for name in CODE]
    return [str(Path(spec.origin).parent) for spec in specs if spec and spec.origin]
