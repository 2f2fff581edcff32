"""Requests that the contract tests do not send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.wire import HttpSyntaxError

if TYPE_CHECKING:
    from tests.unit.localcluster.conftest import Parts

PODS = "/api/v1/namespaces/team/pods"


class TestErrors:
    """Error responses."""

    @pytest.mark.parametrize(
        ("method", "target", "body", "status"),
        [
            pytest.param("GET", "/unknown", b"", 404, id="no such path"),
            pytest.param("GET", "/api/v1/unknowns", b"", 404, id="no such kind"),
            pytest.param("POST", "/apis/authorization.k8s.io/v1/unknowns", b"{}", 404, id="no such review"),
            pytest.param("PUT", f"{PODS}/one", b"{}", 405, id="a method that is not served"),
            pytest.param("DELETE", PODS, b"", 405, id="deletion without a name"),
            pytest.param("GET", f"{PODS}?watch=true&resourceVersion=abc", b"", 400, id="watch from an invalid version"),
            pytest.param("POST", PODS, b"{", 400, id="broken JSON"),
            pytest.param("POST", PODS, b"[]", 400, id="not an object"),
            pytest.param("GET", f"{PODS}/one/exec", b"", 404, id="no such subresource"),
            pytest.param("GET", f"{PODS}/one/log", b"", 404, id="log of an unknown pod"),
        ],
    )
    def test_error_is_a_status_object(self, parts: Parts, method: str, target: str, body: bytes, status: int) -> None:
        """Every rejected request receives a Status object."""
        code, document = parts.request(method, target, body)

        assert (code, document["code"], document["kind"]) == (status, status, "Status")

    @pytest.mark.parametrize(
        ("target", "authorization", "status"),
        [
            pytest.param("/version", "", 200, id="the version needs no token"),
            pytest.param(PODS, "", 401, id="no token"),
            pytest.param(PODS, "Bearer x", 401, id="unknown token"),
            pytest.param(PODS, "Basic admin", 401, id="another scheme"),
        ],
    )
    def test_authentication_is_required(self, parts: Parts, target: str, authorization: str, status: int) -> None:
        """Without a valid token only the version is readable, and each request is recorded for tests."""
        assert (
            parts.request("GET", target, headers=[("Authorization", authorization)] if authorization else [])[0]
            == status
        )
        assert [request.target for request in parts.api.requests] == [target]

    def test_bytes_that_are_not_a_request(self, parts: Parts) -> None:
        """Bytes that are not an HTTP request receive a Status object, too."""
        assert parts.api.refuse(HttpSyntaxError("not HTTP")).status == 400
