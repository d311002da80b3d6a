"""Options that several commands share, spelt and explained once."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from rotlab.tracking.artifacts import Artifacts
from rotnet.data.framestore.layout import is_url


def add_file(parser: argparse.ArgumentParser) -> None:
    """Add FILE, a search space."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a search space, in YAML")


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add STUDY, a name."""
    parser.add_argument("study", metavar="STUDY", help="name of the study, as in its search space")


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Add KEY, of a stage."""
    parser.add_argument("key", metavar="KEY", help="of the stage, or its first characters")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add --data."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=_location,
        help="folder, or URL, of prepared data sets (default: $ROTLAB_DATA, else ./data)",
    )


def add_prices(parser: argparse.ArgumentParser) -> None:
    """Add --prices."""
    parser.add_argument(
        "--prices",
        metavar="FILE",
        type=Path,
        help="what hours cost and how fast devices are, in YAML: see search_spaces/README.md",
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add --store."""
    parser.add_argument(
        "--store",
        metavar="URL",
        help="where results lie (default: $ROTLAB_STORE, else ./rotlab-store)",
    )


def add_tracking(parser: argparse.ArgumentParser) -> None:
    """Add --tracking-uri."""
    parser.add_argument(
        "--tracking-uri",
        metavar="URI",
        help="MLflow's (default: $MLFLOW_TRACKING_URI, else mlflow.db in the store)",
    )


def add_optuna(parser: argparse.ArgumentParser) -> None:
    """Add --optuna-storage."""
    parser.add_argument(
        "--optuna-storage",
        metavar="FILE|URL",
        help="where `optuna-dashboard` finds what is searched: a file, a database's URL, or none "
        "(default: $ROTLAB_OPTUNA_STORAGE, else optuna.log in the store)",
    )


def add_artifacts(parser: argparse.ArgumentParser) -> None:
    """Add --artifacts."""
    parser.add_argument(
        "--artifacts",
        choices=get_args(Artifacts),
        default="small",
        help="files of results that go into MLflow: none, small ones (settings, confusion, scores, "
        "attention maps with frames of a few videos, up to 1 MB; networks are named by where they "
        "lie) or all [%(default)s]",
    )


def an_amount(unit: str) -> Callable[[str], float]:
    """Return what reads an option's number of something: finite, 0 or more."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            raise argparse.ArgumentTypeError(f"must be a number of {unit}, 0 or more, got {text!r}")
        return number

    return read


def _location(text: str) -> Path | str:
    return text if is_url(text) else Path(text)
