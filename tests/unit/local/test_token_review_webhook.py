"""The TokenReview webhook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from infra.local.token_review_webhook import API_VERSION, TokenReviews
from infra.localcluster.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Send = Callable[[bytes], tuple[int, dict[str, Any]]]

ALICE = Identity("researcher-api:submit_job", ("researcher-api",), {"sessionName": ("submit_job",)})


def review(token: str) -> Identity:
    """Return the identity of *token*."""
    if token != "good":
        raise PermissionError("the token has expired")
    return ALICE


@pytest.fixture
def send() -> Iterator[Send]:
    """Send a body to the webhook as an API server does: over TLS, trusting only its certificate authority."""
    with TokenReviews(review) as reviews, urllib3.PoolManager(ca_cert_data=reviews.ca_pem, retries=False) as pool:

        def post(body: bytes) -> tuple[int, dict[str, Any]]:
            response = pool.request("POST", reviews.url, body=body)
            return response.status, json.loads(response.data)

        yield post


def token_review(token: str) -> bytes:
    """Return a TokenReview of *token*, as an API server sends it."""
    document = {"apiVersion": API_VERSION, "kind": "TokenReview", "spec": {"token": token}}
    return json.dumps(document).encode()


class TestReviews:
    """POST of a TokenReview."""

    def test_result_is_in_the_status(self, send: Send) -> None:
        """The status has user, groups and extra fields of a valid token, or the reason why a token is invalid."""
        status, document = send(token_review("good"))

        user = {
            "username": "researcher-api:submit_job",
            "groups": ["researcher-api"],
            "extra": {"sessionName": ["submit_job"]},
        }
        assert (status, document["kind"]) == (200, "TokenReview")
        assert document["status"] == {"authenticated": True, "user": user}
        assert send(token_review("bad"))[1]["status"] == {"authenticated": False, "error": "the token has expired"}

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"spec": []}'])
    def test_other_bodies_are_rejected(self, send: Send, body: bytes) -> None:
        """A body that is not a TokenReview is not authenticated."""
        status, document = send(body)

        assert (status, document["status"]["authenticated"]) == (400, False)
