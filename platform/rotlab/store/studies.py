"""Studies as a store keeps them: their revisions, and who runs them."""

import contextlib
import json
import secrets
from contextlib import AbstractContextManager

from rotlab.store.carrying import bring, folders_in
from rotlab.store.courier import bring_journals, served
from rotlab.store.files import StoreError, create_json
from rotlab.store.hold import hold, holder
from rotlab.store.layout import Layout
from rotlab.store.replica import far_of, told
from rotlab.store.study import SavedStudy, study_from_json, study_to_json
from rotlab.store.tenure import tenant, tenure


class Studies(Layout):
    """The studies of a store."""

    def studies(self) -> list[str]:
        """Return the names of all studies, sorted."""
        return [name for name in self.study_names() if self.numbers(name)]

    def study_names(self) -> list[str]:
        """Return the names of all folders of studies, of those too that hold no plan, sorted."""
        return folders_in(self.root / "studies")

    def study(self, name: str) -> SavedStudy | None:
        """Return the last revision of a study, or None where there is none.

        Raises:
            StoreError: if it cannot be read.
        """
        numbers = self.numbers(name)
        bring_journals(self.study_folder(name))
        return self.revision(name, numbers[-1]) if numbers else None

    def revisions(self, name: str) -> list[SavedStudy]:
        """Return all revisions of a study, the last one last.

        Raises:
            StoreError: if one cannot be read.
        """
        return [self.revision(name, number) for number in self.numbers(name)]

    def save_study(self, study: SavedStudy) -> None:
        """Keep a revision; one that is there already stays as it is."""
        path = self.revision_path(study.name, study.revision)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            create_json(path, study_to_json(study), f".{study.revision}-{secrets.token_hex(4)}.tmp")

    def driver(self, name: str) -> str | None:
        """Return who runs a study, None where nobody does."""
        folder = self.study_folder(name)
        return holder(folder) if far_of(folder) is None else tenant(folder)

    def driving(
        self, name: str, run: str, what: str | None = None
    ) -> AbstractContextManager[str | None]:
        """Hold a study while it is run; see `rotlab.store.hold`.

        Args:
            name: of the study.
            run: identity of the run.
            what: holds it, where that is not a run.
        """
        folder = self.study_folder(name)
        if far_of(folder) is None:
            return hold(folder, run, what)
        return served(tenure(folder, run, what), self, name, run)

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of a study's revisions that are there, the last one last."""
        bring(self.study_folder(name))
        files = self.study_folder(name).glob("*.json")
        return sorted(int(path.stem) for path in files if path.stem.isdecimal())

    def revision(self, name: str, number: int) -> SavedStudy:
        """Return a revision of a study.

        Raises:
            StoreError: if it cannot be read.
        """
        path = self.revision_path(name, number)
        try:
            return study_from_json(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise StoreError(f"{told(path)}: cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise StoreError(
                f"{told(path)}: cannot be read ({error}); remove it and run the study's file "
                "again, before any `rotlab gc`"
            ) from error
