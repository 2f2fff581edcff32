"""What the API itself can do under the manifests that platform engineers apply, by a real API server's own verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.rights import OTHER_SUBMITTERS, OURS, REVIEWS, SUBMITTERS, UPLOADS, VIEWERS, Ask, may, rows

if TYPE_CHECKING:
    from tests.cluster.json_client import JsonClient


class TestOwnIdentity:
    """The API without a caller."""

    @pytest.mark.parametrize(
        "ask",
        rows(
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
        ),
    )
    def test_may_ask_as_its_callers(self, own_identity: JsonClient, ask: Ask) -> None:
        """It finds Projects, and takes the identities that the manifests list."""
        assert may(own_identity, ask)

    @pytest.mark.parametrize(
        "ask",
        rows(
            *(
                f"{verb} jobs.batch @ {OURS}"
                for verb in ("create", "get", "list", "watch", "patch", "update", "delete", "deletecollection")
            ),
            "list jobs.batch",
            f"list pods @ {OURS}",
            f"get pods:log @ {OURS}",
            f"create pods @ {OURS}",
            f"create pods:exec @ {OURS}",
            f"get secrets @ {OURS}",
            "list secrets",
            "get secrets @ kube-system",
            "list pods @ kube-system",
            "watch namespaces",
            "create namespaces",
            "patch namespaces",
            "delete namespaces",
            f"create rolebindings.rbac.authorization.k8s.io @ {OURS}",
            "create clusterrolebindings.rbac.authorization.k8s.io",
            "bind clusterroles.rbac.authorization.k8s.io/cluster-admin",
            "escalate clusterroles.rbac.authorization.k8s.io/researcher-api",
            "create subjectaccessreviews.authorization.k8s.io",
            "create tokenreviews.authentication.k8s.io",
            f"create serviceaccounts:token @ {OURS}",
            "get nodes:proxy",
        ),
    )
    def test_owns_no_right(self, own_identity: JsonClient, ask: Ask) -> None:
        """A call that lost its headers is refused."""
        assert not may(own_identity, ask)

    @pytest.mark.parametrize(
        "ask",
        rows(
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
            "impersonate groups/researcher:rbac-nobody",
            "impersonate serviceaccounts @ kube-system",
            "impersonate uids.authentication.k8s.io",
            "impersonate userextras.authentication.k8s.io:scopes",
            "impersonate:user-info users.authentication.k8s.io/researcher:api",
            f"impersonate-on:user-info:list jobs.batch @ {OURS}",
        ),
    )
    def test_may_take_no_other_identity(self, own_identity: JsonClient, ask: Ask) -> None:
        """What the manifests do not list, it cannot become; nor by the verbs of constrained impersonation."""
        assert not may(own_identity, ask)

    def test_reads_which_groups_it_may_take(self, own_identity: JsonClient) -> None:
        """A rules review names the groups one by one; the API sends no others."""
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "x"}}

        answer = own_identity.create(f"{REVIEWS}/selfsubjectrulesreviews", review)

        rules = [rule for rule in answer["status"]["resourceRules"] if "groups" in rule["resources"]]
        assert all(rule["resourceNames"] for rule in rules)
        assert {f"researcher:{group}" for group in ("janitor", SUBMITTERS, VIEWERS, UPLOADS, OTHER_SUBMITTERS)} <= {
            name for rule in rules for name in rule["resourceNames"]
        }
