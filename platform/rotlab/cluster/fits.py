"""Which node types can hold the stages of a plan. Arithmetic only."""

from collections.abc import Mapping

from rotlab.cluster.layout import Layout, NodeType
from rotlab.planning.stage import Resources
from rotnet.errors import UserError


def fits(layout: Layout, wanted: Mapping[str, Resources]) -> dict[str, tuple[str, ...]]:
    """Return, by kind of stage, the node types that can hold one.

    Memory is not looked at. A stage that does not say how many GPUs it takes is taken to want one
    if there are any. Where several processes compute a stage, each has to find a node, and they may
    lie on several.

    Args:
        layout: of the cluster.
        wanted: kind -> what one of its stages asks for.

    Raises:
        UserError: with all kinds that no node could ever hold.
    """
    nodes = [node for node in (layout.head, *layout.workers) if node.high or node is layout.head]
    has_gpus = any(node.gpus for node in nodes)
    found, lost = {}, []
    for kind, each in wanted.items():
        one = each.resolved(has_gpu=has_gpus).each
        gpus = one.gpus or 0.0
        found[kind] = tuple(
            node.name for node in nodes if node.cpus >= one.cpus and node.gpus >= gpus
        )
        if not found[kind] or _most(layout, one) < each.processes:
            said = f", each of {each.processes} processes" if each.processes > 1 else ""
            lost.append(f"{kind} (cpus {one.cpus}, gpus {gpus:g}{said})")
    if lost:
        largest = ", ".join(f"{node.name} (CPU {node.cpus:g}, GPU {node.gpus:g})" for node in nodes)
        raise UserError(
            f"no node type could ever hold a stage of {'; '.join(lost)}: they would wait for ever; "
            f"ask for less in `resources`, or add a larger type; there are {largest}"
        )
    return found


def _most(layout: Layout, one: Resources) -> int:
    """How many processes the nodes that there may be can hold together."""

    def room(node: NodeType) -> int:
        cores = node.cpus // one.cpus
        return int(min(cores, node.gpus // one.gpus) if one.gpus else cores)

    rooms = sorted((room(node) for node in layout.workers for _ in range(node.high)), reverse=True)
    return room(layout.head) + sum(rooms[: layout.most_workers])


def unsaid(layout: Layout, wanted: Mapping[str, Resources]) -> str | None:
    """Return a warning of stages that leave it to chance whether they run on GPUs."""
    has_gpus = any(node.gpus for node in layout.workers if node.high)
    starts_with = any(node.gpus for node in layout.workers if node.low)
    kinds = [kind for kind, each in wanted.items() if each.gpus is None and not each.measured]
    if not kinds or not has_gpus or starts_with:
        return None
    return (
        f"{', '.join(kinds)}: they do not say how many GPUs they take, and a cluster that has none "
        f"when a study starts gives them cores only; say it, as in "
        f"resources: {{{kinds[0]}: {{gpus: 1}}}}"
    )
