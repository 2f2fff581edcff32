"""Checks that the function self_check makes, since only the functions can reach what they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.doctor.finding import Finding
from infra.doctor.manifest_checks import BASE, PROJECT
from infra.doctor.target import SELF_CHECK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.doctor.target import Document, Target

NETWORK = "docs/operate/network.md has what the functions must reach."


class About(NamedTuple):
    """How to present one check of the function."""

    name: str
    good: str
    bad: str
    fix: str


ABOUT = {
    "issuer": About(
        "token-issuer",
        "keys fetched",
        "The functions cannot fetch the keys of each token issuer",
        f"Check tokenIssuers in the configuration. {NETWORK}",
    ),
    "role": About(
        "assume-role",
        "assumed",
        "The functions cannot assume the cluster's role",
        "Compare ClusterRoleArn and ClusterExternalId with the stack of infra/cluster-access.yaml.",
    ),
    "cluster": About("cluster-connection", "reached", "The functions cannot use the cluster", NETWORK),
    "access_entry": About(
        "access-entry-groups",
        "in the group",
        "The functions are not in the group of the access entry",
        "Deploy infra/cluster-access.yaml again.",
    ),
    "own_rights": About(
        "own-rights",
        "refused without impersonation",
        "The API has rights of its own: the cluster lists Jobs without impersonation",
        "Remove access policies and bindings that give rights to the API's role or to the group researcher-api.",
    ),
    "impersonation": About(
        "impersonation", "allowed", "The API may not impersonate", f"{BASE}, or for a Project's group: {PROJECT}"
    ),
}
FIXES = {
    "tls_verification_unknown_authority": (
        "clusterAuthorities must have the authority that describe-cluster returns: correct it, and deploy again."
    ),
    "status_401": (
        "The cluster refuses the functions' token. Compare ClusterName, and create the access entry again: a role that "
        "was deleted and created again needs a new one."
    ),
    "status_404": "ClusterEndpoint is not the endpoint of an EKS cluster: correct it, and deploy again.",
    "name_resolution": "The endpoint has no address: correct ClusterEndpoint, or use the VPC's DNS.",
    "connect_timeout": f"The endpoint is private, or a security group blocks the functions. {NETWORK}",
}
"""Fixes for reasons of the request log, which are more specific than that of the check."""


def functions(target: Target) -> Iterator[Finding]:
    """Invoke self_check with the groups of the Projects, and present its checks."""
    groups = sorted({group for found in target.project_groups.values() for group in found})
    for each in target.aws.invoke(target.aws.output(SELF_CHECK), {"groups": groups}):
        yield _finding(each)


def _finding(check: Document) -> Finding:
    about, why = ABOUT[check["name"]], check.get("why")
    if check["outcome"] == "ok":
        return Finding(about.name, "ok", about.good)
    if check["outcome"] == "skipped":
        return Finding(about.name, "unknown", "Not checked, because a check above failed.")
    details = why or ", ".join(check.get("missing") or [])
    fix = FIXES.get(details, about.fix) if check["name"] == "cluster" else about.fix
    return Finding(about.name, "failed", f"{about.bad}: {details}.", fix)
