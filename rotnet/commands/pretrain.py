"""`rotnet pretrain`: a network learns from videos without labels."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.commands.profiling import add_profile, profile
from rotnet.commands.progress import Printer, conclude
from rotnet.commands.settings import add_network, add_settings, make_config, set_location
from rotnet.config import PretrainConfig
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.learning.company import joined
from rotnet.learning.pretrain import pretrain
from rotnet.learning.stopwatch import Stopwatch
from rotnet.pretexts.pretext import make_pretext


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = (
        "Pretrain a network on rotations. Called again, it continues. Started by torchrun, its "
        "processes share each batch, by the parts of pretrain.accumulate."
    )
    parser.add_argument("data", metavar="DATA", type=set_location, help="a prepared data set")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the network")
    parser.add_argument(
        "--split", type=int, metavar="K", help="learn from the training part of split K [all]"
    )
    add_network(parser)
    add_settings(parser)
    add_profile(parser)


def run(args: Namespace) -> int:
    """Pretrain, and print the metrics."""
    config = make_config(PretrainConfig, args, {"modality": args.modality, "seed": args.seed})
    videos = Manifest.load(local_folder(args.data)).select("pretrain", args.split)
    if args.profile is not None:
        pretext = make_pretext(config)

        def steps(brief: PretrainConfig, folder: Path, stopwatch: Stopwatch) -> object:
            return pretrain(brief, videos, folder, stopwatch, stopwatch)

        return profile(args, config, pretext.num_outputs, pretext.copies, steps)
    args.out.mkdir(parents=True, exist_ok=True)
    with joined() as company:
        metrics = pretrain(config, videos, args.out, Printer())
    if company.leads:
        conclude(metrics, args.out)
    return 0
