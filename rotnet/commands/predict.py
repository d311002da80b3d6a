"""`rotnet predict`: what a network says of new video files."""

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.config import EvaluateConfig, RuntimeConfig
from rotnet.errors import DataError, UserError
from rotnet.evaluation.new_videos import new_video
from rotnet.evaluation.opened import Opened, open_network
from rotnet.evaluation.prediction import Prediction, predict

DESCRIPTION = """\
Name the actions of video files with a fine-tuned network; with a pretrained one, say which rotation
it sees. Files are read as `rotnet prepare` reads them: upright, without bars, reduced. A file that
cannot be read is named on stderr and the others go on; the exit status is then 2.
"""
_CLIPS = EvaluateConfig().clips


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = DESCRIPTION
    parser.add_argument("network", metavar="NETWORK", type=Path, help="folder of a network")
    parser.add_argument("videos", metavar="VIDEO", type=Path, nargs="+", help="a video file")
    parser.add_argument(
        "--top", type=int, default=5, metavar="N", help="classes to show, most probable first [5]"
    )
    parser.add_argument(
        "--clips",
        type=int,
        default=_CLIPS,
        metavar="N",
        help=f"per video, evenly spread [{_CLIPS}]",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object a line, for each video"
    )


def run(args: Namespace) -> int:
    """Print what the network says of each file."""
    for name in ("top", "clips"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} must be at least 1, got {getattr(args, name)}")
    network = open_network(args.network)
    failed = 0
    for file in args.videos:
        try:
            with new_video(file, short_side=network.config.clip.resize) as new:
                found = predict(network, new.videos, clips=args.clips, runtime=RuntimeConfig())
                note = new.note
        except DataError as error:
            failed += 1
            sys.stderr.write(f"error: {error}\n")
            if args.json:
                _line({"video": str(file), "error": str(error)})
            continue
        if args.json:
            _line(_record(file, found, args.top, note))
        else:
            sys.stdout.write(_text(network, file, found, args.top, note))
        sys.stdout.flush()
    return 2 if failed else 0


def _record(file: Path, found: Prediction, top: int, note: str) -> dict[str, object]:
    ranking = [{"class": name, "probability": share} for name, share in found.ranking[:top]]
    record: dict[str, object] = {"video": str(file), "clips": found.clips, "top": ranking}
    return {**record, "note": note} if note else record


def _line(record: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")


def _text(network: Opened, file: Path, found: Prediction, top: int, note: str) -> str:
    unit = "" if network.kind == "finetune" else " degrees counter-clockwise"
    lines = [f"{100 * share:5.1f} %  {name}{unit}" for name, share in found.ranking[:top]]
    head = f"{file}" + (f"  (in part: {note})" if note else "")
    return "\n".join([head, *(f"  {line}" for line in lines), ""])
