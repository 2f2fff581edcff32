"""The RBAC objects of a Project: the roles of its users, and the groups that the API may impersonate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.impersonation import PREFLIGHT_USER
from chalicelib.domain.caller import PREFIX
from chalicelib.domain.names import namespace_of
from infra.kubernetes.commented_manifest import CommentedManifest, with_comment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.names import ProjectName
    from infra.kubernetes.commented_manifest import Manifest

API_GROUP = "researcher-api"
"""The Kubernetes group in the EKS access entry of the API's role."""
RBAC = "rbac.authorization.k8s.io"


def access(project: ProjectName, submitters: Sequence[str], viewers: Sequence[str]) -> list[CommentedManifest]:
    """Return the RBAC objects that give *submitters* and *viewers*, named as in tokens, access to *project*."""
    namespace = namespace_of(project)
    return [
        _role_binding("The groups whose members may submit Jobs.", namespace, "researcher-submitter", submitters),
        _role_binding(
            "The groups whose members may view Jobs. It exists even without viewers, so that apply removes old ones.",
            namespace,
            "researcher-viewer",
            viewers,
        ),
        _role_binding(
            "The scheduled cleanup and announcement of finished Jobs.",
            namespace,
            "researcher-janitor",
            ["janitor"],
        ),
        with_comment(
            "The preflight, which creates pods in dry runs; an admission policy rejects anything else.",
            f"{RBAC}/v1/RoleBinding",
            {"name": "researcher-preflight", "namespace": namespace},
            roleRef=_cluster_role("researcher-preflight"),
            subjects=[{"apiGroup": RBAC, "kind": "User", "name": PREFLIGHT_USER}],
        ),
        *_impersonation(project, sorted({*submitters, *viewers})),
    ]


def _role_binding(comment: str, namespace: str, role: str, groups: Sequence[str]) -> CommentedManifest:
    return with_comment(
        comment,
        f"{RBAC}/v1/RoleBinding",
        {"name": role, "namespace": namespace},
        roleRef=_cluster_role(role),
        # Omitted if empty: the cluster drops an empty list, so each apply would report a change.
        **({"subjects": [_group(PREFIX + group) for group in groups]} if groups else {}),
    )


def _impersonation(project: ProjectName, groups: Sequence[str]) -> list[CommentedManifest]:
    if not groups:
        # A rule without resourceNames would allow every group, including system:masters.
        raise ValueError("A Project needs at least one group: name a submitter or a viewer.")
    name = f"{API_GROUP}-groups-{project}"
    rule = {
        "apiGroups": [""],
        "resources": ["groups"],
        "resourceNames": [PREFIX + group for group in groups],
        "verbs": ["impersonate"],
    }
    return [
        with_comment(
            "The groups that the API may impersonate for this Project.",
            f"{RBAC}/v1/ClusterRole",
            {"name": name},
            rules=[rule],
        ),
        with_comment(
            "Grants the impersonation to the group of the API, which is in its EKS access entry.",
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
