"""The documented access tokens of five issuers, and the settings of a deployment for each.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
https://www.keycloak.org/docs/latest/server_admin/#_protocol-mappers
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TENANT = "5c1a9d1e-0f4b-4a57-9a53-0a4d4e6c2f10"
OTHER_TENANT = "11111111-2222-3333-4444-555555555555"
APPLICATION = "2f6e8a54-6d1b-4a8c-8e0e-6b3f0c9d7a21"
OBJECT = "8d0a4c4e-7a0b-4f0e-9a58-3c1f5b6d9e77"

POOL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
REALM = "https://sso.example.com/realms/research"
ENTRA_1 = f"https://sts.windows.net/{TENANT}/"
ENTRA_2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
OKTA = "https://example.okta.com/oauth2/default"
AUTH0 = "https://example.eu.auth0.com/"
LOGOUT: dict[str, Any] = {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "typ": None}


@dataclass(frozen=True)
class Provider:
    """An issuer: settings, claims and header type of a token, its subject and group, and similar tokens to reject."""

    settings: dict[str, str]
    claims: dict[str, Any]
    subject: str
    similar: dict[str, dict[str, Any]]
    typ: str | None = "JWT"
    group: str = "team-a"


PROVIDERS = {
    "Amazon Cognito": Provider(
        {
            "token_issuer": POOL,
            "token_audience": "1example23456789",
            "token_audience_claim": "client_id",
            "token_groups_claim": "scope",
            "token_subject_claim": "client_id",
        },
        {
            "iss": POOL, "sub": "1example23456789", "client_id": "1example23456789", "token_use": "access",
            "version": 2, "scope": "researcher/team-a other/read", "auth_time": 1795510800, "jti": "a-b-c",
        },
        "1example23456789",
        {
            "another pool": {"iss": POOL[:-1] + "X"},
            "another client": {"client_id": "9other"},
            "an ID token": {"token_use": "id", "aud": "1example23456789", "cognito:username": "a"},
        },
        typ=None,
    ),
    "Keycloak": Provider(
        {"token_issuer": REALM, "token_audience": "researcher", "token_subject_claim": "preferred_username"},
        {
            "iss": REALM, "aud": ["researcher", "account"], "sub": OBJECT, "typ": "Bearer", "azp": "notebooks",
            "acr": "1", "realm_access": {"roles": ["offline_access"]}, "scope": "openid profile", "groups": ["/team-a"],
            "preferred_username": "alice", "jti": "onrtac:1", "email_verified": False, "sid": OBJECT,
        },
        "alice",
        {
            "another realm": {"iss": REALM.replace("research", "guests")},
            "no audience mapper": {"aud": "account"},
            "no audience": {"aud": None},
            "an ID token for the client researcher": {"aud": "researcher", "azp": "researcher", "typ": "ID"},
            "a refresh token": {"typ": "Refresh"},
            "an offline token": {"typ": "Offline"},
            "a logout token": LOGOUT,
            "a logout token with a typ": {**LOGOUT, "typ": "Logout"},
            "a token bound to a key": {"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},
        },
        group="/team-a",
    ),
    "Entra ID, v1": Provider(
        {"token_issuer": ENTRA_1, "token_audience": f"api://{APPLICATION}", "token_groups_claim": "roles",
         "token_subject_claim": "oid"},
        {
            "iss": ENTRA_1, "aud": f"api://{APPLICATION}", "appid": OTHER_TENANT, "appidacr": "1", "idp": ENTRA_1,
            "oid": OBJECT, "sub": OBJECT, "tid": TENANT, "roles": ["team-a"], "ver": "1.0", "uti": "x",
        },
        OBJECT,
        {
            "another tenant, same keys": {"iss": ENTRA_1.replace(TENANT, OTHER_TENANT), "tid": OTHER_TENANT},
            "for Graph": {"aud": "https://graph.microsoft.com"},
            "of version 2": {"iss": ENTRA_2, "aud": APPLICATION, "ver": "2.0"},
            "an ID token": {"appid": None, "appidacr": None},
            "an ID token with a nonce": {"nonce": "n-0S6_WzA2Mj"},
        },
    ),
    "Entra ID, v2": Provider(
        {"token_issuer": ENTRA_2, "token_audience": APPLICATION, "token_groups_claim": "roles",
         "token_subject_claim": "oid"},
        {
            "iss": ENTRA_2, "aud": APPLICATION, "azp": OTHER_TENANT, "azpacr": "1", "oid": OBJECT, "sub": OBJECT,
            "tid": TENANT, "roles": ["team-a"], "ver": "2.0", "uti": "x",
        },
        OBJECT,
        {
            "another tenant, same keys": {"iss": ENTRA_2.replace(TENANT, OTHER_TENANT), "tid": OTHER_TENANT},
            "for another application": {"aud": OTHER_TENANT},
            "of version 1": {"iss": ENTRA_1, "aud": f"api://{APPLICATION}", "ver": "1.0"},
            "an ID token": {"azp": None, "azpacr": None, "preferred_username": "alice@example.com"},
            "an ID token with a nonce": {"nonce": "n-0S6_WzA2Mj"},
            "an ID token with the hash of a code": {"c_hash": "LDktKdoQak3Pk0cnXxCltA"},
        },
    ),
    "Okta": Provider(
        {"token_issuer": OKTA, "token_audience": "api://researcher"},
        {
            "iss": OKTA, "aud": "api://researcher", "sub": "alice@example.com", "cid": "0oa1", "uid": "00u1", "ver": 1,
            "scp": ["openid", "jobs"], "groups": ["team-a"], "auth_time": 1795510800, "jti": "AT.x",
        },
        "alice@example.com",
        {
            "of the organization's server": {"iss": "https://example.okta.com", "aud": "https://example.okta.com"},
            "of another server": {"iss": OKTA.replace("default", "other")},
            "for another API": {"aud": "api://default"},
            "an ID token": {"aud": "0oa1", "cid": None, "amr": ["pwd"], "jti": "ID.x"},
            "an ID token for us": {"cid": None, "amr": ["pwd"], "jti": "ID.x"},
            "an ID token with the hash of an access token": {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"},
        },
        typ=None,
    ),
    "Auth0": Provider(
        {"token_issuer": AUTH0, "token_audience": "https://researcher.example.com",
         "token_groups_claim": "permissions"},
        {
            "iss": AUTH0, "aud": ["https://researcher.example.com", AUTH0 + "userinfo"], "sub": "auth0|65f0",
            "azp": "c1", "scope": "openid researcher/team-b", "permissions": ["team-a"],
        },
        "auth0|65f0",
        {
            "another tenant": {"iss": "https://evil.eu.auth0.com/"},
            "for another API": {"aud": AUTH0 + "userinfo"},
            "an ID token": {"aud": "c1", "sid": "1", "name": "Alice"},
            "an ID token with a nonce": {"nonce": "n-0S6_WzA2Mj"},
            "a logout token": LOGOUT,
        },
        typ="at+jwt",
    ),
}  # fmt: skip
"""The issuers, by their names in the table of docs/operate/identity-providers.md."""
