"""Files for KubeRay, a RayCluster or a RayJob with its own, as a layout."""

from collections.abc import Iterator
from typing import Any

from rotlab.cluster.forms import check_kuberay_fields, groups
from rotlab.cluster.layout import Layout, Market, NodeType, Written
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place

KINDS = ("RayCluster", "RayJob")
_SPOT = {  # label of a node -> its value where the node can be taken away
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacityType": "SPOT",
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-provisioning": "spot",
    "kubernetes.azure.com/scalesetpriority": "spot",
}
_OUTLIVE = ("persistentVolumeClaim", "nfs", "csi")
_BUCKETS = ("gcsfuse.csi.storage.gke.io", "s3.csi.aws.com")  # seen as folders, but without links
_MILLI = 1000


def read_kuberay(report: Report) -> Layout | None:
    """Return the layout of a file for KubeRay; None where problems stand in its way."""
    kind = report.get(("kind",))
    cluster: Place = ("spec", "rayClusterSpec") if kind == "RayJob" else ("spec",)
    is_whole = check_kuberay_fields(report, kind, cluster)
    if kind == "RayJob" and not report.has(cluster):
        report.add(
            ("spec",),
            "has no rayClusterSpec: only a RayJob with its own cluster can be checked; check the "
            "file of the cluster that it runs on",
        )
    if not is_whole:
        return None
    places = groups(report, cluster)
    if not places:
        report.add(cluster, "has no workerGroupSpecs: nothing but the head could ever work")
        return None
    head = _node(report, (*cluster, "headGroupSpec"), cluster)
    workers = tuple(_node(report, place, cluster) for place in places)
    for index, node in enumerate(workers):
        if node.name in {other.name for other in workers[:index]}:
            report.add(
                (*node.place, "groupName"),
                f"{node.name!r} is another group's name already; KubeRay refuses that",
            )
    pods = ((*cluster, "headGroupSpec"), *places)
    folders = [set(_outliving(report, place)) for place in pods]
    return Layout(
        form="kuberay",
        head=head,
        workers=workers,
        most_workers=sum(node.high for node in workers),
        images=tuple(one for place in pods for one in _images(report, place)),
        variables=_variables(report, pods[0]),
        commands=tuple(_commands(report, pods[0])),
        shared=tuple(sorted(set.intersection(*folders))),
        top=cluster,
    )


def containers(report: Report, group: Place) -> list[Place]:
    """Return the places of the containers of a group's pods."""
    place = (*group, "template", "spec", "containers")
    given = report.get(place)
    number = len(given) if isinstance(given, list) else 0
    return [(*place, index) for index in range(number)]


def entries(report: Report, place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the mappings of a list, with their places; note what is no such list."""
    given = report.get(place)
    if given is not None and not isinstance(given, list):
        report.add(place, f"must be a list of mappings, got {shown(given)}")
        return
    for index, each in enumerate(given or ()):
        if isinstance(each, dict):
            yield (*place, index), each
        else:
            report.add((*place, index), f"must be a mapping, got {shown(each)}")


def _node(report: Report, group: Place, cluster: Place) -> NodeType:
    is_head = group[-1] == "headGroupSpec"
    name = "head" if is_head else str(report.get((*group, "groupName")))
    found = containers(report, group)
    if not found:
        report.add(group, "has no container; the first one runs Ray")
        return NodeType(name, group, name, 0, 0, 0, 0, "on demand", 0, None)
    started = report.get((*group, "rayStartParams", "num-cpus"))
    cpus = _amount(report, (*found[0], "resources"), "cpu")
    gpus = _amount(report, (*found[0], "resources"), "nvidia.com/gpu") or 0.0
    if cpus is None and started is None:
        report.add(
            (*found[0], "resources"), "states no cpu: Ray takes a pod's cores from its limits"
        )
    common = _whole(report, (*cluster, "autoscalerOptions", "idleTimeoutSeconds"))
    own = _whole(report, (*group, "idleTimeoutSeconds"))
    selector = report.get((*group, "template", "spec", "nodeSelector"))
    return NodeType(
        name=name,
        place=group,
        machine=name,
        cpus=float(started) if str(started).isdecimal() else cpus or 0.0,
        gpus=gpus,
        low=_count(report, (*group, "minReplicas"), 0),
        high=0 if is_head else _count(report, (*group, "maxReplicas"), 0),
        market=_market(selector),
        priority=_count(report, (*group, "priority"), 0),
        idle_s=own if own is not None else common,
    )


def _market(selector: Any) -> Market:  # noqa: ANN401  # what a user wrote
    labels = selector if isinstance(selector, dict) else {}
    is_spot = any(str(labels.get(name)).lower() == value.lower() for name, value in _SPOT.items())
    return "spot" if is_spot else "on demand"


def _count(report: Report, place: Place, default: int) -> int:
    value = _whole(report, place)
    return default if value is None else value


def _whole(report: Report, place: Place) -> int | None:
    value = report.get(place)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        found: int | None = value
        return found
    report.add(place, f"must be a whole number, got {shown(value)}")
    return None


def _amount(report: Report, resources: Place, name: str) -> float | None:
    """What a pod is given of something: its limit, else its request."""
    for part in ("limits", "requests"):
        value = report.get((*resources, part, name))
        if value is not None:
            text = str(value)
            number = text.removesuffix("m")
            if number.replace(".", "", 1).isdecimal():
                return float(number) / (_MILLI if text.endswith("m") else 1)
            report.add((*resources, part, name), f"must be a number of {name}, got {shown(value)}")
    return None


def _images(report: Report, group: Place) -> Iterator[Written]:
    for place in containers(report, group):
        image = report.get((*place, "image"))
        if isinstance(image, str):
            yield Written((*place, "image"), image)
        else:
            report.add(place, "names no image")


def _variables(report: Report, group: Place) -> dict[str, Written]:
    found = {}
    for place in containers(report, group)[:1]:
        for at, each in entries(report, (*place, "env")):
            if isinstance(each.get("value"), str):
                found[str(each.get("name"))] = Written(at, each["value"])
    return found


def _commands(report: Report, group: Place) -> Iterator[Written]:
    for place in containers(report, group):
        for name in ("command", "args"):
            given = report.get((*place, name))
            if isinstance(given, list):
                yield Written((*place, name), " ".join(map(str, given)))


def _outliving(report: Report, group: Place) -> Iterator[str]:
    """Folders of a pod's first container whose volumes outlive the pod."""
    volumes = {
        str(each.get("name")): each
        for _, each in entries(report, (*group, "template", "spec", "volumes"))
    }
    for place in containers(report, group)[:1]:
        for _, mount in entries(report, (*place, "volumeMounts")):
            volume = volumes.get(str(mount.get("name")), {})
            csi = volume.get("csi")
            is_bucket = isinstance(csi, dict) and csi.get("driver") in _BUCKETS
            if any(name in volume for name in _OUTLIVE) and not is_bucket:
                yield str(mount.get("mountPath"))
