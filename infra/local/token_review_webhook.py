"""A TokenReview webhook for bearer tokens, as EKS runs one beside each API server.

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
    """Serves TokenReviews over TLS while the context is active; *review* raises PermissionError for a bad token."""

    def __init__(self, review: Callable[[str], Identity]) -> None:
        self._review = review

    def __enter__(self) -> Self:
        """Start listening."""
        identity = server_identity()
        self.ca_pem = identity.ca_pem
        self._server = LoopbackServer(self, context=identity.context)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.close()

    @property
    def url(self) -> str:
        """The URL of the webhook."""
        return self._server.url

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one TokenReview; the result is in its status."""
        del method, target, headers
        try:
            token = json.loads(body)["spec"]["token"]
        except (ValueError, KeyError, TypeError):
            return _token_review(400, {"authenticated": False, "error": "the request is not a TokenReview"})
        return _token_review(200, self._review_status(str(token)))

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Respond to bytes that are not a valid HTTP request."""
        return _token_review(400, {"authenticated": False, "error": error.detail})

    def _review_status(self, token: str) -> dict[str, Any]:
        try:
            identity = self._review(token)
        except PermissionError as error:
            return {"authenticated": False, "error": str(error)}
        extra = {key: list(values) for key, values in identity.extra.items()}
        return {
            "authenticated": True,
            "user": {"username": identity.user, "groups": list(identity.groups), "extra": extra},
        }


def _token_review(code: int, status: dict[str, Any]) -> HttpResponse:
    document = {"apiVersion": API_VERSION, "kind": "TokenReview", "status": status}
    return HttpResponse(code, [("Content-Type", "application/json")], json.dumps(document).encode())
