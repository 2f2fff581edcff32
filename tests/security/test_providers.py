"""Access tokens of common issuers: accepted with the entries of the guide; similar tokens are rejected."""

from __future__ import annotations

import json
import re
import time
from itertools import permutations
from typing import TYPE_CHECKING, Any

import jwt
import msgspec
import pytest

from chalicelib.adapters.oidc.bearer_tokens import BearerTokens
from chalicelib.configuration import decode
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.token_issuer import TokenIssuer, check_issuers
from infra.local.signing_keys import SigningKeys
from tests.security.providers import PAGE, PROVIDERS, Provider, guide_entry
from tests.support.documentation import PAGES, fences
from tests.support.scripted_server import FAR_DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.deadline import Deadline

pytestmark = pytest.mark.attack("providers")

KEYS = SigningKeys()


class PublishedKeys:
    """The issuer's keys as Entra ID and Okta publish them, optionally without `alg`."""

    def __init__(self, *, with_algorithm: bool) -> None:
        published = [{**key, "alg": "RS256" if with_algorithm else None} for key in KEYS.jwks()["keys"]]
        self._keys = {key["kid"]: jwt.PyJWK({name: value for name, value in key.items() if value}) for key in published}

    def find(self, key_id: str, deadline: Deadline) -> jwt.PyJWK | None:
        """Return the key of that id."""
        del deadline
        return self._keys.get(key_id)


def entry(name: str) -> TokenIssuer:
    """Return the entry of the guide for the issuer *name*, as the functions decode it."""
    return msgspec.convert(guide_entry(name), TokenIssuer)


def caller(name: str, changes: dict[str, Any], *, with_algorithm: bool = True) -> Caller:
    """Return the caller that a deployment with the guide's entries derives from a token of *name* with *changes*."""
    provider = PROVIDERS[name]
    return TRUSTED[with_algorithm].caller([f"Bearer {token(provider, changes)}"], FAR_DEADLINE)


def token(provider: Provider, changes: dict[str, Any]) -> str:
    """Return the documented token of *provider* with *changes*; None removes a claim."""
    now = int(time.time())
    claims = {"iat": now, "nbf": now, "exp": now + 3600, **provider.claims, **changes}
    payload = json.dumps({name: value for name, value in claims.items() if value is not None})
    return KEYS.sign(payload.encode(), {"typ": provider.typ, "x5t": "thumbprint"})


def verifier(names: Iterable[str], *, with_algorithm: bool = True) -> BearerTokens:
    """Return the verifier of a deployment with the entries of *names*, whose issuers have the same keys."""
    return BearerTokens(map(entry, names), lambda _: PublishedKeys(with_algorithm=with_algorithm))


TRUSTED = {with_algorithm: verifier(PROVIDERS, with_algorithm=with_algorithm) for with_algorithm in (True, False)}


@pytest.mark.parametrize("with_algorithm", [True, False], ids=["key with alg", "key without alg"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_access_token_is_accepted(name: str, with_algorithm: bool) -> None:
    """The documented access token gives the expected subject and group, with the prefix of the entry."""
    provider, prefix = PROVIDERS[name], entry(name).prefix

    found = caller(name, {}, with_algorithm=with_algorithm)

    assert found == Caller(prefix + provider.subject, (prefix + provider.group,))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param(name, changes, id=f"{name}: {similar}")
        for name, provider in PROVIDERS.items()
        for similar, changes in provider.similar.items()
    ],
)
def test_similar_token_is_rejected(name: str, changes: dict[str, Any]) -> None:
    """A similar token is rejected although the same keys may have signed it, or is one of another entry."""
    with pytest.raises(Unauthenticated):
        verifier([name]).caller([f"Bearer {token(PROVIDERS[name], changes)}"], FAR_DEADLINE)
    try:
        found = caller(name, changes)
    except Unauthenticated:
        return
    assert changes["iss"] in {each.claims["iss"] for each in PROVIDERS.values()} - {PROVIDERS[name].claims["iss"]}
    assert not found.subject.startswith(entry(name).prefix)


@pytest.mark.parametrize(("own", "other"), list(permutations(PROVIDERS, 2)))
def test_token_of_another_provider_is_rejected(own: str, other: str) -> None:
    """A token of another provider is rejected, even with the same key."""
    with pytest.raises(Unauthenticated):
        verifier([other]).caller([f"Bearer {token(PROVIDERS[own], {})}"], FAR_DEADLINE)


def test_entries_can_be_combined() -> None:
    """All entries of the guide together are a valid configuration, with the stack's own user pool."""
    entries = [entry(name) for name in PROVIDERS]

    check_issuers([*entries, TokenIssuer(issuer="https://user.pool", audiences=("researcher",), prefix="app:")])

    assert [f"### {name}" for name in PROVIDERS] == re.findall(r"^### .*", PAGES[PAGE], re.MULTILINE)


def test_shown_configuration_is_valid() -> None:
    """The configuration that shows where the entries belong is one that the functions decode."""
    first, *_, last = [each.text for each in fences("jsonc") if each.page == PAGE]
    shown, public = decode(first.encode()), msgspec.json.decode(last, type=TokenIssuer)

    assert (len(shown.token_issuers), shown.has_user_pool) == (1, True)
    assert public.sign_in is not None
