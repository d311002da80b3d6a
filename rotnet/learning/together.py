"""One process's share of a step that several take together: what it adds, and what comes back."""

import torch
from torch import Tensor

from rotnet.learning.company import Company
from rotnet.learning.dealt import Dealt, deal_dropout, generator_state
from rotnet.learning.division import Division
from rotnet.learning.running import Running
from rotnet.models.net import VideoNet


class Together:
    """Makes of the shares of all processes the step that one process takes with the whole batch.

    Gradients, running statistics, loss and hits are added up in one exchange after the way back, so
    that every process moves the same weights by the same step.

    Args:
        model: on its device; its dropout, and what batch statistics it shares, are changed.
        division: of the batch.
        company: of the processes.
        compiled: whether the network is compiled.

    Raises:
        UserError: if the network cannot be trained so.
    """

    def __init__(
        self, model: VideoNet, division: Division, company: Company, *, compiled: bool
    ) -> None:
        self.division, self.company = division, company
        self._model = model
        self._device = next(model.parameters()).device
        if division.sharers > 1:
            company.share_statistics(model, division.sharers)
        self._dealt: Dealt = deal_dropout(model, division, compiled=compiled)
        self._running = Running(model, division)
        self._drawn_from: Tensor | None = generator_state(self._device)

    def begin(self) -> None:
        """Learn that a step's first part is about to be gone through."""
        if self._drawn_from is not None:
            self._drawn_from = generator_state(self._device)
        self._running.begin()

    def end(self, loss: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and hits of the whole batch, and put the whole gradient into the network.

        Args:
            loss: this process's share of the mean loss.
            correct: hits among its rows.

        Raises:
            UserError: at the first step, if the network draws by chance what it should not.
        """
        if self._drawn_from is not None:
            self._dealt.check(self._drawn_from, generator_state(self._device), self._device)
            self._drawn_from = None
        gradients = [one.grad for one in self._model.parameters() if one.grad is not None]
        terms = self._running.own_terms()
        sums = torch.stack([loss, correct.to(loss.dtype)])
        self.company.add_up([*gradients, *terms, sums])
        self._running.end(terms)
        return sums[0], sums[1]
