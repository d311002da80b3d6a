"""`--profile`: a few steps of a training instead of all of it, and where their time goes."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from rotnet.errors import UserError
from rotnet.learning.company import processes
from rotnet.learning.profiling import TRACE, ConfigT, profile_steps
from rotnet.learning.stopwatch import Stopwatch

_BELOW_OUT = Path()  # what --profile without a folder is


def add_profile(parser: ArgumentParser) -> None:
    """Add --profile."""
    parser.add_argument(
        "--profile",
        nargs="?",
        type=Path,
        const=_BELOW_OUT,
        metavar="FOLDER",
        help="take a few steps, say where their time goes, leave a trace in FOLDER [OUT/profile], "
        "and train no further",
    )


def profile(
    args: Namespace,
    config: ConfigT,
    num_outputs: int,
    copies: int,
    run: Callable[[ConfigT, Path, Stopwatch], object],
) -> int:
    """Profile a training, print the table, and return the exit status.

    Raises:
        UserError: if several processes were started.
    """
    if processes() > 1:
        raise UserError(f"--profile times one process, got {processes()}; start it by itself")
    folder = args.out / "profile" if args.profile == _BELOW_OUT else args.profile
    folder.mkdir(parents=True, exist_ok=True)
    found = profile_steps(config, num_outputs, copies, run, folder)
    sys.stdout.write(found.table())
    sys.stdout.write(f"in {folder}; {TRACE} is for chrome://tracing or ui.perfetto.dev\n")
    return 0
