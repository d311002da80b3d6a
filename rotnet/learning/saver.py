"""The checkpoint of one training, written while the training goes on."""

import copy
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from rotnet.errors import CheckpointError
from rotnet.learning.checkpoint import read, write
from rotnet.learning.company import Company
from rotnet.learning.descent import Descent
from rotnet.learning.length import is_beginning
from rotnet.learning.tally import Health, Tally


@dataclass
class State:
    """Where training is: what a checkpoint holds beside model and optimiser."""

    step: int
    tally: Tally
    health: Health
    history: list[dict[str, float]] = field(default_factory=list)


class Saver:
    """Writes and reads the checkpoint of one training.

    What is to be saved is copied at once, and written by a thread. Nobody is told of a checkpoint
    before it lies whole in its place, and a second one waits for the first. As a context it ends
    with what was begun written.

    Args:
        path: of the checkpoint.
        identity: what the training is made of.
        model: its network.
        descent: its optimiser.
        tell: is called, in the training's own thread, with the step and path of what is written.
    """

    def __init__(
        self,
        path: Path,
        identity: dict[str, Any],
        model: nn.Module,
        descent: Descent,
        tell: Callable[[int, Path], None],
    ) -> None:
        self._path, self._identity = path, identity
        self._model, self._descent, self._tell = model, descent, tell
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: tuple[int, Future[None]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.shutdown(wait=True)

    def save(self, state: State) -> None:
        """Begin to write a checkpoint; the one before it is finished and told of first.

        Raises:
            OSError: if that could not be written.
        """
        self.finish()
        content = {
            "identity": self._identity,
            "step": state.step,
            "model": self._model.state_dict(),
            "optimizer": self._descent.optimizer.state_dict(),
            "scaler": self._descent.scaler.state_dict(),
            "rng": torch.get_rng_state(),
            "device_rng": _device_generator(self._descent.device),
            "history": state.history,
            "tally": vars(state.tally),
        }
        self._writing = state.step, self._writer.submit(write, self._path, copied(content))

    def look(self) -> None:
        """Tell of the checkpoint that is being written if it is whole by now.

        Raises:
            OSError: if it could not be written.
        """
        if self._writing is not None and self._writing[1].done():
            self.finish()

    def finish(self) -> None:
        """Wait for the checkpoint that is being written, if one is, and tell of it.

        Raises:
            OSError: if it could not be written.
        """
        if self._writing is None:
            return
        step, future = self._writing
        self._writing = None
        future.result()
        self._tell(step, self._path)

    def load(self, company: Company | None = None) -> State | None:
        """Return the saved state and put it in force, or None if nothing was saved.

        Args:
            company: whose leader reads it, for all; None: this process is alone.

        Raises:
            CheckpointError: if it is damaged, or belongs to other work.
        """
        found = (company or Company()).heed(self._read)
        if found is None:
            return None
        self._model.load_state_dict(found["model"])
        self._descent.restore(found["optimizer"], found["scaler"])
        torch.set_rng_state(found["rng"])
        device = self._descent.device
        if found.get("device_rng") is not None:
            torch.cuda.set_rng_state(found["device_rng"], device)
        tally = Tally(**found["tally"])
        tally.loss, tally.correct = tally.loss.to(device), tally.correct.to(device)
        return State(found["step"], tally, Health.good(device), found["history"])

    def _read(self) -> dict[str, Any] | None:
        if not self._path.exists():
            return None
        found = read(self._path, ("identity", "step", "model", "optimizer"))
        if not is_beginning(found["identity"], self._identity):
            changed = sorted(
                name
                for name in {*found["identity"], *self._identity}
                if found["identity"].get(name) != self._identity.get(name)
            )
            raise CheckpointError(
                f"{self._path}: belongs to other work; it differs in {', '.join(changed)}. "
                "Use another folder, or delete this one"
            )
        return found


def copied(value: Any) -> Any:  # noqa: ANN401  (whatever a checkpoint holds)
    """Return a value whose tensors, dicts and lists are its own, the tensors on the CPU."""
    match value:
        case Tensor():
            return value.detach().to("cpu", copy=True)
        case dict():
            return {name: copied(each) for name, each in value.items()}
        case list() | tuple():
            return type(value)(copied(each) for each in value)
    return copy.copy(value)


def _device_generator(device: torch.device) -> Tensor | None:
    """Return the state of the CUDA device's generator, from which dropout draws there."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else None
