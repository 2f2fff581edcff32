"""Confusion between three trusted issuers: a token never counts as one of another issuer, nor as its groups or subject.

Each issuer has an audience of its own. The second publishes a key under the key IDs of the others as well.
"""

from __future__ import annotations

import json
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.wire import HttpResponse
from tests.security.hostile_tokens import bearer, json_part
from tests.security.sending import problem, send_raw
from tests.security.trusted_issuers import SHARED, three_issuers, trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.local.issuer import Issuer
    from infra.local.local_stack import Stack
    from tests.security.trusted_issuers import Trusted
    from tests.support.attack_recorder import Counter

    Confusion = Callable[[Issuer, Issuer], str]
    """Returns a token for two issuers, of which the first is the attacker's."""

pytestmark = pytest.mark.attack("tokens")

NAMES = ("one", "two", "three")
PAIRS = list(permutations(range(3), 2))


def audience(issuer: Issuer) -> str:
    """Return the audience of *issuer* in this deployment."""
    return f"for {issuer.url}"


def private_key(issuer: Issuer) -> Any:  # noqa: ANN401 - a private key
    """Return the current private key of *issuer*."""
    return issuer.keys._keys[issuer.keys.current]  # noqa: SLF001 - an attacker has only its own


def mint(issuer: Issuer, **claims: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a token of *issuer* for its audience, with *claims*."""
    return issuer.mint("alice", **{"aud": audience(issuer), **claims})


def mint_with(issuer: Issuer, key_id: str) -> str:
    """Return a token of *issuer* for its audience, with *key_id*."""
    return issuer.mint("alice", headers={"kid": key_id}, aud=audience(issuer))


def of_other(own: Issuer, other: Issuer, **headers: object) -> str:
    """Return a token that names *other*, with its claims, signed with the key of *own*."""
    return other.mint("alice", headers={"kid": own.keys.current, **headers}, key=private_key(own), aud=audience(other))


def twice(own: Issuer, other: Issuer) -> str:
    """Return a token with both issuers, each of which a parser may take."""
    claims = json.dumps({"iss": other.url})[:-1] + "," + json.dumps({"iss": own.url, "aud": audience(own)})[1:]
    return own.keys.sign(claims.encode())


def with_signature_of(own: Issuer, other: Issuer) -> str:
    """Return a token of *other* with the signature of the same claims by *own*."""
    return ".".join([*mint(other).split(".")[:2], of_other(own, other).split(".")[2]])


def with_claims_of(own: Issuer, other: Issuer) -> str:
    """Return a token of *own* whose claims are replaced by those of *other*."""
    header, _, signature = mint(own).split(".")
    return f"{header}.{mint(other).split('.')[1]}.{signature}"


CONFUSIONS: dict[str, Confusion] = {
    "iss of another": of_other,
    "iss and kid of another": lambda own, other: of_other(own, other, kid=other.keys.current),
    "key and kid of another": lambda own, other: own.mint(
        "alice", headers={"kid": other.keys.current}, key=private_key(other), aud=audience(own)
    ),
    "key of another": lambda own, other: own.mint("alice", key=private_key(other), aud=audience(own)),
    "PS256 with the key of another": lambda own, other: other.mint(
        "alice", key=private_key(own), algorithm="PS256", aud=audience(other)
    ),
    "public key of another as a secret": lambda own, other: own.mint(
        "alice", key=other.keys.public_pem(), algorithm="HS256", aud=audience(own)
    ),
    "audience of another": lambda own, other: mint(own, aud=audience(other)),
    "audience is the other": lambda own, other: mint(own, aud=other.url),
    "audience of another, client of ours": lambda own, other: mint(own, aud=audience(other), client_id=audience(own)),
    "audience of another, and scopes": lambda own, other: mint(own, aud=audience(other), scope=f"{audience(own)}/x"),
    "iss and audience of another": lambda own, other: mint(own, iss=other.url, aud=audience(other)),
    "iss of another, both audiences": lambda own, other: mint(own, iss=other.url, aud=[audience(own), audience(other)]),
    "both iss": lambda own, other: mint(own, iss=[own.url, other.url]),
    "both iss in a string": lambda own, other: mint(own, iss=f"{other.url} {own.url}"),
    "iss below that of another": lambda own, other: mint(own, iss=f"{other.url}/{own.url}"),
    "iss of another with a slash": lambda own, other: mint(own, iss=f"{other.url}/", aud=audience(other)),
    "iss of another with a fragment": lambda own, other: mint(own, iss=f"{other.url}#{own.url}"),
    "iss of another as user information": lambda own, other: mint(own, iss=own.url.replace("//", f"//{other.url}@")),
    "iss in the header": lambda own, other: own.mint(
        "alice", headers={"iss": own.url}, iss=other.url, aud=[audience(own), audience(other)]
    ),
    "iss twice": twice,
    "jku of another": lambda own, other: own.mint("alice", headers={"jku": other.jwks_url}, aud=audience(own)),
    "key of the other's iss in the header": lambda own, other: of_other(own, other, jwk=own.keys.jwks()["keys"][0]),
    "signature of another": with_signature_of,
    "claims of another": with_claims_of,
    "a part of another": lambda own, other: ".".join(
        [*mint(other).split(".")[:1], json_part({"iss": own.url, "aud": audience(own)}), mint(own).split(".")[2]]
    ),
}
"""Tokens that are rejected, although their issuer is trusted."""

SMUGGLED: dict[str, Callable[[str], dict[str, Any]]] = {
    "group of another": lambda prefix: {"groups": [f"{prefix}team-a"]},
    "group of another, as Kubernetes names it": lambda prefix: {"groups": [f"researcher:{prefix}team-a"]},
    "group of another, above": lambda prefix: {"groups": [f"../{prefix}team-a", f"/{prefix}team-a"]},
    "group of another, as a scope": lambda prefix: {"groups": f"researcher/{prefix}team-a"},
    "group of another, beside": lambda prefix: {"groups": ["x", f"x {prefix}team-a"]},
    "subject of another": lambda prefix: {"groups": ["x"], "sub": f"{prefix}alice"},
    "claims of another's": lambda prefix: {"groups": ["x"], "roles": [f"{prefix}team-a"], "cognito:groups": ["team-a"]},
}
"""Claims of valid tokens that name the group of another issuer, with its prefix."""


@pytest.fixture(scope="module")
def issuers(stack: Stack[Any]) -> Iterator[tuple[Trusted, ...]]:
    """Trust three issuers, of which the second publishes its keys under all key IDs, too."""
    with three_issuers(stack) as found:
        own = found[1].issuer
        keys = own.keys.jwks()["keys"]
        stolen = [{**keys[0], "kid": found[index].issuer.keys.current} for index in (0, 2)]
        own.jwks_response = lambda: HttpResponse(200, [], json.dumps({"keys": [*keys, *stolen]}).encode())
        with trusted(stack, *(one.configuration(audiences=[audience(one.issuer)]) for one in found)):
            yield found


def status(stack: Stack[Any], method: str, path: str, token: str, document: object = None) -> int:
    """Return the status of a request with *token*."""
    return send_raw(stack, method, path, bearer(token), document).status


@pytest.mark.parametrize(("own", "other"), PAIRS, ids=[f"{NAMES[a]} as {NAMES[b]}" for a, b in PAIRS])
@pytest.mark.parametrize("confusion", CONFUSIONS.values(), ids=CONFUSIONS)
def test_confusion(stack: Stack[Any], issuers: tuple[Trusted, ...], confusion: Confusion, own: int, other: int) -> None:
    """A token that mixes two trusted issuers is rejected like any other, with either signature."""
    token = confusion(issuers[own].issuer, issuers[other].issuer)

    replies = [send_raw(stack, "GET", f"/jobs/{issuers[each].project}", bearer(token)) for each in (own, other)]

    assert [reply.status for reply in replies] == [401, 401]
    assert problem(replies[0])["code"] == "unauthenticated"


@pytest.mark.parametrize(("own", "other"), PAIRS, ids=[f"{NAMES[a]} as {NAMES[b]}" for a, b in PAIRS])
@pytest.mark.parametrize("claims", SMUGGLED.values(), ids=SMUGGLED)
def test_group_of_another_issuer(
    stack: Stack[Any],
    issuers: tuple[Trusted, ...],
    claims: Callable[[str], dict[str, Any]],
    own: int,
    other: int,
) -> None:
    """No claim of a valid token gives access to the Project of another issuer's group."""
    token = mint(issuers[own].issuer, **claims(issuers[other].prefix))
    project = issuers[other].project
    job = {"project": project, "name": "stolen", "image": "busybox"}

    assert status(stack, "GET", f"/jobs/{project}", token) == 403
    assert status(stack, "POST", "/jobs", token, job) == 403
    assert status(stack, "DELETE", f"/jobs/{project}/any", token) == 403


def test_same_key_id(stack: Stack[Any], issuers: tuple[Trusted, ...]) -> None:
    """A key that an issuer publishes under the key ID of another one is valid for its own tokens only."""
    one, two, three = issuers
    tokens = [mint_with(two.issuer, each.issuer.keys.current) for each in (one, three)]

    assert [status(stack, "GET", f"/jobs/{two.project}", token) for token in tokens] == [200, 200]
    assert [status(stack, "GET", f"/jobs/{one.project}", token) for token in tokens] == [403, 403]
    assert [status(stack, "GET", f"/jobs/{each.project}", mint(each.issuer)) for each in issuers] == [200, 200, 200]
    unpublished = mint_with(one.issuer, three.issuer.keys.current)
    assert status(stack, "GET", f"/jobs/{one.project}", unpublished) == 401


def test_same_subject_is_another_caller(stack: Stack[Any], issuers: tuple[Trusted, ...], counter: Counter) -> None:
    """The subject alice of three issuers is three callers: for the filter `user`, and for one Idempotency-Key."""
    names = []
    for one in issuers:
        headers = [*bearer(mint(one.issuer)), ("Idempotency-Key", "the same for all")]
        created = send_raw(stack, "POST", "/jobs", headers, {"project": SHARED, "image": "busybox"})
        assert created.status == 201
        names.append(json.loads(created.body)["name"])

    lists = [
        send_raw(stack, "GET", f"/jobs/{SHARED}?user={one.prefix}alice", bearer(mint(one.issuer))) for one in issuers
    ]

    counter.count(len(issuers))
    found = [[(job["name"], job["user"]) for job in json.loads(reply.body)["data"]] for reply in lists]
    assert found == [[(name, f"{one.prefix}alice")] for name, one in zip(names, issuers, strict=True)]
    assert len(set(names)) == len(issuers)


@pytest.mark.parametrize("response", [HttpResponse(500), HttpResponse(200, [], b"{}")], ids=["fails", "has no keys"])
def test_outage_of_one_issuer(stack: Stack[Any], issuers: tuple[Trusted, ...], response: HttpResponse) -> None:
    """Tokens of the other issuers are accepted while one has an outage, which is 503 for its own tokens alone."""
    one, two, three = issuers
    with trusted(stack, *(each.configuration() for each in issuers)):
        three.issuer.jwks_response = lambda: response
        try:
            statuses = [status(stack, "GET", f"/jobs/{each.project}", each.issuer.mint("alice")) for each in issuers]
            forged = status(stack, "GET", "/projects", of_other(one.issuer, two.issuer))
        finally:
            three.issuer.jwks_response = None

    assert (statuses, forged) == ([200, 200, 503], 401)


def test_flood_of_one_issuer(stack: Stack[Any], issuers: tuple[Trusted, ...], counter: Counter) -> None:
    """Unknown keys of one issuer start its own cool-down only: a new key of another is found at once."""
    one, _, three = issuers
    with trusted(stack, *(each.configuration() for each in issuers)):
        for number in range(100):
            unknown = one.issuer.mint("alice", headers={"kid": f"unknown-{number}"})
            assert status(stack, "GET", "/projects", unknown) == 401
        three.issuer.rotate()

        assert status(stack, "GET", f"/jobs/{three.project}", three.issuer.mint("alice")) == 200
        assert status(stack, "GET", f"/jobs/{one.project}", one.issuer.mint("alice")) == 200
    counter.count(100)


def test_algorithms_of_one_issuer(stack: Stack[Any], issuers: tuple[Trusted, ...]) -> None:
    """An issuer may use the configured algorithms only, although another may use all."""
    one, two, _ = issuers
    with trusted(stack, one.configuration(algorithms=["ES256", "RS512"]), two.configuration(algorithms=["RS256"])):
        before = one.issuer.jwks_requests

        statuses = [status(stack, "GET", f"/jobs/{each.project}", each.issuer.mint("alice")) for each in (one, two)]

        assert statuses == [401, 200]
        assert one.issuer.jwks_requests == before


def test_migration(stack: Stack[Any], issuers: tuple[Trusted, ...]) -> None:
    """Both issuers are valid during a migration; an issuer that is removed, or whose keys are, is no longer."""
    one, _, three = issuers
    tokens = {each.name: each.issuer.mint("alice") for each in (one, three)}

    def accepted() -> dict[str, int]:
        return {name: status(stack, "GET", f"/jobs/team-{name}", token) for name, token in tokens.items()}

    with trusted(stack, one.configuration(), three.configuration()):
        both = accepted()
    with trusted(stack, one.configuration()):
        removed = accepted()

    assert both == {"one": 200, "three": 200}
    assert removed == {"one": 200, "three": 401}
