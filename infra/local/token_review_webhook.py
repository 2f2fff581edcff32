"""The webhook that an API server asks whose a bearer token is, as EKS runs one beside each API server.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from infra.local.http_server import LoopbackServer
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.wire import Headers, HttpSyntaxError
    from infra.localcluster.identity import Identity

API_VERSION = "authentication.k8s.io/v1"


class TokenReviews:
    """Serves TokenReviews over TLS while it is entered; *review* raises PermissionError for nobody's token."""

    def __init__(self, review: Callable[[str], Identity]) -> None:
        self._review = review

    def __enter__(self) -> Self:
        """Starts to listen."""
        identity = server_identity()
        self.ca_pem = identity.ca_pem
        self._server = LoopbackServer(self, context=identity.context)
        return self

    def __exit__(self, *_: object) -> None:
        """Stops listening."""
        self._server.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The answer to one review; the verdict stands in its status."""
        del method, target, headers
        try:
            token = json.loads(body)["spec"]["token"]
        except (ValueError, KeyError, TypeError):
            return _review(400, {"authenticated": False, "error": "the request is not a TokenReview"})
        return _review(200, self._verdict(str(token)))

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """The answer to bytes that are no request."""
        return _review(400, {"authenticated": False, "error": error.detail})

    def _verdict(self, token: str) -> dict[str, Any]:
        try:
            identity = self._review(token)
        except PermissionError as refusal:
            return {"authenticated": False, "error": str(refusal)}
        extra = {key: list(values) for key, values in identity.extra.items()}
        return {
            "authenticated": True,
            "user": {"username": identity.user, "groups": list(identity.groups), "extra": extra},
        }


def _review(status: int, verdict: dict[str, Any]) -> HttpResponse:
    document = {"apiVersion": API_VERSION, "kind": "TokenReview", "status": verdict}
    return HttpResponse(status, [("Content-Type", "application/json")], json.dumps(document).encode())
