"""What a cluster is made of: pinned, and with no more rights than it needs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.rotlab.cluster.broken import RAY_CLUSTER, RAY_JOB

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "platform" / "deploy"
UNLIMITED = {"ec2:Describe", "ecr:GetAuthorizationToken"}  # AWS knows no resource for these


def pins(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    found = [re.fullmatch(r"([\w.-]+)==([^;\s]+)( ;.*)?", line) for line in lines]
    assert all(found), path
    return {re.sub(r"[._]", "-", one[1].lower()): one[2] for one in found if one}


def statements() -> Iterator[dict[str, Any]]:
    template = YAML(typ="safe").load(DEPLOY / "aws" / "account.yaml")
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        documents = [each["PolicyDocument"] for each in properties.get("Policies", ())]
        documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        for document in documents:
            yield from document["Statement"]


def test_what_the_image_adds_does_not_contradict_the_lock() -> None:
    locked, added = pins(ROOT / "requirements.lock"), pins(DEPLOY / "requirements.txt")
    assert {name for name in added if name in locked} == set()
    assert locked["s3fs"] == locked["fsspec"]


@pytest.mark.parametrize("file", [RAY_CLUSTER, RAY_JOB])
def test_kubernetes_is_told_the_ray_that_the_image_has(file: str) -> None:
    said = re.search(r'rayVersion: "([\d.]+)"', (ROOT / file).read_text())
    assert said is not None
    assert said[1] == pins(ROOT / "requirements.lock")["ray"]


def test_a_role_may_do_only_what_is_named_to_what_is_named() -> None:
    found = list(statements())
    assert len(found) > 8
    for statement in found:
        given = statement["Action"]
        actions = [given] if isinstance(given, str) else given
        assert not any("*" in action for action in actions), statement
        if statement["Resource"] == "*":
            assert all(action.startswith(tuple(UNLIMITED)) for action in actions), statement


def test_nodes_are_started_and_ended_by_their_clusters_tag_only() -> None:
    tag = {"Ref": "ClusterName"}
    conditions = {s["Sid"]: s.get("Condition") for s in statements() if "Sid" in s}
    assert conditions["StartNodesOfThisCluster"] == {
        "StringEquals": {"aws:RequestTag/ray-cluster-name": tag}
    }
    assert conditions["TagAndEndThem"] == {
        "StringEquals": {"aws:ResourceTag/ray-cluster-name": tag}
    }


def test_the_security_group_lets_in_itself_alone() -> None:
    resources = YAML(typ="safe").load(DEPLOY / "aws" / "account.yaml")["Resources"]
    assert "SecurityGroupIngress" not in resources["Closed"]["Properties"]
    (rule,) = (
        one["Properties"]
        for one in resources.values()
        if one["Type"] == "AWS::EC2::SecurityGroupIngress"
    )
    assert rule["SourceSecurityGroupId"] == {"Ref": "Closed"}
    assert "CidrIp" not in rule
