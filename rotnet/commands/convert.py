"""`rotnet convert`: a checkpoint of another project becomes a network folder."""

import hashlib
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotnet.commands.settings import make_config
from rotnet.config import PretrainConfig
from rotnet.errors import CheckpointError, UserError
from rotnet.learning.adopt import Adopted, adopt, restore
from rotnet.learning.checkpoint import NETWORK, save_network
from rotnet.models.foreign.files import Found, read_tensors
from rotnet.models.foreign.origins import ORIGINS, Origin, recognise

MODEL = ("backbone", "depth", "width", "shortcut", "hidden")
CLIP = ("frames", "stride", "resize", "size")
VIEWS = ("mean", "std")


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = (
        "Make a network folder, to fine-tune or to look into, out of a file of weights: a state "
        "dict (.pt, .pth, .safetensors), a checkpoint that has one, or a pickled module, such as "
        "3DRotNet's, of which no code runs. Every weight of the network must be there. What the "
        "file does not tell is told by options."
    )
    parser.add_argument("source", metavar="IN", type=Path, help="a file of weights")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the network")
    parser.add_argument(
        "--from",
        dest="origin",
        choices=("auto", *ORIGINS),
        default="auto",
        help="whose it is, for what its clips and colours are [as its names tell]",
    )
    parser.add_argument("--key", metavar="NAME", help="of the weights, in a file of several things")
    parser.add_argument(
        "--prefix", default="", metavar="TEXT", help="take only names that begin so, without it"
    )
    parser.add_argument(
        "--drop", action="append", default=[], metavar="MODULE", help="leave it out; repeatable"
    )
    parser.add_argument(
        "--keep-head", action="store_true", help="keep fc1 and fc2 [leave classifiers out]"
    )
    network = parser.add_argument_group("the network [as the names and shapes tell]")
    network.add_argument("--backbone", metavar="NAME", help="such as resnet3d, r3d_18 or c3d")
    network.add_argument("--depth", type=int, choices=(18, 34, 50), help="of resnet3d")
    network.add_argument("--width", type=int, metavar="N", help="channels of resnet3d's stem")
    network.add_argument("--shortcut", choices=("A", "A-detached", "B"), help="of resnet3d")
    network.add_argument("--hidden", type=int, metavar="N", help="units of fc1")
    sight = parser.add_argument_group("what it was trained to see [as its origin has it]")
    sight.add_argument("--modality", choices=("rgb", "dif"), help="[rgb]")
    for name, help_ in (("mean", "subtracted from RGB in [0, 1]"), ("std", "divided by")):
        sight.add_argument(f"--{name}", type=float, nargs=3, metavar=("R", "G", "B"), help=help_)
    for name, help_ in (
        ("frames", "of a clip"),
        ("stride", "of them, in frames of the video"),
        ("resize", "short side before the crop, in pixels"),
        ("size", "side of the crop, in pixels"),
    ):
        sight.add_argument(f"--{name}", type=int, metavar="N", help=help_)


def run(args: Namespace) -> int:
    """Convert, and say what was done with every tensor."""
    if (args.out / NETWORK).exists():
        raise UserError(f"{args.out}: holds a network already; remove it or name another folder")
    found = read_tensors(args.source, key=args.key, prefix=args.prefix)
    try:
        lines = _restored(args, found) if found.metadata else _adopted(args, found)
    except CheckpointError as error:
        raise CheckpointError(f"{args.source}: {error}") from None
    width = max(len(name) for name, _ in lines)
    sys.stdout.writelines(f"{name:{width}}  {text}\n" for name, text in lines)
    sys.stdout.write(f"in {args.out}\n")
    return 0


def _restored(args: Namespace, found: Found) -> list[tuple[str, str]]:
    """Write the network that this project once exported, as it was."""
    if given := [name for name in ("modality", *MODEL, *VIEWS, *CLIP) if getattr(args, name)]:
        raise CheckpointError(
            f"rotnet exported it with its settings; leave out --{', --'.join(given)}"
        )
    network = restore(found.metadata, found.tensors)
    args.out.mkdir(parents=True, exist_ok=True)
    save_network(network, args.out)
    return [
        ("file", _file(args.source, found)),
        ("network", f"{network.kind}, exported by rotnet; its settings are in the file"),
        ("loaded", f"{len(found.tensors)} tensors"),
    ]


def _adopted(args: Namespace, found: Found) -> list[tuple[str, str]]:
    """Write the network that others' weights make."""
    told, recognised = ({}, None) if args.backbone else recognise(found.tensors)
    whose = recognised if args.origin == "auto" else args.origin
    origin = ORIGINS.get(whose) if whose else None
    model, clip, views = (_given(args, names) for names in (MODEL, CLIP, VIEWS))
    if origin is None and (lacking := [name for name in VIEWS if name not in views]):
        raise CheckpointError(
            f"whose it is does not show; give --from ({', '.join(ORIGINS)}), or "
            f"{' and '.join(f'--{name}' for name in lacking)} of the pixels it was trained on"
        )
    if origin is not None:
        views = {"mean": origin.mean, "std": origin.std, **views}
        clip = {**origin.clip.model_dump(), **clip}
    config = make_config(
        PretrainConfig,
        Namespace(recipe="paper", replaced=[]),
        {
            "modality": args.modality or "rgb",
            "clip": clip,
            "views": views,
            "model": {**told, **model},
        },
    )
    adopted = adopt(
        found.tensors,
        config,
        head=args.keep_head,
        drop=args.drop,
        origin={
            "file": args.source.name,
            "sha256": hashlib.sha256(args.source.read_bytes()).hexdigest(),
            "from": whose or "unknown",
        },
    )
    args.out.mkdir(parents=True, exist_ok=True)
    save_network(adopted.network, args.out)
    return [
        ("file", _file(args.source, found)),
        ("network", _network(config)),
        *_counts(adopted),
        ("sees", _sight(config, args, origin)),
    ]


def _given(args: Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _file(path: Path, found: Found) -> str:
    where = f", in {' > '.join(found.where)}" if found.where else ""
    pickled = "; a pickled module, of which no code was run" if found.pickled else ""
    return f"{path.name}: {len(found.tensors)} tensors{where}{pickled}"


def _network(config: PretrainConfig) -> str:
    model = config.model
    if model.backbone != "resnet3d":
        return model.backbone
    return f"resnet3d, depth {model.depth}, width {model.width}, shortcut {model.shortcut}"


def _counts(adopted: Adopted) -> list[tuple[str, str]]:
    weights: Mapping[str, Any] = adopted.network.weights
    values = sum(weights[name].numel() for name in adopted.loaded)
    lines = [("loaded", f"{len(adopted.loaded)} tensors, {values:,} values: all of the network's")]
    if adopted.counters:
        count = len(adopted.counters)
        lines.append(("set to 0", f"{count} num_batches_tracked, which old files lack"))
    if adopted.left_out:
        names = ", ".join(sorted(adopted.left_out))
        lines.append(("left out", f"{len(adopted.left_out)}: {names}"))
    return lines


def _sight(config: PretrainConfig, args: Namespace, origin: Origin | None) -> str:
    """Return what it sees, and on whose word."""
    clip, views = config.clip, config.views
    text = (
        f"{config.modality}, {clip.frames} frames of stride {clip.stride}, {clip.size} of "
        f"{clip.resize} pixels, mean {list(views.mean)}, std {list(views.std)}"
    )
    own = [name for name in ("modality", *VIEWS, *CLIP) if getattr(args, name) is not None]
    source = origin.source if origin is not None else "rotnet's recipe 'paper'"
    assumed = f"assumed, after {source}"
    return f"{text} ({assumed}{', but ' + ', '.join(own) + ' as given' if own else ''})"
