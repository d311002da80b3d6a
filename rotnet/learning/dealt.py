"""Dropout by several processes, drawn as one process draws it that goes through the whole batch."""

import torch
from torch import Tensor
from torch.nn.functional import dropout

from rotnet.errors import UserError
from rotnet.learning.division import Division
from rotnet.models.net import VideoNet


class Dealt:
    """A network's dropout in one of several processes.

    All draw from torch's own generator, which stands alike in each, for every part of the batch in
    turn; each uses what was drawn for its own rows. So it also stands alike after the step.

    Args:
        division: of the batch.
    """

    def __init__(self, division: Division) -> None:
        self._division = division
        self._gone_through = 0
        self._part: Tensor | None = None
        self._probability = 0.0

    def __call__(self, features: Tensor, probability: float, training: bool) -> Tensor:
        """Return features (N, F) of this process's rows of a part, some of them dropped."""
        if not training:
            return features
        here, count = self._division, len(features)
        self._part = features.new_ones(count * here.sharers, *features.shape[1:])
        self._probability = probability
        if self._gone_through == 0:
            self._pass_over(here.before)
        mask = dropout(self._part, probability, training=True)
        self._gone_through = (self._gone_through + 1) % here.own_parts
        if self._gone_through == 0:
            self._pass_over(here.after)
        first = here.rank % here.sharers * count
        return features * mask[first : first + count]

    def check(self, before: Tensor, after: Tensor, device: torch.device) -> None:
        """Refuse a network that has drawn anything else in a step.

        Args:
            before: state of the device's generator before it.
            after: the same, after it.
            device: of the network.

        Raises:
            UserError: if it has: others would have had to draw that too.
        """
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            _set_state(before, device)
            if self._part is not None:
                self._pass_over(self._division.parts)
            if torch.equal(generator_state(device), after):
                return
        raise UserError(
            "this network draws by chance while it learns, beside the dropout of its head, so that "
            "several processes would not compute what one does; train it by one process"
        )

    def _pass_over(self, parts: int) -> None:
        """Draw what is for parts of other processes."""
        for _ in range(parts):
            if self._part is not None:
                dropout(self._part, self._probability, training=True)


def deal_dropout(model: VideoNet, division: Division, *, compiled: bool) -> Dealt:
    """Have a network's dropout drawn so, and return what draws it.

    Raises:
        UserError: if the network is compiled and drops anything: what is compiled draws otherwise.
    """
    if compiled and model.dropout:
        raise UserError(
            "compile and model.dropout exclude one another where several processes train: set "
            "compile to false, or model.dropout to 0"
        )
    model.drop = dealt = Dealt(division)
    return dealt


def generator_state(device: torch.device) -> Tensor:
    """Return the state of the generator from which dropout draws on a device."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_state(state: Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
