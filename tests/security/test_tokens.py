"""Hostile bearer tokens, through the whole HTTP function."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.oidc import bearer_tokens
from tests.security.hostile_tokens import FORGED, MALFORMED, bearer
from tests.security.sending import constant, problem, send_raw

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.local.wire import Headers, HttpResponse
    from tests.security.hostile_tokens import Attack

pytestmark = pytest.mark.attack("tokens")

PATH = "/jobs/team-a"
UNAUTHENTICATED = {
    "type": "urn:researcher:problem:unauthenticated",  # the requests have no Host header, of which the link is made
    "title": "Authentication required",
    "status": 401,
    "detail": (
        "Send the header Authorization: Bearer <ACCESS-TOKEN> with a token that is valid for this API. "
        "If the token has expired, request a new one."
    ),
    "code": "unauthenticated",
}


@pytest.fixture(autouse=True)
def clear_caches() -> None:
    """Clear the cached keys, so that the issuer counts each lookup as a fetch."""
    bearer_tokens.connect.cache_clear()


def assert_rejected(stack: Stack[Any], reply: HttpResponse, sent: Headers | None = None) -> None:
    """Check that *reply* is the response for every rejected token, except for the request id.

    Without a token among the headers that were *sent*, the challenge has no error code (RFC 6750, 3.1).
    """
    tokens = [text for name, text in (bearer("x") if sent is None else sent) if name.lower() == "authorization"]
    has_token = len(tokens) == 1 and re.match("bearer .", tokens[0], re.IGNORECASE) is not None
    reference = send_raw(stack, "GET", PATH, [("Authorization", "Bearer x")] * has_token)
    challenge = 'Bearer realm="researcher"' + ', error="invalid_token"' * has_token
    assert problem(reply) == problem(reference) == UNAUTHENTICATED
    assert (reply.status, reply.header("x-amzn-Remapped-WWW-Authenticate")) == (401, challenge)
    assert constant(reply) == constant(reference)


def test_valid_token_is_accepted(stack: Stack[Any]) -> None:
    """A valid token is accepted."""
    assert send_raw(stack, "GET", PATH, bearer(stack.issuer.mint("alice"))).status == 200


@pytest.mark.parametrize("attack", MALFORMED.values(), ids=MALFORMED)
def test_malformed_token(stack: Stack[Any], attack: Attack) -> None:
    """A malformed token is rejected without a request to the issuer."""
    before = stack.issuer.jwks_requests

    headers = attack(stack.issuer)

    reply = send_raw(stack, "GET", PATH, headers)

    assert_rejected(stack, reply, headers)
    assert stack.issuer.jwks_requests == before


@pytest.mark.parametrize("attack", FORGED.values(), ids=FORGED)
def test_forged_token(stack: Stack[Any], attack: Attack) -> None:
    """A forged token is rejected with at most one fetch of the keys."""
    before = stack.issuer.jwks_requests

    reply = send_raw(stack, "GET", PATH, attack(stack.issuer))

    assert_rejected(stack, reply)
    assert stack.issuer.jwks_requests <= before + 1


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "jwt"])
def test_token_in_the_query(stack: Stack[Any], name: str) -> None:
    """A token in the query is ignored: URLs are logged, cached and shared."""
    reply = send_raw(stack, "GET", f"{PATH}?{name}={stack.issuer.mint('alice')}", [])

    assert_rejected(stack, reply, [])


@pytest.mark.parametrize("method_and_path", ["POST /jobs", "DELETE /jobs", "GET /projects", "GET /health?deep=true"])
def test_every_function_rejects(stack: Stack[Any], method_and_path: str) -> None:
    """Every function rejects an invalid token before it parses the body."""
    method, path = method_and_path.split()

    reply = send_raw(
        stack, method, path, bearer(stack.issuer.mint("alice", aud="gpu-west")), b"{" if method != "GET" else None
    )

    assert_rejected(stack, reply)


@pytest.mark.parametrize(
    "group", ["janitor", "anonymous", "s3-researcher-uploads", "system:masters", "researcher:team-a"]
)
def test_reserved_groups(stack: Stack[Any], group: str) -> None:
    """A valid token whose only group is reserved gives access to nothing."""
    headers = bearer(stack.issuer.mint("mallory", groups=[group]))

    responses = [send_raw(stack, "GET", PATH, headers), send_raw(stack, "DELETE", f"{PATH}/any", headers)]

    assert [response.status for response in responses] == [403, 403]
    assert send_raw(stack, "GET", "/projects", headers).body == b'{"data":[]}'
