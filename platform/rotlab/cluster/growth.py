"""Rules on how a cluster grows and shrinks: what comes, what it falls back to, and what goes."""

from collections.abc import Iterator

from rotlab.cluster.layout import Layout, NodeType
from rotlab.planning.space.report import Report

_LONG_S = 3600.0
_SHUTDOWN = ("spec", "shutdownAfterJobFinishes")


def check_growth(report: Report, layout: Layout) -> Iterator[str]:
    """Note what is wrong with a cluster's node types, and yield what is only unwise."""
    head = layout.head
    if head.market == "spot":
        report.add(
            head.place,
            "the head is a spot node: when it is taken away, the driver and all workers go with "
            "it; have it on demand",
        )
    if head.gpus:
        yield _at(report, head, f"the head has {head.gpus:g} GPUs, and never goes when idle")
    if not any(node.high for node in layout.workers) or not layout.most_workers:
        report.add(
            (*layout.top, "max_workers") if layout.form != "kuberay" else layout.top,
            "no worker may ever come: give max_workers, or maxReplicas, above 0",
        )
    if (
        layout.form == "kuberay"
        and report.get((*layout.top, "enableInTreeAutoscaling")) is not True
    ):
        report.add(
            (*layout.top, "enableInTreeAutoscaling"),
            "must be true: without it no worker comes for a study, and none goes",
        )
    if layout.form == "aws" and report.get(("provider", "cache_stopped_nodes")) is not False:
        report.add(
            ("provider", "cache_stopped_nodes"),
            "must be false: else nodes that go are only stopped, and their disks go on costing",
        )
    if report.get(("kind",)) == "RayJob" and report.get(_SHUTDOWN) is not True:
        report.add(_SHUTDOWN, "must be true: else its cluster stays when the study has ended")
    for node in layout.workers:
        yield from _check_node(report, node, layout)
    low = sum(node.low for node in layout.workers)
    if low > layout.most_workers:
        report.add(
            (*layout.top, "max_workers"),
            f"is {layout.most_workers}, but at least {low} nodes are asked for",
        )


def _check_node(report: Report, node: NodeType, layout: Layout) -> Iterator[str]:
    if not 0 <= node.low <= node.high:
        report.add(
            node.place,
            f"asks for at least {node.low} and at most {node.high} nodes; the least must be 0 or "
            "more, and the most no less than that",
        )
    if node.idle_s is None:
        setting = "idle_timeout_minutes: 5"
        if layout.form == "kuberay":
            setting = "autoscalerOptions: {idleTimeoutSeconds: 300}"
        report.add(
            node.place,
            f"has no idle time-out: nobody has said when it stops costing; give {setting}",
        )
    elif node.idle_s > _LONG_S:
        yield _at(report, node, f"goes only after {node.idle_s / 60:g} idle minutes")
    if node.low and node.gpus:
        yield _at(
            report,
            node,
            f"{node.low} of its nodes, with {node.low * node.gpus:g} GPUs, cost whether there is "
            "work or not; 0 has them come when there is",
        )
    if node.market == "spot" and node.high:
        yield from _check_fall_back(report, node, layout)


def _check_fall_back(report: Report, node: NodeType, layout: Layout) -> Iterator[str]:
    others = [
        other
        for other in layout.workers
        if other.market == "on demand"
        and other.high
        and other.cpus >= node.cpus
        and other.gpus >= node.gpus
    ]
    if not others:
        report.add(
            node.place,
            f"is spot, and no node type on demand could hold what it holds (CPU {node.cpus:g}, GPU "
            f"{node.gpus:g}): when there is no spot, its stages wait for ever; add one on demand",
        )
    for other in others:
        if (other.cpus, other.gpus) == (node.cpus, node.gpus) and other.priority >= node.priority:
            yield _at(
                report,
                node,
                f"is spot, but {other.name}, on demand, is taken as soon: its priority is "
                f"{other.priority}, and this one's {node.priority}; give spot the higher one",
            )


def _at(report: Report, node: NodeType, text: str) -> str:
    return f"{report.source.line(*node.place)} {node.name}: {text}"
