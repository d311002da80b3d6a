"""How a batch is divided among the processes that compute a training. Arithmetic only; no torch.

The parts of a batch (`accumulate`) are what batch statistics are taken over, so their number is
part of what is computed. How many processes compute them is not: each takes whole parts, or several
share one, whose statistics they then take together. The batch, and the learning rate with it, is
that of all processes: neither is scaled by their number.
"""

from dataclasses import dataclass

from rotnet.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Division:
    """The share of one of several processes in every batch.

    Args:
        batch_size: clips of a batch, over all processes.
        parts: of whole clips, over each of which batch statistics are taken.
        processes: how many there are.
        rank: which of them this is, from 0.

    Example:
        Of 16 clips in 4 parts, process 1 of 2 takes clips [8, 16), parts 2 and 3; process 1 of 8
        takes clips [2, 4), the second half of part 0.
    """

    batch_size: int
    parts: int
    processes: int = 1
    rank: int = 0

    @property
    def rows(self) -> range:
        """The clips of a batch that this process takes."""
        each = self.batch_size // self.processes
        return range(self.rank * each, (self.rank + 1) * each)

    @property
    def own_parts(self) -> int:
        """How many parts, or pieces of one, it goes through."""
        return max(1, self.parts // self.processes)

    @property
    def sharers(self) -> int:
        """How many processes share a part; 1 where each has its own."""
        return max(1, self.processes // self.parts)

    @property
    def before(self) -> int:
        """How many parts lie before its first."""
        return self.rank // self.sharers * self.own_parts

    @property
    def after(self) -> int:
        """How many parts lie after its last."""
        return self.parts - self.before - self.own_parts


def sizes(training: TrainConfig) -> tuple[int, ...]:
    """Return how many processes can compute a training, ascending.

    Example:
        Of 16 clips in 4 parts 1, 2 or 4, each with parts of its own; 8 or 16, which share parts.
    """
    batch, parts = training.batch_size, training.accumulate
    return tuple(
        count
        for count in range(1, batch + 1)
        if batch % count == 0 and (parts % count == 0 or count % parts == 0)
    )


def refusal(section: str, training: TrainConfig, processes: int, *, gpus: bool) -> str | None:
    """Return why so many processes cannot compute a training, and the way out; None if they can.

    Args:
        section: of the settings, such as "pretrain".
        training: its settings.
        processes: how many.
        gpus: whether each has a GPU; torch shares batch statistics between processes there only.
    """
    if processes == 1:
        return None
    able = [one for one in sizes(training) if gpus or training.accumulate % one == 0]
    if processes in able:
        return None
    parts = f"{section}.accumulate {training.accumulate}, {section}.batch_size "
    said = f"{processes} processes cannot divide a batch evenly ({parts}{training.batch_size})"
    if not gpus and processes in sizes(training):
        said = (
            f"{processes} processes would have to share batch statistics ({section}.accumulate "
            f"{training.accumulate}), which torch does on GPUs only"
        )
    way = f"take {_listed(able)}" if len(able) > 1 else f"set {section}.accumulate to {processes}"
    if len(able) > 1 and training.batch_size % processes == 0:
        way += f", or set {section}.accumulate to {processes}"
    return f"{said}; {way}" + (
        " (batch statistics are then those of a part: another result)" if "set" in way else ""
    )


def _listed(counts: list[int]) -> str:
    return " or ".join(map(str, counts))
