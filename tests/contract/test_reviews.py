"""Asking what one may do, as the API does for its callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.rights import OTHERS, OURS, REVIEWS, SUBMITTERS, VIEWERS, as_caller

if TYPE_CHECKING:
    from tests.cluster.json_client import Document, JsonClient

LIST_JOBS = {"namespace": OURS, "verb": "list", "group": "batch", "resource": "jobs"}


def access(client: JsonClient, asked: Document, *groups: str) -> Document:
    """The verdict on *asked* for a caller of *groups*."""
    spec = {"resourceAttributes": asked}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    return client.request("POST", f"{REVIEWS}/selfsubjectaccessreviews", review, as_caller(*groups))


def rules(client: JsonClient, namespace: str, *groups: str) -> Document:
    """The rules that hold for a caller of *groups* in *namespace*."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = client.request("POST", f"{REVIEWS}/selfsubjectrulesreviews", review, as_caller(*groups))
    status: Document = answer["status"]
    return status


class TestAccess:
    """SelfSubjectAccessReview."""

    def test_answers_with_the_question(self, own_identity: JsonClient) -> None:
        """The verdict comes beside what was asked."""
        answer = access(own_identity, LIST_JOBS, SUBMITTERS)

        assert (answer["kind"], answer["spec"]["resourceAttributes"]) == ("SelfSubjectAccessReview", LIST_JOBS)
        assert answer["status"]["allowed"] is True

    def test_says_no_without_an_error(self, own_identity: JsonClient) -> None:
        """Who may not gets an answer all the same."""
        answer = access(own_identity, {**LIST_JOBS, "namespace": OTHERS}, SUBMITTERS)

        assert answer["status"]["allowed"] is False

    def test_tells_a_subresource_from_its_resource(self, own_identity: JsonClient) -> None:
        """Who may read logs may not open a shell."""
        pods = {"namespace": OURS, "verb": "get", "resource": "pods"}

        verdicts = [
            access(own_identity, {**pods, "subresource": name}, SUBMITTERS)["status"]["allowed"]
            for name in ("log", "exec")
        ]

        assert verdicts == [True, False]


class TestRules:
    """SelfSubjectRulesReview."""

    def test_names_what_a_caller_may(self, own_identity: JsonClient) -> None:
        """The verbs on Jobs are those of the caller's role."""
        submitters, viewers = (
            verbs_on_jobs(rules(own_identity, OURS, SUBMITTERS)),
            verbs_on_jobs(rules(own_identity, OURS, VIEWERS)),
        )

        assert {"create", "get", "list", "watch", "patch", "delete"} == submitters
        assert {"get", "list", "watch"} == viewers

    def test_of_another_project(self, own_identity: JsonClient) -> None:
        """There is no rule on Jobs for who may do nothing there."""
        assert verbs_on_jobs(rules(own_identity, OTHERS, SUBMITTERS)) == set()

    def test_are_all_rules(self, own_identity: JsonClient) -> None:
        """RBAC can list them completely."""
        assert rules(own_identity, OURS, SUBMITTERS)["incomplete"] is False


def verbs_on_jobs(status: Document) -> set[str]:
    """What the rules allow on Jobs."""
    found = [rule for rule in status["resourceRules"] if "jobs" in rule["resources"] and "batch" in rule["apiGroups"]]
    return {verb for rule in found for verb in rule["verbs"]}
