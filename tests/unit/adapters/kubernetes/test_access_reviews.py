"""The reviews by which the cluster tells what one may do."""

from __future__ import annotations

import json

import pytest

from chalicelib.adapters.kubernetes.access_reviews import access_review, is_allowed, rules, rules_review
from chalicelib.adapters.kubernetes.api_client import ApiResponse
from chalicelib.domain.errors import ClusterUnavailable, Forbidden
from chalicelib.domain.kubernetes.rbac import PolicyRule


class TestAccessReview:
    """One question."""

    def test_asks_about_one_verb_in_one_namespace(self) -> None:
        """As SelfSubjectAccessReview takes it."""
        call = access_review("researcher-team-a", "list", "batch", "jobs")

        assert (call.method, call.path) == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        assert json.loads(call.body or b"")["spec"]["resourceAttributes"] == {
            "namespace": "researcher-team-a",
            "verb": "list",
            "group": "batch",
            "resource": "jobs",
        }

    @pytest.mark.parametrize(
        ("body", "verdict"), [(b'{"status":{"allowed":true}}', True), (b'{"status":{}}', False), (b"{}", False)]
    )
    def test_only_a_plain_yes_allows(self, body: bytes, verdict: bool) -> None:
        """What is not said is not allowed."""
        assert is_allowed(ApiResponse(201, body, None)) is verdict


class TestRulesReview:
    """All that one may do."""

    def test_asks_about_one_namespace(self) -> None:
        """As SelfSubjectRulesReview takes it."""
        call = rules_review("researcher-team-a")

        assert call.path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        assert json.loads(call.body or b"") == {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": "researcher-team-a"},
        }

    def test_reads_the_rules(self) -> None:
        """Fields that are left out are empty."""
        body = b'{"status":{"resourceRules":[{"verbs":["get"],"apiGroups":["batch"],"resources":["jobs"]},{}]}}'

        found = rules(ApiResponse(201, body, None))

        assert found == [PolicyRule(verbs=["get"], api_groups=["batch"], resources=["jobs"]), PolicyRule()]

    @pytest.mark.parametrize(
        ("answer", "error"),
        [(ApiResponse(403, b"{}", None), Forbidden), (ApiResponse(201, b"{}", None), ClusterUnavailable)],
    )
    def test_no_answer_is_no_right(self, answer: ApiResponse, error: type[Exception]) -> None:
        """A refusal, or an answer without a status, lists nothing."""
        with pytest.raises(error):
            rules(answer)
