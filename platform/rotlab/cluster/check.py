"""A cluster file, checked: its form, and all of our rules."""

import re
from dataclasses import dataclass
from pathlib import Path

from rotlab.cluster.growth import check_growth
from rotlab.cluster.images import check_images
from rotlab.cluster.kuberay import KINDS, read_kuberay
from rotlab.cluster.launcher import read_launcher
from rotlab.cluster.layout import Layout
from rotlab.cluster.network import check_network
from rotlab.cluster.secrecy import check_secrecy
from rotlab.cluster.storage import check_storage
from rotlab.planning.space.names import unknown
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import read_source

_WHAT = "a cluster file is for `ray up` (cluster_name, provider) or for KubeRay (apiVersion, kind)"
_EXAMPLE = re.compile(r"\b(ami|sg|fs|subnet)-0{17}\b|\b[\w.-]*example\b")


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that breaks no rule.

    Args:
        layout: what it comes to.
        warnings: what is unwise, each with its line.
    """

    layout: Layout
    warnings: tuple[str, ...]


def check_file(path: Path) -> Checked:
    """Check a cluster file.

    Args:
        path: of a file for `ray up`, or of a RayCluster or RayJob.

    Raises:
        SpecError: with all that is wrong with it, each with its line.
        UserError: if Ray, whose schema is asked, is not installed.
    """
    report = Report(read_source(path, _WHAT))
    check_secrecy(report)
    if report.has(("kind",)) or report.has(("apiVersion",)):
        if report.get(("kind",)) not in KINDS:
            report.add(("kind",), unknown("kind", report.get(("kind",)), KINDS))
            raise SpecError(path, report.problems)
        layout = read_kuberay(report)
    else:
        layout = read_launcher(report)
    if layout is None:
        raise SpecError(path, report.problems)
    warnings = list(check_growth(report, layout))
    check_network(report, layout)
    check_storage(report, layout)
    check_images(report, layout)
    if report.problems:
        raise SpecError(path, report.problems)
    return Checked(layout, (*warnings, *_examples(report.source.text)))


def _examples(text: str) -> list[str]:
    """Values of the examples that nobody has filled in."""
    uncommented = [line.partition(" #")[0] for line in text.splitlines()]
    numbers = [
        number
        for number, line in enumerate(uncommented, 1)
        if _EXAMPLE.search(line) and not line.startswith("#")
    ]
    if not numbers:
        return []
    return [
        f"{len(numbers)} values are still the example's (lines {', '.join(map(str, numbers))}); "
        "fill in yours"
    ]
