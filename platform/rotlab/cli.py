"""The `rotlab` command: one table of commands; only the one asked for is imported."""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from rotlab.planning.space.names import unknown
from rotnet.errors import UserError

COMMANDS = {
    "prepare": ("rotlab.commands.prepare", "make a data set out of videos, on a cluster"),
    "check": ("rotlab.commands.check", "say whether a search space is in order"),
    "plan": ("rotlab.commands.plan", "show what a search space would run, and what sharing saves"),
    "schema": ("rotlab.commands.schema", "print the JSON Schema of search spaces, for editors"),
    "diff": ("rotlab.commands.diff", "say what a run would do now, and why"),
    "run": ("rotlab.commands.run", "run what is missing of a search space"),
    "retry": ("rotlab.commands.retry", "try stages again that a run has given up"),
    "submit": ("rotlab.commands.submit", "have a cluster run a study, and follow it"),
    "run-stage": ("rotlab.commands.run_stage", "run one stage in this process, without Ray"),
    "logs": ("rotlab.commands.logs", "show what a stage said while it worked"),
    "cancel": ("rotlab.commands.cancel", "have the runs of a study end, at their last checkpoints"),
    "invalidate": ("rotlab.commands.invalidate", "have results made again, saying why"),
    "gc": ("rotlab.commands.collect", "remove what nothing in the store needs any more"),
    "export": ("rotlab.commands.export", "write a study into one file, for another machine"),
    "import": ("rotlab.commands.import_study", "put such a file's study into a store"),
    "status": ("rotlab.commands.status", "show how far a study is"),
    "sync": ("rotlab.commands.sync", "bring MLflow to what store and journal say"),
    "doctor": ("rotlab.commands.doctor", "say what is wrong with an environment"),
    "cluster": ("rotlab.commands.cluster", "check a cluster file, and tell what it costs"),
    "results": ("rotlab.commands.results", "answer a study's question from its results"),
    "report": ("rotlab.commands.report", "write the answer, and what it stands on, as a page"),
    "promote": ("rotlab.commands.promote", "put an arm's network into the model registry"),
}
DONE, USER_ERROR, CRASHED, INTERRUPTED = 0, 2, 70, 130  # 70 is EX_SOFTWARE of sysexits.h
_OURS = ("rotlab", "rotnet")


class _Parser(argparse.ArgumentParser):
    """Refuses in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status.

    2 stands for what the user can mend, 130 for Ctrl-C, and 70 for an error in this program.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        return _run([one for one in given if one != "--debug"])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # what reads the output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (UserError, OSError) as error:
        if debug:
            traceback.print_exc()
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return USER_ERROR
    except Exception:  # noqa: BLE001  # an error of ours: its traceback is what helps
        traceback.print_exc()
        return CRASHED


def _one_line(error: UserError | OSError) -> str:
    """Return an error's text; of one of the system, the path and what is wrong with it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _run(given: list[str]) -> int:
    if not given:
        print(_overview())
        return USER_ERROR
    name, *rest = given
    if name in ("-h", "--help"):
        print(_overview())
        return DONE
    if name == "--version":
        print(f"rotlab {version('rotlab')}")
        return DONE
    if name not in COMMANDS:
        raise UserError(f"{unknown('command', name, list(COMMANDS))}; see rotlab --help")
    module_name, line = COMMANDS[name]
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in _OURS:
            raise
        raise UserError(f"rotlab {name} needs {missing!r}: install rotlab[platform]") from error
    parser = _Parser(prog=f"rotlab {name}", description=f"{line[0].upper()}{line[1:]}.")
    module.add_arguments(parser)
    parser.add_argument(  # for the help only: main has taken it out
        "--debug", action="store_true", help="show the traceback of an error"
    )
    return module.run(parser.parse_args(rest))


def _overview() -> str:
    width = max(len(name) for name in COMMANDS)
    lines = "\n".join(f"  {name:<{width}}  {line}" for name, (_, line) in COMMANDS.items())
    return (
        "usage: rotlab COMMAND ...\n\n"
        "From a search space to a plan of shared stages, run by Ray Tune and tracked in MLflow.\n\n"
        f"{lines}\n\n"
        "`rotlab COMMAND --help` tells more; --debug shows the traceback of an error; "
        "--version the version."
    )


if __name__ == "__main__":
    sys.exit(main())
