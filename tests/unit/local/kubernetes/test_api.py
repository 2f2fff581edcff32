"""Requests that the contract does not send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.kubernetes.kinds import POD
from infra.local.wire import WireError

if TYPE_CHECKING:
    from tests.unit.local.kubernetes.conftest import Parts

PODS = "/api/v1/namespaces/team/pods"


class TestAnswer:
    """The answer to a request."""

    @pytest.mark.parametrize(
        ("method", "target", "body", "status"),
        [
            pytest.param("GET", "/nowhere", b"", 404, id="no such path"),
            pytest.param("GET", "/api/v1/unicorns", b"", 404, id="no such kind"),
            pytest.param("POST", "/apis/authorization.k8s.io/v1/unicorns", b"{}", 404, id="no such review"),
            pytest.param("PUT", f"{PODS}/one", b"{}", 405, id="a method that is not served"),
            pytest.param("DELETE", PODS, b"", 405, id="deletes without a name"),
            pytest.param("POST", PODS, b"{", 400, id="broken JSON"),
            pytest.param("POST", PODS, b"[]", 400, id="no object"),
            pytest.param("GET", f"{PODS}/one/exec", b"", 404, id="no such subresource"),
            pytest.param("GET", f"{PODS}/one/log", b"", 404, id="log of nobody"),
        ],
    )
    def test_refusals_are_statuses(self, parts: Parts, method: str, target: str, body: bytes, status: int) -> None:
        """Whatever is asked, a refusal has the form that clients read."""
        code, answer = parts.ask(method, target, body)

        assert (code, answer["code"], answer["kind"]) == (status, status, "Status")

    def test_version_needs_no_token(self, parts: Parts) -> None:
        """Whoever asks learns the version."""
        assert parts.ask("GET", "/version", headers=[])[1]["minor"] == "36"

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param([], id="none"),
            pytest.param([("Authorization", "Bearer x")], id="unknown"),
            pytest.param([("Authorization", "Basic admin")], id="another scheme"),
        ],
    )
    def test_strangers_are_refused(self, parts: Parts, headers: list[tuple[str, str]]) -> None:
        """Nothing is told without a token that somebody holds."""
        assert parts.ask("GET", PODS, headers=headers)[0] == 401

    def test_log_of_a_pod_without_containers(self, parts: Parts) -> None:
        """No cluster makes such a pod; the refusal has nothing to choose from."""
        parts.writing.create(POD, "team", {"metadata": {"name": "one"}, "spec": {"containers": []}})

        code, answer = parts.ask("GET", f"{PODS}/one/log")

        assert (code, answer["message"]) == (400, "a container name must be specified for pod one")

    def test_requests_are_remembered(self, parts: Parts) -> None:
        """Tests may read what was asked."""
        parts.ask("GET", PODS)

        assert [request.target for request in parts.api.requests] == [PODS]

    def test_bytes_that_are_no_request(self, parts: Parts) -> None:
        """They are answered too."""
        assert parts.api.refuse(WireError("no HTTP")).status == 400
