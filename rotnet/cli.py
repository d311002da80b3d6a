"""The `rotnet` command: finds the command that is meant. What that does is in `rotnet.commands`."""

import re
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from rotnet.errors import UserError, offer

INTERRUPTED = 130  # what a shell reports for Ctrl-C


@dataclass(frozen=True, slots=True)
class Command:
    """A module that has `configure(parser)` and `run(args) -> int`, and what it is for."""

    module: str
    help: str


COMMANDS = {
    "prepare": Command("rotnet.commands.prepare", "make a data set out of videos"),
    "inspect": Command("rotnet.commands.inspection", "say what a prepared data set holds"),
    "recipes": Command("rotnet.commands.recipes", "say what the named settings are"),
    "pretrain": Command("rotnet.commands.pretrain", "learn from videos without labels"),
    "finetune": Command("rotnet.commands.finetune", "learn to name the action"),
    "evaluate": Command("rotnet.commands.evaluate", "score test videos with a network"),
    "linear": Command("rotnet.commands.linear", "probe a frozen network, stage by stage"),
    "retrieve": Command("rotnet.commands.retrieve", "find the nearest videos by features"),
    "fuse": Command("rotnet.commands.fuse", "make one of several networks' scores"),
    "attention": Command("rotnet.commands.attention", "show what networks look at"),
    "predict": Command("rotnet.commands.predict", "say what new video files show"),
    "features": Command("rotnet.commands.features", "write features of videos to Parquet"),
    "convert": Command("rotnet.commands.convert", "make a network of other people's weights"),
    "export": Command("rotnet.commands.export", "write a network for other programs"),
    "confusion": Command("rotnet.commands.confusion", "draw which class is taken for which"),
    "doctor": Command("rotnet.commands.doctor", "look for leaks in the training path and the data"),
    "sheet": Command("rotnet.commands.sheet", "draw a training batch as the network sees it"),
}


class Parser(ArgumentParser):
    """A parser whose complaints are one line, with the nearest valid word."""

    def error(self, message: str) -> NoReturn:
        """Raise a UserError of one line."""
        found = re.search(r"invalid choice: '?(.*?)'? \(choose from (.*)\)", message)
        if found:
            names = [name.strip(" '") for name in found[2].split(",")]
            message = f"unknown {found[1]!r}; {offer(found[1], names)}"
        raise UserError(f"{message}; see '{self.prog} --help'")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for bad input, 130 for Ctrl-C.

    A path that the system refuses and a training that diverged count as bad input.
    """
    argv = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in argv
    argv = [word for word in argv if word != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file's name need not be text
    try:
        parser = _parser(argv)
        args = parser.parse_args(argv)
        if args.command is None:
            parser.print_help(sys.stderr)
            return 2
        return args.run(args)
    except KeyboardInterrupt:
        if debug:
            raise
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone; say nothing on the way out
        return 0
    except (UserError, OSError, FloatingPointError) as error:
        if debug:
            raise
        message = _one_line(error)
        sys.stderr.write(f"error: {message}\n")
        return 2


def _one_line(error: Exception) -> str:
    """Return an error's text; of one of the system, the path and what is wrong with it."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return text.replace("\n", " ")


def _parser(argv: Sequence[str]) -> Parser:
    """Return a parser that knows every command by name, and the one asked for in full."""
    parser = Parser(
        prog="rotnet",
        description="3DRotNet: features learnt from video by predicting how each clip was rotated.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    asked = next((word for word in argv if not word.startswith("-")), None)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        if name == asked:
            module = import_module(command.module)
            module.configure(sub)
            sub.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
