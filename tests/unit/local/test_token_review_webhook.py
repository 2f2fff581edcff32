"""The webhook that an API server asks whose a token is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from infra.local.token_review_webhook import API_VERSION, TokenReviews
from infra.localcluster.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[[bytes], tuple[int, dict[str, Any]]]

ALICE = Identity("researcher-api:submit_job", ("researcher-api",), {"sessionName": ("submit_job",)})


def review(token: str) -> Identity:
    """Whose *token* is."""
    if token != "good":
        raise PermissionError("the token is stale")
    return ALICE


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Posts a body to the webhook as an API server does: over TLS, trusting its authority alone."""
    with TokenReviews(review) as reviews, urllib3.PoolManager(ca_cert_data=reviews.ca_pem, retries=False) as pool:

        def post(body: bytes) -> tuple[int, dict[str, Any]]:
            answer = pool.request("POST", reviews.url, body=body)
            return answer.status, json.loads(answer.data)

        yield post


def asked(token: str) -> bytes:
    """A review of *token*, as an API server sends it."""
    document = {"apiVersion": API_VERSION, "kind": "TokenReview", "spec": {"token": token}}
    return json.dumps(document).encode()


class TestReviews:
    """POST of a TokenReview."""

    def test_verdict_stands_in_the_status(self, ask: Ask) -> None:
        """Name, groups, and what else a good token tells, for the audit log; of a bad one the reason, for the log."""
        status, document = ask(asked("good"))

        user = {
            "username": "researcher-api:submit_job",
            "groups": ["researcher-api"],
            "extra": {"sessionName": ["submit_job"]},
        }
        assert (status, document["kind"]) == (200, "TokenReview")
        assert document["status"] == {"authenticated": True, "user": user}
        assert ask(asked("bad"))[1]["status"] == {"authenticated": False, "error": "the token is stale"}

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"spec": []}'])
    def test_other_bodies_are_refused(self, ask: Ask, body: bytes) -> None:
        """Nobody is let in by mistake."""
        status, document = ask(body)

        assert (status, document["status"]["authenticated"]) == (400, False)
