"""Checks of the EKS cluster and of the role that the functions assume, as AWS describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import yaml

from infra.doctor.finding import Finding, check, failed, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.doctor.target import Aws, Target

GROUP, USERNAME = "researcher-api", "researcher-api:{{SessionName}}"
ACCESS = "Deploy infra/cluster-access.yaml again, as in docs/operate/deploy.md, step 2."
MODE = "aws eks update-cluster-config --name {} --access-config authenticationMode=API_AND_CONFIG_MAP"
NODES = "Use a launch template with HttpTokens=required and HttpPutResponseHopLimit=1 (docs/operate/network.md)."


def cluster(target: Target) -> Iterator[Finding]:
    """Check that the cluster exists, is active, uses access entries, and has the endpoint of the parameters."""
    described = target.aws.cluster
    status, name = described["status"], described["name"]
    problems = [] if status in {"ACTIVE", "UPDATING"} else [f"The cluster is {status}"]
    yield check("cluster-status", status, problems, "Wait until the cluster is ACTIVE.")
    mode = described.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP")
    problems = [f"The authentication mode is {mode}, which ignores access entries"] if mode == "CONFIG_MAP" else []
    yield check("authentication-mode", mode, problems, MODE.format(name))
    endpoint = target.aws.parameters["ClusterEndpoint"].rstrip("/")
    same = endpoint.lower() == described["endpoint"].rstrip("/").lower()
    problems = [] if same else [f"ClusterEndpoint is {endpoint}, and that of {name} is {described['endpoint']}"]
    yield check("cluster-endpoint", endpoint, problems, "Correct the parameter ClusterEndpoint, and deploy again.")
    yield _network(described["resourcesVpcConfig"], in_vpc=bool(target.aws.parameters.get("SubnetIds")))


def _network(vpc: dict[str, Any], *, in_vpc: bool) -> Finding:
    public, everywhere = vpc.get("endpointPublicAccess", True), "0.0.0.0/0" in vpc.get("publicAccessCidrs", [])
    if in_vpc or (public and everywhere):
        return ok("cluster-network", "functions in the VPC" if in_vpc else "public endpoint")
    limited = "is open to some addresses only, and functions outside a VPC have no fixed address"
    found = f"The cluster's public endpoint {limited}." if public else "The cluster's endpoint is private."
    return failed("cluster-network", found, "Set SubnetIds and SecurityGroupIds (docs/operate/network.md).")


def access_entry(target: Target) -> Iterator[Finding]:
    """Check that the role has an access entry with our group and user name, and with no access policy."""
    where = {"clusterName": target.aws.cluster["name"], "principalArn": target.aws.parameters["ClusterRoleArn"]}
    if where["principalArn"] not in target.aws.pages(
        "eks", "list_access_entries", "accessEntries", clusterName=where["clusterName"]
    ):
        yield failed("access-entry", f"The cluster has no access entry for {where['principalArn']}.", ACCESS)
        return
    entry = target.aws.call("eks", "describe_access_entry", **where)["accessEntry"]
    problems = []
    if entry.get("kubernetesGroups") != [GROUP]:
        problems.append(f"Its groups are {entry.get('kubernetesGroups')} and must be {GROUP} alone")
    if entry.get("username") != USERNAME:
        problems.append(f"Its user name is {entry.get('username')} and must be {USERNAME}")
    policies = target.aws.pages("eks", "list_associated_access_policies", "associatedAccessPolicies", **where)
    if policies:
        problems.append("It has access policies, which give the API rights of its own")
    yield check("access-entry", GROUP, problems, ACCESS)


def cluster_role(target: Target) -> Iterator[Finding]:
    """Check that the role requires the ExternalId that the functions send. Neither value is shown."""
    name = target.aws.parameters["ClusterRoleArn"].rpartition("/")[2]
    document = target.aws.call("iam", "get_role", RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    policy = yaml.safe_load(unquote(document)) if isinstance(document, str) else document
    allowed = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
    unconditional = [
        each for each in allowed if "sts:ExternalId" not in each.get("Condition", {}).get("StringEquals", {})
    ]
    problems = ["Its trust policy does not require an ExternalId"] if unconditional else []
    yield check("cluster-role", "requires the ExternalId", problems, ACCESS)


def nodes(target: Target) -> Iterator[Finding]:
    """Check that pods cannot reach the credentials of their node, and network policies are enforced."""
    aws, name = target.aws, target.aws.cluster["name"]
    groups = aws.pages("eks", "list_nodegroups", "nodegroups", clusterName=name)
    open_groups = [each for each in groups if not _limits_metadata(aws, name, each)]
    problems = [f"Pods on the node group {each} can get the credentials of their node" for each in open_groups]
    yield check("node-metadata", f"{len(groups)} node groups", problems, NODES)
    enforced = "vpc-cni" in aws.pages("eks", "list_addons", "addons", clusterName=name) and _enforces_policies(
        aws, name
    )
    hint = "Whether network policies are enforced cannot be seen; turn on enableNetworkPolicy of the vpc-cni add-on."
    yield ok("network-policy", "enforced by vpc-cni") if enforced else Finding("network-policy", "hint", hint)


def _limits_metadata(aws: Aws, cluster_name: str, group: str) -> bool:
    described = aws.call("eks", "describe_nodegroup", clusterName=cluster_name, nodegroupName=group)["nodegroup"]
    template = described.get("launchTemplate")
    if not template:
        return False
    versions = aws.call(
        "ec2", "describe_launch_template_versions",
        LaunchTemplateId=template["id"], Versions=[str(template.get("version", "$Default"))],
    )["LaunchTemplateVersions"]  # fmt: skip
    options = versions[0]["LaunchTemplateData"].get("MetadataOptions", {})
    tokens, hops = options.get("HttpTokens"), options.get("HttpPutResponseHopLimit")
    return options.get("HttpEndpoint") == "disabled" or (tokens, hops) == ("required", 1)


def _enforces_policies(aws: Aws, cluster_name: str) -> bool:
    addon = aws.call("eks", "describe_addon", clusterName=cluster_name, addonName="vpc-cni")["addon"]
    configured = yaml.safe_load(addon.get("configurationValues") or "{}") or {}
    return str(configured.get("enableNetworkPolicy", "")).lower() == "true"
