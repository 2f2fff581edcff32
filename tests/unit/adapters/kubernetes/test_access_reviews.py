"""Access reviews: which permissions the caller has."""

from __future__ import annotations

import json

import pytest

from chalicelib.adapters.kubernetes.access_reviews import access_review, groups, is_allowed, rules, rules_review
from chalicelib.adapters.kubernetes.api_request import ApiResponse
from chalicelib.domain.errors import ClusterUnavailable, Forbidden
from chalicelib.domain.kubernetes.rbac import PolicyRule


class TestAccessReview:
    """A review of one permission."""

    def test_request_has_verb_and_namespace(self) -> None:
        """The request is a SelfSubjectAccessReview."""
        request = access_review("researcher-team-a", "list", "batch", "jobs")

        assert (request.method, request.path) == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        assert json.loads(request.body or b"")["spec"]["resourceAttributes"] == {
            "namespace": "researcher-team-a",
            "verb": "list",
            "group": "batch",
            "resource": "jobs",
        }

    @pytest.mark.parametrize(
        ("body", "allowed"), [(b'{"status":{"allowed":true}}', True), (b'{"status":{}}', False), (b"{}", False)]
    )
    def test_only_true_allows(self, body: bytes, allowed: bool) -> None:
        """A missing field means not allowed."""
        assert is_allowed(ApiResponse(201, body, None)) is allowed


class TestRulesReview:
    """A review of all permissions."""

    def test_request_has_the_namespace(self) -> None:
        """The request is a SelfSubjectRulesReview."""
        request = rules_review("researcher-team-a")

        assert request.path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        assert json.loads(request.body or b"") == {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": "researcher-team-a"},
        }

    def test_rules_are_read(self) -> None:
        """Missing fields are empty."""
        body = b'{"status":{"resourceRules":[{"verbs":["get"],"apiGroups":["batch"],"resources":["jobs"]},{}]}}'

        found = rules(ApiResponse(201, body, None))

        assert found == [PolicyRule(verbs=["get"], api_groups=["batch"], resources=["jobs"]), PolicyRule()]

    @pytest.mark.parametrize(
        ("response", "error"),
        [(ApiResponse(403, b"{}", None), Forbidden), (ApiResponse(201, b"{}", None), ClusterUnavailable)],
    )
    def test_error_is_raised(self, response: ApiResponse, error: type[Exception]) -> None:
        """An error, or a response without a status, is not an empty list."""
        with pytest.raises(error):
            rules(response)


class TestIdentityReview:
    """A review of the identity that the cluster sees."""

    def test_groups_are_read(self) -> None:
        """Missing groups are none; a body without the identity is not an answer."""
        assert groups(ApiResponse(201, b'{"status":{"userInfo":{"groups":["a","b"]}}}', None)) == {"a", "b"}
        assert groups(ApiResponse(201, b'{"status":{"userInfo":{}}}', None)) == frozenset()
        with pytest.raises(ClusterUnavailable):
            groups(ApiResponse(201, b"{}", None))
