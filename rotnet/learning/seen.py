"""What a network has seen: whether videos may test it, and whether it sees as it learnt to."""

from pathlib import Path

from rotnet.config import Modality, ModelConfig, ViewConfig
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError, DataError
from rotnet.learning.checkpoint import Network


def refuse_seen(network: Path, saved: Network, videos: VideoSet) -> None:
    """Refuse to test a network on videos of which it may have learnt.

    Args:
        network: where it lies, for the message.
        saved: the network.
        videos: of one split, those to test on or the ones beside them to learn from.

    Raises:
        DataError: if it was trained on another split of the same set, or on all of it.
    """
    if saved.data != videos.fingerprint or saved.split == videos.split:
        return
    if saved.split is None:
        raise DataError(
            f"{network}: was trained on all of {videos.folder}, the test videos of split "
            f"{videos.split} too; train it with --split {videos.split}"
        )
    raise DataError(
        f"{network}: was trained on split {saved.split} of {videos.folder}, so split "
        f"{videos.split} would test it on videos it has learnt from; give split {saved.split}"
    )


def refuse_other_sight(
    network: Path, saved: Network, modality: Modality, views: ViewConfig
) -> None:
    """Refuse to show a network something else than it has learnt to see.

    Raises:
        CheckpointError: if the modality or the normalisation differ.
    """
    fields = ("mean", "std", "dif", "dif_std") if modality == "dif" else ("mean", "std")
    theirs = ViewConfig.model_validate(saved.config["views"])
    for name, learnt, given in (
        ("modality", saved.config["modality"], modality),
        *((f"views.{field}", getattr(theirs, field), getattr(views, field)) for field in fields),
    ):
        _refuse_other(network, name, learnt, given)


def refuse_other_net(network: Path, saved: Network, model: ModelConfig) -> None:
    """Refuse weights of a network of another build, by the setting and not by every weight's shape.

    Raises:
        CheckpointError: if backbone, depth or width differ.
    """
    for name in ("backbone", "depth", "width"):
        given = getattr(model, name)
        _refuse_other(network, f"model.{name}", saved.config["model"].get(name, given), given)


def _refuse_other(network: Path, name: str, learnt: object, given: object) -> None:
    if learnt != given:
        raise CheckpointError(
            f"{network}: was trained with {name} {learnt}, but is to be used with {given}; "
            "make them equal"
        )
