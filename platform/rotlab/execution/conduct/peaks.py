"""Peaks of device memory that a store knows: of sorts of stages, by device and by code."""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel

from rotlab.execution.stage import provenance
from rotlab.planning.key import canonical
from rotlab.planning.plan.share import Peak
from rotlab.planning.stage import StageKind

_THIS_PROCESS = secrets.token_hex(8)  # stands for code whose source is not known


class Peaks:
    """What was measured. Other code, settings or devices: not measured.

    Args:
        folder: where it is kept; made when something is first known.
        kinds: stage kinds by name.
    """

    def __init__(self, folder: Path, kinds: Mapping[str, StageKind]) -> None:
        self._folder, self._kinds = folder, kinds
        self._found: dict[tuple[str, str], Peak] = {}

    def mark(self, kind: str, sort: str, config: BaseModel) -> str:
        """Return what stands for stages of equal memory.

        Args:
            kind: of the stages.
            sort: key of their sort.
            config: in brief, with the settings that change no result.
        """
        source = provenance.source(self._kinds[kind].run) or _THIS_PROCESS
        torch = provenance.versions().get("torch", "").partition("+")[0]
        values = [sort, config.model_dump(mode="json"), source, torch]
        return hashlib.sha256(canonical(values).encode()).hexdigest()

    def find(self, mark: str, model: str) -> Peak | None:
        """Return a peak, or None where it was not measured.

        Args:
            mark: of the stages.
            model: Ray's name of the devices; "" where it has none.
        """
        known = self._found.get((mark, model)) or read_peak(self._path(mark, model))
        if known is not None:
            self._found[mark, model] = known
        return known

    def all_of(self, mark: str) -> list[Peak]:
        """Return the peaks on every device that there are."""
        found = (read_peak(path) for path in sorted(self._folder.glob(f"{mark}*.json")))
        return [one for one in found if one is not None]

    def add(self, mark: str, model: str, peak: Peak) -> None:
        """Remember a peak."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_peak(self._path(mark, model), peak)

    def _path(self, mark: str, model: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9.-]", "_", model)
        return self._folder / (f"{mark}-{name}.json" if name else f"{mark}.json")


def read_peak(path: Path) -> Peak | None:
    """Return the peak in a file, or None where there is none that can be read."""
    try:
        return Peak(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_peak(path: Path, peak: Peak) -> None:
    """Write a peak, whole, in place of what is there."""
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    aside.write_text(json.dumps(asdict(peak)), encoding="utf-8")
    aside.replace(path)
