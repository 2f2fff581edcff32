"""Access reviews, as the API sends them for its callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.permissions import NAMESPACE, OTHER_NAMESPACE, REVIEWS, SUBMITTERS, VIEWERS, as_caller

if TYPE_CHECKING:
    from tests.cluster.json_client import Document, JsonClient

LIST_JOBS = {"namespace": NAMESPACE, "verb": "list", "group": "batch", "resource": "jobs"}


def access(client: JsonClient, attributes: Document, *groups: str) -> Document:
    """Return the access review of *attributes* for a caller of *groups*."""
    spec = {"resourceAttributes": attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    return client.request("POST", f"{REVIEWS}/selfsubjectaccessreviews", review, as_caller(*groups))


def rules(client: JsonClient, namespace: str, *groups: str) -> Document:
    """Return the status of the rules review for a caller of *groups* in *namespace*."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    response = client.request("POST", f"{REVIEWS}/selfsubjectrulesreviews", review, as_caller(*groups))
    status: Document = response["status"]
    return status


class TestAccess:
    """SelfSubjectAccessReview."""

    def test_response_has_the_request(self, own_identity: JsonClient) -> None:
        """The response has the attributes of the request beside the result."""
        response = access(own_identity, LIST_JOBS, SUBMITTERS)

        assert (response["kind"], response["spec"]["resourceAttributes"]) == ("SelfSubjectAccessReview", LIST_JOBS)
        assert response["status"]["allowed"] is True

    def test_denied_is_not_an_error(self, own_identity: JsonClient) -> None:
        """A denied review is a successful response."""
        response = access(own_identity, {**LIST_JOBS, "namespace": OTHER_NAMESPACE}, SUBMITTERS)

        assert response["status"]["allowed"] is False

    def test_subresources_are_distinct(self, own_identity: JsonClient) -> None:
        """A permission for logs is not one for exec."""
        pods = {"namespace": NAMESPACE, "verb": "get", "resource": "pods"}

        allowed = [
            access(own_identity, {**pods, "subresource": name}, SUBMITTERS)["status"]["allowed"]
            for name in ("log", "exec")
        ]

        assert allowed == [True, False]


class TestRules:
    """SelfSubjectRulesReview."""

    def test_verbs_on_jobs(self, own_identity: JsonClient) -> None:
        """The verbs on Jobs are those of the caller's role."""
        submitters, viewers = (
            verbs_on_jobs(rules(own_identity, NAMESPACE, SUBMITTERS)),
            verbs_on_jobs(rules(own_identity, NAMESPACE, VIEWERS)),
        )

        assert {"create", "get", "list", "watch", "patch", "delete"} == submitters
        assert {"get", "list", "watch"} == viewers

    def test_of_another_project(self, own_identity: JsonClient) -> None:
        """Without access to a Project, there is no rule for its Jobs."""
        assert verbs_on_jobs(rules(own_identity, OTHER_NAMESPACE, SUBMITTERS)) == set()

    def test_is_complete(self, own_identity: JsonClient) -> None:
        """With RBAC, the list of rules is complete."""
        assert rules(own_identity, NAMESPACE, SUBMITTERS)["incomplete"] is False


def verbs_on_jobs(status: Document) -> set[str]:
    """Return the verbs that the rules allow on Jobs."""
    found = [rule for rule in status["resourceRules"] if "jobs" in rule["resources"] and "batch" in rule["apiGroups"]]
    return {verb for rule in found for verb in rule["verbs"]}
