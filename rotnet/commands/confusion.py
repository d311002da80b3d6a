"""`rotnet confusion`: which class is taken for which, as a picture."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.evaluation.metrics import confusion
from rotnet.evaluation.scores import SCORES, Scores
from rotnet.pictures.confusion import confusion_picture
from rotnet.pictures.image_file import checked_png, write_image


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = "Draw the confusion matrix of an evaluation or a fusion."
    parser.add_argument(
        "scores", metavar="SCORES", type=Path, help=f"folder of scores, or its {SCORES}"
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="picture to write, .png")


def run(args: Namespace) -> int:
    """Draw, and say where."""
    out = checked_png(args.out)
    scores = Scores.load(args.scores.parent if args.scores.name == SCORES else args.scores)
    write_image(confusion_picture(confusion(scores), scores.classes), out)
    sys.stdout.write(f"in {out}\n")
    return 0
