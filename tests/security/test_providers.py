"""Access tokens of common issuers: accepted with the settings of the documentation; similar tokens are rejected."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jwt
import pytest
from msgspec.structs import fields

from chalicelib.adapters.oidc.bearer_tokens import BearerTokens
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import Unauthenticated
from chalicelib.settings import Settings
from infra.local.signing_keys import SigningKeys
from tests.security.providers import PROVIDERS, Provider
from tests.support.builders import deployment
from tests.support.scripted_server import FAR_DEADLINE

if TYPE_CHECKING:
    from chalicelib.adapters.oidc.jwks import KeySet
    from chalicelib.deadline import Deadline

pytestmark = pytest.mark.attack("providers")

KEYS = SigningKeys()
PAGE = Path(__file__).parents[2] / "docs/operate/identity-providers.md"
SETTINGS = ("token_issuer", "token_audience", "token_audience_claim", "token_groups_claim", "token_subject_claim")


class PublishedKeys:
    """The issuer's keys as Entra ID and Okta publish them, optionally without `alg`."""

    def __init__(self, *, with_algorithm: bool) -> None:
        published = [{**key, "alg": "RS256" if with_algorithm else None} for key in KEYS.jwks()["keys"]]
        self._keys = {key["kid"]: jwt.PyJWK({name: value for name, value in key.items() if value}) for key in published}

    def find(self, key_id: str, deadline: Deadline) -> jwt.PyJWK | None:
        """Return the key of that id."""
        del deadline
        return self._keys.get(key_id)


def caller(provider: Provider, changes: dict[str, Any], *, with_algorithm: bool = True) -> Caller:
    """Return the caller that a deployment for *provider* derives from its token with *changes*."""
    now = int(time.time())
    claims = {"iat": now, "nbf": now, "exp": now + 3600, **provider.claims, **changes}
    payload = json.dumps({name: value for name, value in claims.items() if value is not None})
    token = KEYS.sign(payload.encode(), {"typ": provider.typ, "x5t": "thumbprint"})
    keys = cast("KeySet", PublishedKeys(with_algorithm=with_algorithm))
    return BearerTokens(deployment(**provider.settings), keys).caller([f"Bearer {token}"], FAR_DEADLINE)


@pytest.mark.parametrize("with_algorithm", [True, False], ids=["key with alg", "key without alg"])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_access_token_is_accepted(provider: Provider, with_algorithm: bool) -> None:
    """The documented access token gives the expected subject and group."""
    found = caller(provider, {}, with_algorithm=with_algorithm)

    assert found == Caller(provider.subject, (provider.group,))


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        pytest.param(provider, changes, id=f"{name}: {similar}")
        for name, provider in PROVIDERS.items()
        for similar, changes in provider.similar.items()
    ],
)
def test_similar_token_is_rejected(provider: Provider, changes: dict[str, Any]) -> None:
    """A similar token is rejected although the same keys may have signed it."""
    with pytest.raises(Unauthenticated):
        caller(provider, changes)


@pytest.mark.parametrize("claims", [pytest.param(provider.claims, id=name) for name, provider in PROVIDERS.items()])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_token_of_another_provider_is_rejected(provider: Provider, claims: dict[str, Any]) -> None:
    """A token of another provider is rejected, even with the same key."""
    if claims is provider.claims:
        assert caller(provider, {}).subject == provider.subject
    else:
        with pytest.raises(Unauthenticated):
            caller(Provider(provider.settings, claims, "", {}), {})


@pytest.mark.parametrize(("name", "provider"), PROVIDERS.items(), ids=PROVIDERS)
def test_page_has_the_settings(name: str, provider: Provider) -> None:
    """The page has the settings of each provider, with placeholders, and a dash for a default."""
    row = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert row is not None
    cells = [cell.strip().strip("`") for cell in row[1].split("|")]
    configured = deployment(**provider.settings)
    defaults = {field.name: field.default for field in fields(Settings)}

    for cell, field in zip(cells, SETTINGS, strict=True):
        value, pattern = getattr(configured, field), re.sub(r"<[a-z ]+>", "[^/]+", re.escape(cell).replace(r"\ ", " "))
        assert cell == "-" if value == defaults[field] else re.fullmatch(pattern, value)
