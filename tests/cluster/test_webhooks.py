"""Admission webhooks of the platform: their denials reach the caller, whatever their status."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.http_server import Handler, LoopbackServer
from infra.local.local_stack import Stack
from infra.local.wire import Headers, HttpResponse
from infra.localcluster.certificates import server_identity
from tests.cluster.real_cluster import RealCluster
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

DENIAL = 'admission webhook "images.example.com" denied the request: images must be signed'


class Webhook(Handler):
    """A validating webhook that denies every object with `status`; None allows it."""

    def __init__(self) -> None:
        identity = server_identity()
        self.status: int | None = None
        self.ca = base64.b64encode(identity.ca_pem.encode()).decode()
        self.server = LoopbackServer(self, context=identity.context)

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Return the AdmissionReview for an AdmissionReview."""
        del method, target, headers
        review = json.loads(body)
        verdict: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": self.status is None}
        if self.status is not None:
            verdict["status"] = {"code": self.status, "message": "images must be signed"}
        document = {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": verdict}
        return HttpResponse(200, [("Content-Type", "application/json")], json.dumps(document).encode())

    def configuration(self, resource: str, side_effects: str = "None") -> dict[str, Any]:
        """Return the object that registers the webhook for the creation of *resource*."""
        group, _, plural = resource.rpartition("/")
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "images"},
            "webhooks": [
                {
                    "name": "images.example.com",
                    "clientConfig": {"url": self.server.url, "caBundle": self.ca},
                    "rules": [{"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
                               "resources": [plural]}],
                    "namespaceSelector": {"matchLabels": {"researcher.dev/project": "team-a"}},
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": side_effects,
                    "timeoutSeconds": 2,
                }
            ],
        }  # fmt: skip


@pytest.fixture(scope="module")
def stack(assets: object) -> Iterator[Stack[RealCluster]]:
    """Start the local cloud on a control plane of its own."""
    del assets  # fails the test if the binaries are missing
    with Stack(RealCluster) as stack:
        yield stack


@pytest.fixture(scope="module")
def webhook(stack: Stack[RealCluster]) -> Iterator[Webhook]:
    """Register a webhook for pods and Jobs, and wait until the API server calls it."""
    webhook = Webhook()
    configuration = webhook.configuration("batch/jobs")
    configuration["webhooks"][0]["rules"] += webhook.configuration("/pods")["webhooks"][0]["rules"]
    stack.cluster.apply([configuration])
    webhook.status = 403
    with Api(stack) as alice:
        eventually(lambda: alice.submit().status_code, lambda status: status == 403)
    webhook.status = None
    yield webhook
    webhook.server.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 429, 500, 503])
def test_denial_has_the_message_of_the_webhook(stack: Stack[RealCluster], webhook: Webhook, status: int) -> None:
    """A denial of any status rejects the Job with the message, and creates nothing."""
    webhook.status = status
    with Api(stack) as alice:
        before = alice.names()

        response = alice.submit()

        assert (response.status_code, response.json()["code"]) == (403, "refused_by_cluster")
        assert DENIAL in response.json()["detail"]
        assert alice.names() == before


def test_denied_change_is_no_conflict(stack: Stack[RealCluster], webhook: Webhook) -> None:
    """A webhook that denies an update with 409 is not retried as a conflict."""
    webhook.status = None
    with Api(stack) as alice:
        name = alice.submit().raise_for_status().json()["name"]
        webhook.status = 409

        response = alice.request("POST", f"/jobs/team-a/{name}/suspend")

        assert (response.status_code, DENIAL in response.json()["detail"]) == (403, True)
        webhook.status = None
        alice.request("DELETE", f"/jobs/team-a/{name}").raise_for_status()
