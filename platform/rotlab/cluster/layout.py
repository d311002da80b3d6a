"""What a cluster file comes to, whatever it is written for. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rotlab.planning.space.source import Place

Market = Literal["spot", "on demand"]
Form = Literal["aws", "gcp", "kuberay"]


@dataclass(frozen=True, slots=True)
class NodeType:
    """A sort of node.

    Args:
        name: as the file has it.
        place: where it is described.
        machine: what a price is known by: the provider's name of it, or the group's.
        cpus: cores that stages may take.
        gpus: devices.
        low: how many there are at least.
        high: how many there may be.
        market: spot nodes can be taken away at any time.
        priority: the higher is taken first, of those that would do.
        idle_s: seconds without work after which one goes; None: never.
    """

    name: str
    place: Place
    machine: str
    cpus: float
    gpus: float
    low: int
    high: int
    market: Market
    priority: int
    idle_s: float | None


@dataclass(frozen=True, slots=True)
class Written:
    """A text of the file.

    Args:
        place: where it stands.
        text: what stands there.
    """

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A cluster.

    Args:
        form: what the file is written for.
        head: that carries the driver.
        workers: all other node types.
        most_workers: how many nodes there may be beside the head, all types together.
        images: of containers.
        variables: of the head's environment, by name.
        commands: that are run on the head.
        shared: folders that lie on storage which outlives nodes and which every node sees.
        top: the place that a problem of the cluster as a whole is told for.
    """

    form: Form
    head: NodeType
    workers: tuple[NodeType, ...]
    most_workers: int
    images: tuple[Written, ...]
    variables: Mapping[str, Written]
    commands: tuple[Written, ...]
    shared: tuple[str, ...]
    top: Place
