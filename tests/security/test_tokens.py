"""Hostile bearer tokens, through the whole HTTP function, in a deployment that trusts three issuers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.oidc import bearer_tokens
from tests.security.hostile_tokens import FORGED, INVALID_GROUPS, MALFORMED, bearer
from tests.security.sending import constant, problem, send_raw
from tests.security.trusted_issuers import three_issuers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from infra.local.wire import Headers, HttpResponse
    from tests.security.hostile_tokens import Attack
    from tests.security.trusted_issuers import Trusted
    from tests.support.attack_recorder import Counter

pytestmark = pytest.mark.attack("tokens")

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


@pytest.fixture(scope="module", autouse=True)
def issuers(stack: Stack[Any]) -> Iterator[tuple[Trusted, ...]]:
    """Trust three issuers."""
    with three_issuers(stack) as found:
        yield found


@pytest.fixture(autouse=True)
def clear_caches() -> None:
    """Clear the cached keys, so that the issuer counts each lookup as a fetch."""
    bearer_tokens.connect.cache_clear()


def fetches(issuers: tuple[Trusted, ...]) -> int:
    """Return how often the keys of any issuer were fetched."""
    return sum(each.issuer.jwks_requests for each in issuers)


def assert_rejected(stack: Stack[Any], reply: HttpResponse, sent: Headers | None = None) -> None:
    """Check that *reply* is the response for every rejected token, except for the request id.

    Without a token among the headers that were *sent*, the challenge has no error code (RFC 6750, 3.1).
    """
    tokens = [text for name, text in (bearer("x") if sent is None else sent) if name.lower() == "authorization"]
    has_token = len(tokens) == 1 and re.match("bearer .", tokens[0], re.IGNORECASE) is not None
    reference = send_raw(stack, "GET", "/projects", [("Authorization", "Bearer x")] * has_token)
    challenge = 'Bearer realm="researcher"' + ', error="invalid_token"' * has_token
    assert problem(reply) == problem(reference) == UNAUTHENTICATED
    assert (reply.status, reply.header("x-amzn-Remapped-WWW-Authenticate")) == (401, challenge)
    assert constant(reply) == constant(reference)


def test_valid_token_is_accepted(stack: Stack[Any], issuers: tuple[Trusted, ...]) -> None:
    """A valid token of each issuer is accepted, in the Project of its group and in no other."""
    for one in issuers:
        headers = bearer(one.issuer.mint("alice"))
        statuses = [send_raw(stack, "GET", f"/jobs/{other.project}", headers).status for other in issuers]
        assert statuses == [200 if other is one else 403 for other in issuers]


@pytest.mark.parametrize("attack", MALFORMED.values(), ids=MALFORMED)
def test_malformed_token(stack: Stack[Any], issuers: tuple[Trusted, ...], counter: Counter, attack: Attack) -> None:
    """A malformed token is rejected without a request to any issuer."""
    before = fetches(issuers)

    for one in issuers:
        headers = attack(one.issuer)
        assert_rejected(stack, send_raw(stack, "GET", f"/jobs/{one.project}", headers), headers)

    counter.count(len(issuers))
    assert fetches(issuers) == before


@pytest.mark.parametrize("attack", FORGED.values(), ids=FORGED)
def test_forged_token(stack: Stack[Any], issuers: tuple[Trusted, ...], counter: Counter, attack: Attack) -> None:
    """A forged token is rejected with at most one fetch of the keys, of the issuer that it names."""
    for one in issuers:
        before, own = fetches(issuers), one.issuer.jwks_requests

        assert_rejected(stack, send_raw(stack, "GET", f"/jobs/{one.project}", attack(one.issuer)))

        assert fetches(issuers) - before == one.issuer.jwks_requests - own <= 1
    counter.count(len(issuers))


@pytest.mark.parametrize("group", INVALID_GROUPS, ids=ascii)
def test_invalid_group(stack: Stack[Any], issuers: tuple[Trusted, ...], counter: Counter, group: str) -> None:
    """A group that no cluster can have gives access to nothing, and the other groups of the token stay."""
    for one in issuers:
        path = f"/jobs/{one.project}"
        alone, beside = (bearer(one.issuer.mint("alice", groups=groups)) for groups in ([group], [group, "team-a"]))

        assert [send_raw(stack, "GET", path, headers).status for headers in (alone, beside)] == [403, 200]
    counter.count(len(issuers))


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "jwt"])
def test_token_in_the_query(stack: Stack[Any], name: str) -> None:
    """A token in the query is ignored: URLs are logged, cached and shared."""
    reply = send_raw(stack, "GET", f"/projects?{name}={stack.issuer.mint('alice')}", [])

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
def test_reserved_groups(stack: Stack[Any], issuers: tuple[Trusted, ...], group: str) -> None:
    """A valid token whose only group is reserved gives access to nothing."""
    headers = bearer(stack.issuer.mint("mallory", groups=[group]))
    path = f"/jobs/{issuers[0].project}"

    responses = [send_raw(stack, "GET", path, headers), send_raw(stack, "DELETE", f"{path}/any", headers)]

    assert [response.status for response in responses] == [403, 403]
    assert send_raw(stack, "GET", "/projects", headers).body == b'{"data":[]}'
