"""Studies as a store keeps them: their revisions, and who runs them."""

import contextlib
import secrets
from contextlib import AbstractContextManager

from rotlab.execution.files import StoreError, create_json, read_json
from rotlab.execution.hold import hold, holder
from rotlab.execution.layout import Layout
from rotlab.execution.study import SavedStudy, study_from_json, study_to_json


class Studies(Layout):
    """The studies of a store."""

    def studies(self) -> list[str]:
        """Return the names of all studies, sorted."""
        return sorted(path.parent.name for path in (self.root / "studies").glob("*/1.json"))

    def study(self, name: str) -> SavedStudy | None:
        """Return the last revision of a study, or None where there is none.

        Raises:
            StoreError: if it cannot be read.
        """
        numbers = self._numbers(name)
        return self._revision(name, numbers[-1]) if numbers else None

    def revisions(self, name: str) -> list[SavedStudy]:
        """Return all revisions of a study, the last one last.

        Raises:
            StoreError: if one cannot be read.
        """
        return [self._revision(name, number) for number in self._numbers(name)]

    def save_study(self, study: SavedStudy) -> None:
        """Keep a revision; one that is there already stays as it is."""
        path = self.study_folder(study.name) / f"{study.revision}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            create_json(path, study_to_json(study), f".{study.revision}-{secrets.token_hex(4)}.tmp")

    def driver(self, name: str) -> str | None:
        """Return who runs a study, None where nobody does."""
        return holder(self.study_folder(name))

    def driving(
        self, name: str, run: str, what: str | None = None
    ) -> AbstractContextManager[str | None]:
        """Hold a study while it is run; see `rotlab.execution.hold`.

        Args:
            name: of the study.
            run: identity of the run.
            what: holds it, where that is not a run.
        """
        return hold(self.study_folder(name), run, what)

    def _numbers(self, name: str) -> list[int]:
        files = self.study_folder(name).glob("*.json")
        return sorted(int(path.stem) for path in files if path.stem.isdecimal())

    def _revision(self, name: str, number: int) -> SavedStudy:
        path = self.study_folder(name) / f"{number}.json"
        try:
            return study_from_json(read_json(path, "study") or {})
        except ValueError as error:
            raise StoreError(f"{path}: {error}") from error
