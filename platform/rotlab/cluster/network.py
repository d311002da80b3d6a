"""Rules on who can reach a cluster: nobody from outside, and nobody without the token."""

from rotlab.cluster.kuberay import containers, entries
from rotlab.cluster.launcher import lines, variables
from rotlab.cluster.layout import Layout, NodeType
from rotlab.cluster.shell import calls, option, options, words
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place

_LOCAL = ("127.0.0.1", "localhost", "::1")
_EVERYBODY = ("0.0.0.0/0", "::/0")
_PUBLIC_SERVICES = ("LoadBalancer", "NodePort")
_FIRST_WITH_TOKENS = (2, 52)
_ANYTHING = "whoever reaches a port of Ray's could run anything"
_TUNNEL = "reach it through a tunnel (`ray dashboard`, `kubectl port-forward`)"
_TOKEN_FILE = ".ray/auth_token"  # noqa: S105  # where it lies, not what it is


def check_network(report: Report, layout: Layout) -> None:
    """Note ports that are open to more than the cluster, and nodes without the token."""
    _check_listeners(report, layout)
    if layout.form == "kuberay":
        _check_services(report, layout.top)
        for node in (layout.head, *layout.workers):
            _check_pods(report, node)
        _check_kuberay_token(report, layout)
        return
    for node in (layout.head, *layout.workers):
        if layout.form == "aws":
            _check_security_group(report, node)
        else:
            _check_inside(report, node)
    _check_rules(report)
    _check_published(report)
    _check_token(report, layout)


def _check_listeners(report: Report, layout: Layout) -> None:
    """What the head starts must listen on its own address alone."""
    if layout.form != "kuberay" and not report.has(("head_start_ray_commands",)):
        report.add(
            (),
            "head_start_ray_commands is missing: Ray's own would have the dashboard listen on all "
            "addresses (--dashboard-host=0.0.0.0); write them, with --dashboard-host=127.0.0.1",
        )
    for command in layout.commands:
        for program, names in (
            ("ray start", ("--dashboard-host",)),
            ("mlflow server", ("--host", "-h")),
            ("mlflow ui", ("--host", "-h")),
        ):
            for given in calls(command.text, *program.split()):
                host = option(given, *names)
                if host is not None and host not in _LOCAL:
                    report.add(
                        command.place,
                        f"{program} listens on {host}, not only on the head itself; give "
                        f"{names[0]}=127.0.0.1, and {_TUNNEL}",
                    )


def _check_security_group(report: Report, node: NodeType) -> None:
    config = (*node.place, "node_config")
    if report.get((*config, "SecurityGroupIds")):
        return
    interfaces = report.get((*config, "NetworkInterfaces"))
    if isinstance(interfaces, list) and all(
        isinstance(i, dict) and i.get("Groups") for i in interfaces
    ):
        return
    report.add(
        config,
        "names no SecurityGroupIds, so Ray makes a group that lets every address (0.0.0.0/0) reach "
        "port 22; name one that lets in only itself, as platform/deploy/aws/account.yaml makes",
    )


def _check_inside(report: Report, node: NodeType) -> None:
    place = (*node.place, "node_config", "networkInterfaces")
    given = report.get(place)
    interfaces = given if isinstance(given, list) else []
    if not interfaces or any(
        isinstance(each, dict) and each.get("accessConfigs") for each in interfaces
    ):
        report.add(
            place,
            f"gives {node.name} a public address; name a subnetwork in networkInterfaces, without "
            "accessConfigs" + ("" if interfaces else ", for Ray adds them where none is named"),
        )


def _check_rules(report: Report) -> None:
    place = ("provider", "security_group", "IpPermissions")
    for at, rule in entries(report, place):
        ranges = [*entries(report, (*at, "IpRanges")), *entries(report, (*at, "Ipv6Ranges"))]
        for _, each in ranges:
            if each.get("CidrIp", each.get("CidrIpv6")) in _EVERYBODY:
                report.add(
                    at,
                    f"opens port {shown(rule.get('FromPort', 'all'))} to every address; take the "
                    f"rule out, and {_TUNNEL}",
                )
    if (
        report.get(("provider", "type")) == "gcp"
        and report.get(("provider", "use_internal_ips")) is not True
    ):
        report.add(
            ("provider", "use_internal_ips"),
            "must be true: nodes are to be reached by their internal addresses only",
        )


def _check_published(report: Report) -> None:
    for name in ("run_options", "head_run_options", "worker_run_options"):
        for line in lines(report, ("docker", name)):
            given = words(line.text)
            ports = options(given, "-p", "--publish")
            if (
                "-P" in given
                or "--publish-all" in given
                or any(not p.startswith(_LOCAL) for p in ports)
            ):
                report.add(
                    line.place,
                    f"publishes {', '.join(ports) or 'every port'} on all addresses; take it out, "
                    f"and {_TUNNEL}",
                )


def _check_token(report: Report, layout: Layout) -> None:
    for own, whose in (("head_run_options", "head's"), ("worker_run_options", "workers'")):
        mode = variables(report, ("run_options", own)).get("RAY_AUTH_MODE")
        if mode is None or mode.text != "token":
            said = mode.text if mode else f"not set in the {whose} containers"
            report.add(
                mode.place if mode else ("docker",),
                f"RAY_AUTH_MODE is {said}: {_ANYTHING}; add `--env RAY_AUTH_MODE=token` to "
                "run_options",
            )
    given = report.get(("file_mounts",))
    mounted = list(given) if isinstance(given, dict) else []
    path = layout.variables.get("RAY_AUTH_TOKEN_PATH")
    is_there = path.text in mounted if path else any(one.endswith(_TOKEN_FILE) for one in mounted)
    if not is_there:
        report.add(
            ("file_mounts",),
            f"hands no node the token: mount ~/{_TOKEN_FILE}, made by "
            f"`ray get-auth-token --generate`, as /home/USER/{_TOKEN_FILE}",
        )


def _check_services(report: Report, cluster: Place) -> None:
    head = (*cluster, "headGroupSpec")
    for place in ((*head, "serviceType"), (*head, "headService", "spec", "type")):
        if report.get(place) in _PUBLIC_SERVICES:
            report.add(
                place,
                f"{report.get(place)} opens the head's ports to more than the cluster; use "
                f"ClusterIP, and {_TUNNEL}",
            )
    if report.get((*head, "enableIngress")) is True:
        report.add((*head, "enableIngress"), f"opens the dashboard; leave it out, and {_TUNNEL}")
    if not isinstance(report.get((*cluster, "networkPolicy")), dict):
        report.add(
            (*cluster, "networkPolicy"),
            "is missing: every pod of the Kubernetes cluster could reach Ray's ports; give "
            "{mode: DenyAllIngress}",
        )


def _check_pods(report: Report, node: NodeType) -> None:
    pod = (*node.place, "template", "spec")
    if report.get((*pod, "hostNetwork")) is True:
        report.add(
            (*pod, "hostNetwork"),
            "puts every port of Ray's on the machine's own address; leave it out",
        )
    for container in containers(report, node.place):
        for at, port in entries(report, (*container, "ports")):
            if "hostPort" in port:
                report.add(
                    at,
                    f"hostPort {port['hostPort']} opens the machine's own address; leave it out, "
                    f"and {_TUNNEL}",
                )


def _check_kuberay_token(report: Report, layout: Layout) -> None:
    place = (*layout.top, "authOptions")
    given = report.get(place)
    if isinstance(given, dict):
        if given.get("mode", "token") != "token":
            report.add(
                (*place, "mode"),
                f"must be token, got {shown(given['mode'])}: {_ANYTHING}",
            )
        _check_version(report, layout)
        return
    for node in (layout.head, *layout.workers):
        for container in containers(report, node.place)[:1]:
            variables = entries(report, (*container, "env"))
            names = {str(each.get("name")): each for _, each in variables}
            mode = names.get("RAY_AUTH_MODE", {}).get("value")
            if mode != "token" or "secretKeyRef" not in str(
                names.get("RAY_AUTH_TOKEN", {}).get("valueFrom")
            ):
                report.add(
                    container,
                    f"{node.name} has no token: {_ANYTHING}; give the cluster "
                    "authOptions: {mode: token}",
                )


def _check_version(report: Report, layout: Layout) -> None:
    place = (*layout.top, "rayVersion")
    said = str(report.get(place) or "")
    numbers = tuple(int(part) for part in said.split(".")[:2] if part.isdecimal())
    if numbers < _FIRST_WITH_TOKENS:
        report.add(
            place, f"must be 2.52 or later, which know tokens, got {shown(report.get(place))}"
        )
