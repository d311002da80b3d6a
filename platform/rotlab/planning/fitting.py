"""What weights of a fitted fusion are fitted on: videos that its networks did not learn from."""

from collections.abc import Iterator, Sequence

from rotlab.planning.stage import Stage
from rotnet.config import FinetuneConfig, FusionConfig


def has_what_it_fits(config: FusionConfig, behind: Sequence[Stage]) -> tuple[str, str] | None:
    """A fitted fusion weighs networks by their scores of videos that they did not learn from."""
    if config.fuse.rule != "fitted":
        return None
    held_out = {
        (one.config.modality, one.config.seed)
        for one in behind
        if isinstance(one.config, FinetuneConfig) and _holds_out(one.config)
    }
    if all((one.modality, one.seed) in held_out for one in _scored(behind)):
        return None
    return "fuse.rule", (
        "fitted weighs networks by their scores of held-out videos, so finetune.val_fraction must "
        "be greater than 0, got 0"
    )


def fits_others(config: FusionConfig, behind: Sequence[Stage]) -> str | None:
    """Weights of a network that has learnt from all videos are fitted on one that has not."""
    if config.fuse.rule != "fitted" or all(map(_holds_out, _scored(behind))):
        return None
    return "finetune"


def _scored(behind: Sequence[Stage]) -> Iterator[FinetuneConfig]:
    """The networks whose scores are joined; a linear probe holds videos out of its own."""
    scored = {key for one in behind if one.kind == "evaluate" for key in one.inputs.values()}
    for one in behind:
        if one.key in scored and isinstance(one.config, FinetuneConfig):
            yield one.config


def _holds_out(config: FinetuneConfig) -> bool:
    return config.finetune.final == "train" and config.finetune.val_fraction > 0
