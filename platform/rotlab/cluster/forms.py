"""The keys that files may have: Ray's own schema for `ray up`, a list of fields for KubeRay.

Ray's schema is that of the installed Ray. KubeRay's is a megabyte, and comes with no package: the
names of its own fields are checked, as of KubeRay 1.7, and within pods only what our rules read.
"""

import importlib.util
import json
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place
from rotnet.errors import UserError

_CLUSTER = [
    "authOptions",
    "autoscalerOptions",
    "enableInTreeAutoscaling",
    "gcsFaultToleranceOptions",
    "headGroupSpec",
    "headServiceAnnotations",
    "historyServerOptions",
    "managedBy",
    "networkPolicy",
    "rayVersion",
    "suspend",
    "tlsOptions",
    "upgradeStrategy",
    "workerGroupSpecs",
]
_JOB = [
    "activeDeadlineSeconds",
    "backoffLimit",
    "clusterSelector",
    "deletionStrategy",
    "entrypoint",
    "entrypointNumCpus",
    "entrypointNumGpus",
    "entrypointResources",
    "jobId",
    "managedBy",
    "metadata",
    "preRunningDeadlineSeconds",
    "rayClusterSpec",
    "runtimeEnvYAML",
    "shutdownAfterJobFinishes",
    "submissionMode",
    "submitterConfig",
    "submitterPodTemplate",
    "suspend",
    "ttlSecondsAfterFinished",
]
_HEAD = [
    "enableIngress",
    "headService",
    "ingressOptions",
    "labels",
    "rayStartParams",
    "resources",
    "serviceType",
    "template",
]
_WORKER = [
    "groupName",
    "idleTimeoutSeconds",
    "labels",
    "maxReplicas",
    "minReplicas",
    "numOfHosts",
    "priority",
    "rayStartParams",
    "replicas",
    "resources",
    "scaleStrategy",
    "suspend",
    "template",
]
_AUTOSCALER = [
    "args",
    "command",
    "env",
    "envFrom",
    "idleTimeoutSeconds",
    "image",
    "imagePullPolicy",
    "resources",
    "securityContext",
    "upscalingMode",
    "version",
    "volumeMounts",
]
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
}


def check_ray_schema(report: Report) -> bool:
    """Note all that the installed Ray's schema refuses in a file for `ray up`.

    Returns:
        Whether what is there has the right shape, be there more than Ray knows.

    Raises:
        UserError: if Ray is not installed.
    """
    errors = list(_ray_validator().iter_errors(report.source.values))
    for error in errors:
        _note(report, error)
    return all(error.validator == "additionalProperties" for error in errors)


def check_kuberay_fields(report: Report, kind: str, cluster: Place) -> bool:
    """Note fields that KubeRay does not know, and what it cannot do without.

    Returns:
        Whether all is there that a cluster needs.

    Args:
        report: of the file.
        kind: RayCluster or RayJob.
        cluster: where the cluster is described.
    """
    report.mapping((), ("apiVersion", "kind", "metadata", "spec"), "field")
    version = report.get(("apiVersion",))
    if version != "ray.io/v1":
        report.add(("apiVersion",), f"must be ray.io/v1, got {shown(version)}")
    if kind == "RayJob":
        report.mapping(("spec",), _JOB, "field of a RayJob")
        report.text(("spec", "entrypoint"))
    report.mapping(cluster, _CLUSTER, "field of a RayCluster")
    report.mapping((*cluster, "autoscalerOptions"), _AUTOSCALER, "field of autoscalerOptions")
    needed = ("groupName", "minReplicas", "maxReplicas", "template")
    is_whole = _has(report, (*cluster, "headGroupSpec"), _HEAD, ("template",))
    each = [_has(report, place, _WORKER, needed) for place in groups(report, cluster)]
    return is_whole and all(each)


def groups(report: Report, cluster: Place) -> list[Place]:
    """Return the places of the worker groups."""
    given = report.get((*cluster, "workerGroupSpecs"))
    number = len(given) if isinstance(given, list) else 0
    return [(*cluster, "workerGroupSpecs", index) for index in range(number)]


def _has(report: Report, place: Place, known: Collection[str], needed: Collection[str]) -> bool:
    given = report.mapping(place, known, "field of a group")
    lacking = [name for name in needed if given.get(name) is None]
    if lacking:
        report.add(place, f"needs {', '.join(lacking)}")
    return not lacking


@cache
def _ray_validator() -> Draft7Validator:
    found = importlib.util.find_spec("ray")
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise UserError("the schema of cluster files comes with Ray: install rotlab[platform]")
    path = Path(next(iter(folders))) / "autoscaler" / "ray-schema.json"
    return Draft7Validator(json.loads(path.read_text(encoding="utf-8")))


def _note(report: Report, error: ValidationError) -> None:
    place = tuple(error.absolute_path)
    value: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            for name in value:
                if name not in known:
                    report.add(
                        (*place, name), f"{unknown('key', name, known)}; so says Ray's schema"
                    )
        case "required":
            lacking = [name for name in error.validator_value if name not in value]
            report.add(place, f"needs {', '.join(lacking)}")
        case "type":
            wanted = _TYPES.get(str(error.validator_value), str(error.validator_value))
            report.add(place, f"must be {wanted}, got {shown(value)}")
        case "minimum":
            report.add(place, f"must be at least {error.validator_value}, got {shown(value)}")
        case _:
            report.add(place, f"Ray's schema refuses it: {error.message.partition(chr(10))[0]}")
