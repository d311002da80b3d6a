"""`rotnet inspect`: what a prepared data set holds."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as RichTable

from rotnet.commands.settings import set_location
from rotnet.data.header import read_header
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.data.summary import Table, summarise


def configure(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "manifest",
        metavar="MANIFEST",
        type=set_location,
        help="a prepared set: its folder, its manifest.csv, or a URL",
    )


def run(args: Namespace) -> int:
    """Print the tables of a set."""
    folder = local_folder(args.manifest)
    tables = summarise(Manifest.load(folder), read_header(folder))
    console = Console()
    for table in tables:
        if console.is_terminal:
            console.print(_rich(table))
        else:
            sys.stdout.write(_plain(table))
    return 0


def _rich(table: Table) -> RichTable:
    shown = RichTable(title=table.title, title_justify="left", show_header=bool(table.columns))
    for column in table.columns or ("",) * len(table.rows[0]):
        shown.add_column(column, overflow="fold")
    for row in table.rows:
        shown.add_row(*(cell.replace("[", r"\[") for cell in row))
    return shown


def _plain(table: Table) -> str:
    """Return aligned columns, a line for each row."""
    rows: Sequence[tuple[str, ...]] = ([table.columns] if table.columns else []) + list(table.rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([table.title, *lines, "", ""])
