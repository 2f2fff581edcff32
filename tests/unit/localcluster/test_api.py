"""Requests that the contract does not send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.wire import HttpSyntaxError

if TYPE_CHECKING:
    from tests.unit.localcluster.conftest import Parts

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
            pytest.param("GET", f"{PODS}?watch=true&resourceVersion=abc", b"", 400, id="watch from an odd version"),
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

    @pytest.mark.parametrize(
        ("target", "authorization", "status"),
        [
            pytest.param("/version", "", 200, id="the version needs no token"),
            pytest.param(PODS, "", 401, id="none"),
            pytest.param(PODS, "Bearer x", 401, id="unknown"),
            pytest.param(PODS, "Basic admin", 401, id="another scheme"),
        ],
    )
    def test_strangers_are_refused(self, parts: Parts, target: str, authorization: str, status: int) -> None:
        """Nothing else is told without a token that somebody holds; tests may read what was asked."""
        assert (
            parts.ask("GET", target, headers=[("Authorization", authorization)] if authorization else [])[0] == status
        )
        assert [request.target for request in parts.api.requests] == [target]

    def test_bytes_that_are_no_request(self, parts: Parts) -> None:
        """They are answered too."""
        assert parts.api.refuse(HttpSyntaxError("no HTTP")).status == 400
