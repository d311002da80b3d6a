"""Networks that name actions, from clips as a camera gives them: one, or several joined.

What was done to a clip before a network saw it is done inside, so that whoever has clips can ask:
normalisation, and for DIF the differences of frames. Nothing else needs to be known of the settings
but the clip's shape, and which frames of a video it has (`Clip`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from rotnet.config import FinetuneConfig, Modality, ViewConfig
from rotnet.errors import CheckpointError
from rotnet.learning.checkpoint import load_network, make_model
from rotnet.models.net import VideoNet
from rotnet.views.modality import as_input


@dataclass(frozen=True, slots=True)
class Clip:
    """Which clips are to be given: (B, frames, size, size, 3), RGB.

    Args:
        frames: how many; DIF takes one more than it has differences.
        stride: every so many-th frame of the video.
        resize: short side, in pixels, that pictures are reduced to before they are cut.
        size: height and width, in pixels, of the square that is cut out.
    """

    frames: int
    stride: int
    resize: int
    size: int


class Member(nn.Module):
    """One network, and how it sees.

    Args:
        model: that names actions.
        modality: what of a clip it is shown.
        views: how clips are normalised.
        frames: of its clips.
    """

    def __init__(self, model: VideoNet, modality: Modality, views: ViewConfig, frames: int) -> None:
        super().__init__()
        self.model = model
        self.modality: Modality = modality
        self.views = views
        self.frames = frames + (modality == "dif")

    def forward(self, clips: Tensor) -> Tensor:
        """Return outputs (B, K) of the first frames of clips (B, T, H, W, 3)."""
        return self.model(as_input(clips[:, : self.frames], self.modality, self.views))


class Classifier(nn.Module):
    """Outputs of clips whose softmax is how likely each class is.

    Args:
        members: the networks, whose outputs are of the same classes.
        weights: of each, summing to 1.
        of_logits: whether the mean is of outputs, or of what their softmax is.
        classes: what the outputs are of, in order.
        clip: which clips are to be given.
    """

    def __init__(
        self,
        members: Sequence[Member],
        weights: Sequence[float],
        classes: tuple[str, ...],
        clip: Clip,
        *,
        of_logits: bool,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.weights = tuple(weights)
        self.classes = classes
        self.clip = clip
        self.of_logits = of_logits
        self.eval()

    def forward(self, clips: Tensor) -> Tensor:
        """Return outputs (B, K) of clips (B, T, H, W, 3), RGB in [0, 255], uint8 or float32.

        Of one network they are its own; of several the mean of theirs, or the logarithm of the mean
        of their probabilities.
        """
        shown = clips * 1.0  # not .float(): torch.export would hold every input to the dtype it saw
        outputs = [member(shown) for member in self.members]
        if len(outputs) == 1:
            return outputs[0]
        if self.of_logits:
            parts = zip(self.weights, outputs, strict=True)
            return torch.stack([weight * each for weight, each in parts]).sum(dim=0)
        logs = [
            each.log_softmax(dim=1) + math.log(weight)
            for weight, each in zip(self.weights, outputs, strict=True)
            if weight > 0
        ]
        return torch.stack(logs).logsumexp(dim=0)


def open_classifier(
    folders: Mapping[str, Path],
    weights: Mapping[str, float] | None = None,
    *,
    of_logits: bool = False,
) -> Classifier:
    """Return the fine-tuned networks of some folders as one classifier, on the CPU, in eval mode.

    Args:
        folders: name -> folder of a fine-tuning, at least one.
        weights: name -> weight, summing to 1; None joins them evenly.
        of_logits: whether outputs are joined, or probabilities.

    Raises:
        CheckpointError: if one cannot be read or names no action, or they do not go together.
    """
    members: list[Member] = []
    clips: dict[str, Clip] = {}
    classes: dict[str, tuple[str, ...]] = {}
    for name, folder in folders.items():
        saved = load_network(folder)
        if saved.kind != "finetune":
            raise CheckpointError(
                f"{folder}: holds a {saved.kind} network, which names no action: fine-tune it first"
            )
        config = FinetuneConfig.model_validate(saved.config)
        try:
            model = make_model(saved)
        except CheckpointError as error:
            raise CheckpointError(f"{folder}: {error}") from None
        clip = config.clip
        member = Member(model, config.modality, config.views, clip.frames)
        members.append(member)
        clips[name] = Clip(member.frames, clip.stride, clip.resize, clip.size)
        classes[name] = saved.classes
    _check_alike("classes", classes)
    _check_alike("clips", {name: replace(clip, frames=0) for name, clip in clips.items()})
    longest = max(clips.values(), key=lambda one: one.frames)
    even = dict.fromkeys(folders, 1 / len(folders))
    chosen = [(weights or even)[name] for name in folders]
    return Classifier(members, chosen, next(iter(classes.values())), longest, of_logits=of_logits)


def _check_alike(what: str, held: Mapping[str, object]) -> None:
    if len(set(held.values())) > 1:
        raise CheckpointError(
            f"{' and '.join(held)} do not go into one network: they have other {what}; "
            "take one of them"
        )
