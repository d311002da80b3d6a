"""What a finished stage left behind: its numbers, its files, where they come from. No disk."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rotnet.errors import UserError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """The proof that a stage's work is done.

    Args:
        key: identity of the work.
        kind: name of its stage kind.
        attempt: the attempt whose folder holds the result.
        metrics: the stage's own numbers, all finite.
        files: path relative to the attempt's folder -> SHA-256 in hexadecimal.
        seconds: how long the attempt took; what earlier, unfinished attempts took is not in it, nor
            what the shorter training took that it went on from.
        config: all settings, resolved.
        inputs: input name -> key of the stage that made it.
        data: name, role, split and fingerprint of each data set.
        versions: Python and packages.
        host: name of the machine.
        device: "cpu", or the GPU's name.
        commit: git commit of the code, with "-dirty" if it was changed; None outside a checkout.
        started: ISO 8601 with the offset from UTC.
        ended: likewise.
        continued: key of the shorter training from whose end it went on; None: from no other.
        not_continued: why it did not, or not from the longest, though the plan had it so.
        state: of the training state that is kept for longer ones to go on from: "sha256", and
            "inputs", input name -> attempt at it that was taken; None where none is kept.
        source: digest of the source that made it (`rotlab.execution.stage.provenance`); None where
            it was not noted.
        processes: how many computed it together.
    """

    key: str
    kind: str
    attempt: str
    metrics: Mapping[str, float]
    files: Mapping[str, str]
    seconds: float
    config: Mapping[str, Any]
    inputs: Mapping[str, str]
    data: tuple[Mapping[str, Any], ...]
    versions: Mapping[str, str]
    host: str
    device: str
    commit: str | None
    started: str
    ended: str
    continued: str | None = None
    not_continued: str | None = None
    state: Mapping[str, Any] | None = None
    source: str | None = None
    processes: int = 1

    @property
    def parents(self) -> tuple[str, ...]:
        """Keys of what it was made from, or goes on from."""
        return (*self.inputs.values(), *((self.continued,) if self.continued else ()))

    @property
    def origin(self) -> dict[str, str]:
        """Where the result comes from, in short."""
        commit = {"commit": self.commit} if self.commit else {}
        return {**commit, "device": self.device, "host": self.host}


def record_to_json(record: Record) -> dict[str, Any]:
    """Return the record as plain values, with the format's number."""
    values = {"format": FORMAT, **asdict(record), "data": [dict(ref) for ref in record.data]}
    if record.processes == 1:  # as in records of before there could be more
        del values["processes"]
    return values


def record_from_json(values: Mapping[str, Any]) -> Record:
    """Return the record that `record_to_json` wrote.

    Raises:
        UserError: if a newer version wrote it.
        ValueError: if the format is none, or a field is missing or unknown.
    """
    number = values.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise UserError(
            f"the record of {values.get('kind')} {str(values.get('key'))[:12]} was written by a "
            f"newer version of rotlab (format {number}, known here is {FORMAT}): update rotlab, or "
            "give --store another place"
        )
    if number != FORMAT:
        raise ValueError(f"format must be {FORMAT}, got {number!r}")
    fields = {name: value for name, value in values.items() if name != "format"}
    try:
        return Record(**{**fields, "data": tuple(fields["data"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the fields of a record: {error}") from error
