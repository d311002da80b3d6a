"""`rotnet finetune`: a network learns to name the action."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.commands.profiling import add_profile, profile
from rotnet.commands.progress import Printer, conclude
from rotnet.commands.settings import add_network, add_settings, make_config, set_location
from rotnet.config import FinetuneConfig, ScoreConfig
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.evaluation.held_out import score_held_out
from rotnet.learning.company import joined
from rotnet.learning.finetune import finetune
from rotnet.learning.stopwatch import Stopwatch
from rotnet.recipes import RECIPES


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = (
        "Fine-tune a network on labelled videos. Called again, it continues. Started by torchrun, "
        "its processes share each batch, by the parts of finetune.accumulate."
    )
    parser.add_argument(
        "data", metavar="DATA", type=set_location, help="a prepared data set with labels"
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the network")
    parser.add_argument(
        "--init",
        type=Path,
        metavar="FOLDER",
        help="a pretraining or a converted network to start from [random weights]",
    )
    parser.add_argument("--split", type=int, default=1, metavar="K", help="of the data set [1]")
    add_network(parser)
    add_settings(parser)
    add_profile(parser)


def run(args: Namespace) -> int:
    """Fine-tune, and print the metrics."""
    config = make_config(FinetuneConfig, args, {"modality": args.modality, "seed": args.seed})
    videos = Manifest.load(local_folder(args.data)).select("train", args.split)
    if args.profile is not None:

        def steps(brief: FinetuneConfig, folder: Path, stopwatch: Stopwatch) -> object:
            return finetune(brief, videos, args.init, folder, stopwatch, stopwatch)

        return profile(args, config, len(videos.classes), 1, steps)
    args.out.mkdir(parents=True, exist_ok=True)
    with joined() as company:
        metrics = finetune(config, videos, args.init, args.out, Printer())
    if not company.leads:
        return 0
    recipe = RECIPES[args.recipe]
    score_held_out(
        ScoreConfig(evaluate=recipe.evaluate, runtime=config.runtime), args.out, videos, Printer()
    )
    conclude(metrics, args.out)
    return 0
