"""Who may do what in a Project, and as whom the API may ask there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.impersonation import PREFLIGHT_USER
from chalicelib.domain.caller import PREFIX
from chalicelib.domain.names import namespace_of
from infra.kubernetes.commented_manifest import CommentedManifest, commented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.names import ProjectName
    from infra.kubernetes.commented_manifest import Manifest

API_GROUP = "researcher-api"
"""The Kubernetes group that the EKS access entry gives to the API's role."""
RBAC = "rbac.authorization.k8s.io"


def access(project: ProjectName, submitters: Sequence[str], viewers: Sequence[str]) -> list[CommentedManifest]:
    """The rights of *submitters* and *viewers*, named as tokens name groups, to *project*."""
    namespace = namespace_of(project)
    return [
        _role_binding("Who may submit.", namespace, "researcher-submitter", submitters),
        _role_binding(
            "Who may look. It stays when nobody may, so that applying it again takes the right away.",
            namespace,
            "researcher-viewer",
            viewers,
        ),
        _role_binding(
            "The scheduled cleanup of finished Jobs, and their announcement.",
            namespace,
            "researcher-janitor",
            ["janitor"],
        ),
        commented(
            "Asks in dry runs whether a Job's pods would be made; a policy lets it make none.",
            f"{RBAC}/v1/RoleBinding",
            {"name": "researcher-preflight", "namespace": namespace},
            roleRef=_cluster_role("researcher-preflight"),
            subjects=[{"apiGroup": RBAC, "kind": "User", "name": PREFLIGHT_USER}],
        ),
        *_impersonation(project, sorted({*submitters, *viewers})),
    ]


def _role_binding(why: str, namespace: str, role: str, groups: Sequence[str]) -> CommentedManifest:
    return commented(
        why,
        f"{RBAC}/v1/RoleBinding",
        {"name": role, "namespace": namespace},
        roleRef=_cluster_role(role),
        # Not an empty list: the cluster keeps none, and each application would change it again.
        **({"subjects": [_group(PREFIX + group) for group in groups]} if groups else {}),
    )


def _impersonation(project: ProjectName, groups: Sequence[str]) -> list[CommentedManifest]:
    if not groups:
        # A rule without resourceNames allows every group there is, system:masters too.
        raise ValueError("A Project needs a group: name at least one submitter or viewer.")
    name = f"{API_GROUP}-groups-{project}"
    rule = {
        "apiGroups": [""],
        "resources": ["groups"],
        "resourceNames": [PREFIX + group for group in groups],
        "verbs": ["impersonate"],
    }
    return [
        commented("The API may ask as these groups.", f"{RBAC}/v1/ClusterRole", {"name": name}, rules=[rule]),
        commented(
            "The API, as the group that the EKS access entry gives to it.",
            f"{RBAC}/v1/ClusterRoleBinding",
            {"name": name},
            roleRef=_cluster_role(name),
            subjects=[_group(API_GROUP)],
        ),
    ]


def _cluster_role(name: str) -> Manifest:
    return {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}


def _group(name: str) -> Manifest:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}
