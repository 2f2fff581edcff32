"""Hostile bearer tokens, through the whole HTTP function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.oidc import bearer_tokens
from tests.security.hostile_tokens import FORGED, MALFORMED, bearer
from tests.security.sending import constant, problem, sent

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.local.wire import HttpResponse
    from tests.security.hostile_tokens import Attack

pytestmark = pytest.mark.attack("tokens")

PATH = "/jobs/team-a"
ONE_ANSWER = {
    "type": "urn:researcher:problem:unauthenticated",
    "title": "Authentication required",
    "status": 401,
    "detail": (
        "Send the header Authorization: Bearer <ACCESS-TOKEN> with a token that is valid for this API. "
        "If the token has expired, request a new one."
    ),
    "code": "unauthenticated",
}


@pytest.fixture(autouse=True)
def cold() -> None:
    """A process that has no keys yet: to look one up costs a fetch, which the issuer counts."""
    bearer_tokens.connect.cache_clear()


def assert_refused(stack: Stack[Any], reply: HttpResponse) -> None:
    """The one answer that there is, to the byte, but for the request's id."""
    nobody = sent(stack, "GET", PATH, [])
    assert problem(reply) == problem(nobody) == ONE_ANSWER
    assert (reply.status, reply.header("WWW-Authenticate")) == (401, 'Bearer realm="researcher"')
    assert constant(reply) == constant(nobody)


def test_good_token_is_taken(stack: Stack[Any]) -> None:
    """Else all that follows would prove nothing."""
    assert sent(stack, "GET", PATH, bearer(stack.issuer.mint("alice"))).status == 200


@pytest.mark.parametrize("attack", MALFORMED.values(), ids=MALFORMED)
def test_malformed_token(stack: Stack[Any], attack: Attack) -> None:
    """Is refused, and costs the issuer nothing."""
    before = stack.issuer.jwks_requests

    reply = sent(stack, "GET", PATH, attack(stack.issuer))

    assert_refused(stack, reply)
    assert stack.issuer.jwks_requests == before


@pytest.mark.parametrize("attack", FORGED.values(), ids=FORGED)
def test_forged_token(stack: Stack[Any], attack: Attack) -> None:
    """Is refused, for one fetch of the keys at most."""
    before = stack.issuer.jwks_requests

    reply = sent(stack, "GET", PATH, attack(stack.issuer))

    assert_refused(stack, reply)
    assert stack.issuer.jwks_requests <= before + 1


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "jwt"])
def test_token_in_the_query(stack: Stack[Any], name: str) -> None:
    """A URL is logged, cached and shared: a token there counts for nothing, and is not answered otherwise."""
    reply = sent(stack, "GET", f"{PATH}?{name}={stack.issuer.mint('alice')}", [])

    assert_refused(stack, reply)


@pytest.mark.parametrize("method_and_path", ["POST /jobs", "DELETE /jobs", "GET /projects", "GET /health?deep=true"])
def test_every_function_refuses(stack: Stack[Any], method_and_path: str) -> None:
    """Whatever was asked for, and before a body is looked at."""
    method, path = method_and_path.split()

    reply = sent(
        stack, method, path, bearer(stack.issuer.mint("alice", aud="gpu-west")), b"{" if method != "GET" else None
    )

    assert_refused(stack, reply)


@pytest.mark.parametrize(
    "group", ["janitor", "anonymous", "s3-researcher-uploads", "system:masters", "researcher:team-a"]
)
def test_groups_that_are_not_the_issuers_to_give(stack: Stack[Any], group: str) -> None:
    """A good token that names only such a group may do nothing at all."""
    headers = bearer(stack.issuer.mint("mallory", groups=[group]))

    asked = [sent(stack, "GET", PATH, headers), sent(stack, "DELETE", f"{PATH}/any", headers)]

    assert [reply.status for reply in asked] == [403, 403]
    assert sent(stack, "GET", "/projects", headers).body == b'{"data":[]}'
