"""The permissions of the API itself under the manifests for platform engineers, as an API server decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.permissions import (
    NAMESPACE,
    OTHER_SUBMITTERS,
    REVIEWS,
    SUBMITTERS,
    UPLOADS,
    VIEWERS,
    Permission,
    is_allowed,
    permission_cases,
)

if TYPE_CHECKING:
    from tests.cluster.json_client import JsonClient


class TestOwnIdentity:
    """The API without a caller."""

    @pytest.mark.parametrize(
        "permission",
        permission_cases(
            "list namespaces",
            "get namespaces",
            "impersonate users/researcher:api",
            "impersonate users/researcher:preflight",
            "impersonate groups/researcher:janitor",
            f"impersonate groups/researcher:{SUBMITTERS}",
            f"impersonate groups/researcher:{VIEWERS}",
            f"impersonate groups/researcher:{UPLOADS}",
            f"impersonate groups/researcher:{OTHER_SUBMITTERS}",
            "impersonate userextras.authentication.k8s.io:subject/researcher:alice",
            "create selfsubjectaccessreviews.authorization.k8s.io",
            "create selfsubjectrulesreviews.authorization.k8s.io",
            "create selfsubjectreviews.authentication.k8s.io",
        ),
    )
    def test_required_permissions(self, own_identity: JsonClient, permission: Permission) -> None:
        """The API may list Projects and impersonate the identities in the manifests."""
        assert is_allowed(own_identity, permission)

    @pytest.mark.parametrize(
        "permission",
        permission_cases(
            *(
                f"{verb} jobs.batch @ {NAMESPACE}"
                for verb in ("create", "get", "list", "watch", "patch", "update", "delete", "deletecollection")
            ),
            "list jobs.batch",
            f"list pods @ {NAMESPACE}",
            f"get pods:log @ {NAMESPACE}",
            f"create pods @ {NAMESPACE}",
            f"create pods:exec @ {NAMESPACE}",
            f"get secrets @ {NAMESPACE}",
            "list secrets",
            "get secrets @ kube-system",
            "list pods @ kube-system",
            "watch namespaces",
            "create namespaces",
            "patch namespaces",
            "delete namespaces",
            f"create rolebindings.rbac.authorization.k8s.io @ {NAMESPACE}",
            "create clusterrolebindings.rbac.authorization.k8s.io",
            "bind clusterroles.rbac.authorization.k8s.io/cluster-admin",
            "escalate clusterroles.rbac.authorization.k8s.io/researcher-api",
            "create subjectaccessreviews.authorization.k8s.io",
            "create tokenreviews.authentication.k8s.io",
            f"create serviceaccounts:token @ {NAMESPACE}",
            "get nodes:proxy",
        ),
    )
    def test_no_other_permissions(self, own_identity: JsonClient, permission: Permission) -> None:
        """A request without impersonation headers is rejected."""
        assert not is_allowed(own_identity, permission)

    @pytest.mark.parametrize(
        "permission",
        permission_cases(
            "impersonate users",
            "impersonate users/researcher:alice",
            "impersonate users/admin",
            "impersonate users/system:admin",
            "impersonate groups",
            "impersonate groups/system:masters",
            "impersonate groups/system:authenticated",
            "impersonate groups/researcher-api",
            "impersonate groups/researcher:anonymous",
            "impersonate groups/researcher:s3-other-uploads",
            "impersonate groups/researcher:rbac-unlisted",
            "impersonate serviceaccounts @ kube-system",
            "impersonate uids.authentication.k8s.io",
            "impersonate userextras.authentication.k8s.io:scopes",
            "impersonate:user-info users.authentication.k8s.io/researcher:api",
            f"impersonate-on:user-info:list jobs.batch @ {NAMESPACE}",
        ),
    )
    def test_cannot_impersonate_other_identities(self, own_identity: JsonClient, permission: Permission) -> None:
        """The API cannot impersonate identities that the manifests do not list, nor with constrained impersonation."""
        assert not is_allowed(own_identity, permission)

    @pytest.mark.parametrize("impersonated", [None, "researcher:api"])
    def test_identity_review_has_user_and_groups(self, own_identity: JsonClient, impersonated: str | None) -> None:
        """Everybody may ask who they are, also an impersonated user."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        headers = [("Impersonate-User", impersonated)] if impersonated else []

        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        info = own_identity.request("POST", path, review, headers)["status"]["userInfo"]

        assert "system:authenticated" in info["groups"]
        assert ("researcher-api" in info["groups"]) is (impersonated is None)
        assert impersonated is None or info["username"] == impersonated

    def test_rules_review_lists_the_groups(self, own_identity: JsonClient) -> None:
        """A rules review lists the groups that the API may impersonate; the API sends no others."""
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "x"}}

        response = own_identity.create(f"{REVIEWS}/selfsubjectrulesreviews", review)

        rules = [rule for rule in response["status"]["resourceRules"] if "groups" in rule["resources"]]
        assert all(rule["resourceNames"] for rule in rules)
        assert {f"researcher:{group}" for group in ("janitor", SUBMITTERS, VIEWERS, UPLOADS, OTHER_SUBMITTERS)} <= {
            name for rule in rules for name in rule["resourceNames"]
        }
