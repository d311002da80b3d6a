"""Files for `ray up`, on AWS and Google Cloud, as a layout."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from rotlab.cluster.forms import check_ray_schema
from rotlab.cluster.layout import Form, Layout, Market, NodeType, Written
from rotlab.cluster.machines import gpus_of
from rotlab.cluster.shell import is_below, network_mounts, options, words
from rotlab.planning.space.names import unknown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place

_TYPES = ("available_node_types",)
_NEEDED = {"aws": ("region",), "gcp": ("region", "availability_zone", "project_id")}
_BEFORE = ("initialization_commands",)
_ON_HEAD = ("setup_commands", "head_setup_commands", "head_start_ray_commands")


def read_launcher(report: Report) -> Layout | None:
    """Return the layout of a file for `ray up`; None where problems stand in its way.

    Raises:
        UserError: if Ray, whose schema is asked, is not installed.
    """
    is_sound = check_ray_schema(report)
    provider = report.get(("provider", "type"))
    if provider not in get_args(Form)[:2]:
        if provider is not None:
            report.add(("provider", "type"), unknown("provider", provider, ("aws", "gcp")))
        return None
    for name in _NEEDED[provider]:
        report.text(("provider", name))
    types = report.get(_TYPES)
    head = report.get(("head_node_type",))
    if not isinstance(types, dict) or not types:
        report.add(_TYPES, "names no node type; give a head and at least one worker")
        return None
    has_head = isinstance(head, str) and head in types
    if not has_head:
        report.add(("head_node_type",), unknown("node type", head, list(types)))
    most = report.get(("max_workers",))
    if most is None:
        report.add((), "max_workers is missing: Ray would take 2; say how many nodes may come")
    if not is_sound or not has_head:
        return None
    most = 2 if most is None else most
    nodes = {name: _node(report, name, provider, most) for name in types}
    workers = tuple(node for name, node in nodes.items() if name != head)
    return Layout(
        form=provider,
        head=nodes[head],
        workers=workers,
        most_workers=most,
        images=tuple(_images(report)),
        variables=variables(report, ("run_options", "head_run_options")),
        commands=tuple(line for name in _ON_HEAD for line in lines(report, (name,))),
        shared=_shared(report, tuple(types)),
        top=(),
    )


def lines(report: Report, place: Place) -> list[Written]:
    """Return the texts of a list, such as commands."""
    given = report.get(place)
    found = enumerate(given) if isinstance(given, list) else ()
    return [Written((*place, index), line) for index, line in found if isinstance(line, str)]


def variables(report: Report, among: Sequence[str]) -> dict[str, Written]:
    """Return what some lists of options for containers set, the later ones over the earlier."""
    found = {}
    for name in among:
        for line in lines(report, ("docker", name)):
            for pair in options(words(line.text), "-e", "--env"):
                variable, _, value = pair.partition("=")
                found[variable] = Written(line.place, value)
    return found


def is_spot(config: Any) -> bool:  # noqa: ANN401  # what a user wrote
    """Say whether a provider's description of a node asks for one that can be taken away."""
    if not isinstance(config, dict):
        return False
    options = config.get("InstanceMarketOptions")
    scheduling = config.get("scheduling")
    asked = scheduling if isinstance(scheduling, list) else [scheduling]
    return (isinstance(options, dict) and options.get("MarketType") == "spot") or any(
        each.get("preemptible") is True or each.get("provisioningModel") == "SPOT"
        for each in asked
        if isinstance(each, dict)
    )


def _node(report: Report, name: str, provider: str, most: int) -> NodeType:
    place = (*_TYPES, name)
    given = report.get(place)
    resources, config = given["resources"], given["node_config"]
    at = (*place, "node_config", "InstanceType" if provider == "aws" else "machineType")
    machine = report.text(at) or ""
    is_head = name == report.get(("head_node_type",))
    for unit in ("CPU",) if is_head else ("CPU", "GPU") if gpus_of(machine) else ("CPU",):
        if unit not in resources:
            report.add(
                (*place, "resources"),
                f"must state {unit}, so that what fits can be told; {machine} has its number",
            )
    _check_gpus(report, (*place, "resources"), machine)
    idle_min, idle_s = report.get(("idle_timeout_minutes",)), given.get("idle_timeout_s")
    market: Market = "spot" if is_spot(config) else "on demand"
    return NodeType(
        name=name,
        place=place,
        machine=machine,
        cpus=resources.get("CPU", 0),
        gpus=resources.get("GPU", 0),
        low=given.get("min_workers", 0),
        high=given.get("max_workers", 0 if is_head else most),
        market=market,
        priority=given.get("priority", 0),
        idle_s=idle_s if idle_s is not None else 60 * idle_min if idle_min is not None else None,
    )


def _check_gpus(report: Report, place: Place, machine: str) -> None:
    """A node that has fewer GPUs than it is said to have is started, and never of use."""
    stated, found = report.get((*place, "GPU")) or 0, gpus_of(machine)
    if found is not None and stated > found:
        report.add(
            (*place, "GPU"),
            f"{stated} GPUs are stated, but {machine} has {found}: what asks for more would start "
            f"nodes for ever; state {found}, or take another machine",
        )


def _images(report: Report) -> Iterator[Written]:
    places: list[Place] = [("docker", name) for name in ("image", "head_image", "worker_image")]
    places += [(*_TYPES, name, "docker", "worker_image") for name in report.get(_TYPES)]
    for place in places:
        text = report.get(place)
        if isinstance(text, str):
            yield Written(place, text)


def _shared(report: Report, types: tuple[str, ...]) -> tuple[str, ...]:
    """Folders, as containers see them, of a network's file system that every node mounts."""
    common = lines(report, _BEFORE)
    own = [lines(report, (*_TYPES, name, *_BEFORE)) or common for name in types]
    mounted = [{at for line in each for at in network_mounts(line.text)} for each in own]
    outside = set.intersection(*mounted)
    run = lines(report, ("docker", "run_options"))
    volumes = [one for line in run for one in options(words(line.text), "-v", "--volume")]
    pairs = [volume.split(":")[:2] for volume in volumes if ":" in volume]
    return tuple(inside for there, inside in pairs if is_below(there, tuple(outside)))
