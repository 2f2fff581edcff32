"""Access tokens of the issuers people have: taken when set up as the documentation says, and no neighbour's."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jwt
import pytest
from msgspec.structs import fields

from chalicelib.adapters.oidc.bearer_tokens import Tokens
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import Unauthenticated
from chalicelib.settings import Settings
from infra.local.signing_keys import SigningKeys
from tests.security.providers import PROVIDERS, Provider
from tests.support.builders import deployment
from tests.support.scripted_server import NO_HURRY

if TYPE_CHECKING:
    from chalicelib.adapters.oidc.jwks import KeySet
    from chalicelib.deadline import Deadline

pytestmark = pytest.mark.attack("providers")

KEYS = SigningKeys()
PAGE = Path(__file__).parents[2] / "docs/operate/identity-providers.md"
SETTINGS = ("token_issuer", "token_audience", "token_audience_claim", "token_groups_claim", "token_subject_claim")


class PublishedKeys:
    """The issuer's keys as Entra ID and Okta publish theirs, some without a word on the algorithm."""

    def __init__(self, *, with_algorithm: bool) -> None:
        published = [{**key, "alg": "RS256" if with_algorithm else None} for key in KEYS.jwks()["keys"]]
        self._keys = {key["kid"]: jwt.PyJWK({name: value for name, value in key.items() if value}) for key in published}

    def find(self, key_id: str, deadline: Deadline) -> jwt.PyJWK | None:
        """The key of that id."""
        del deadline
        return self._keys.get(key_id)


def caller(provider: Provider, changes: dict[str, Any], *, with_algorithm: bool = True) -> Caller:
    """Whom a deployment for *provider* takes its token for, with *changes*."""
    now = int(time.time())
    claims = {"iat": now, "nbf": now, "exp": now + 3600, **provider.claims, **changes}
    payload = json.dumps({name: value for name, value in claims.items() if value is not None})
    token = KEYS.sign(payload.encode(), {"typ": provider.typ, "x5t": "thumbprint"})
    keys = cast("KeySet", PublishedKeys(with_algorithm=with_algorithm))
    return Tokens(deployment(**provider.settings), keys).caller([f"Bearer {token}"], NO_HURRY)


@pytest.mark.parametrize("with_algorithm", [True, False], ids=["key with alg", "key without alg"])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_its_access_token_is_taken(provider: Provider, with_algorithm: bool) -> None:
    """For the subject and the group in its documented claims."""
    found = caller(provider, {}, with_algorithm=with_algorithm)

    assert found == Caller(provider.subject, (provider.group,))


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        pytest.param(provider, changes, id=f"{name}: {neighbour}")
        for name, provider in PROVIDERS.items()
        for neighbour, changes in provider.neighbours.items()
    ],
)
def test_its_neighbours_token_is_refused(provider: Provider, changes: dict[str, Any]) -> None:
    """Although the same keys may have signed it."""
    with pytest.raises(Unauthenticated):
        caller(provider, changes)


@pytest.mark.parametrize("claims", [pytest.param(one.claims, id=name) for name, one in PROVIDERS.items()])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_another_providers_token_is_refused(provider: Provider, claims: dict[str, Any]) -> None:
    """Even if all of them had one key."""
    if claims is provider.claims:
        assert caller(provider, {}).subject == provider.subject
    else:
        with pytest.raises(Unauthenticated):
            caller(Provider(provider.settings, claims, "", {}), {})


@pytest.mark.parametrize(("name", "provider"), PROVIDERS.items(), ids=PROVIDERS)
def test_page_says_how_to_set_it_up(name: str, provider: Provider) -> None:
    """With placeholders where each deployment differs, and a dash for the default."""
    row = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert row is not None
    told = [cell.strip().strip("`") for cell in row[1].split("|")]
    given = deployment(**provider.settings)
    defaults = {field.name: field.default for field in fields(Settings)}

    for cell, field in zip(told, SETTINGS, strict=True):
        value, pattern = getattr(given, field), re.sub(r"<[a-z ]+>", "[^/]+", re.escape(cell).replace(r"\ ", " "))
        assert cell == "-" if value == defaults[field] else re.fullmatch(pattern, value)
