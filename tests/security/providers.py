"""The documented access tokens of eight issuers, and the values for the entries of the guide.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
https://www.keycloak.org/docs/latest/server_admin/#_protocol-mappers
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
https://docs.github.com/en/actions/reference/security/oidc
https://docs.gitlab.com/ci/secrets/id_token_authentication/
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.support.documentation import PAGES

PAGE = "docs/operate/identity-providers.md"

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
GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
EKS = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
LOGOUT: dict[str, Any] = {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "typ": None}

GITHUB_CLAIMS: dict[str, Any] = {
    "iss": GITHUB, "aud": "researcher", "sub": "repo:acme/train:environment:production", "jti": OBJECT,
    "environment": "production", "ref": "refs/heads/main", "ref_type": "branch", "ref_protected": "true",
    "sha": "example-sha", "repository": "acme/train", "repository_id": "74", "repository_owner": "acme",
    "repository_owner_id": "65", "repository_visibility": "private", "actor": "octocat", "actor_id": "12",
    "run_id": "example-run-id", "run_number": "10", "run_attempt": "2", "workflow": "evaluate", "head_ref": "",
    "base_ref": "", "event_name": "workflow_dispatch", "runner_environment": "github-hosted",
    "workflow_ref": "acme/train/.github/workflows/evaluate.yml@refs/heads/main",
    "job_workflow_ref": "acme/train/.github/workflows/evaluate.yml@refs/heads/main",
}  # fmt: skip
GITLAB_CLAIMS: dict[str, Any] = {
    "iss": GITLAB, "aud": "researcher", "sub": "project_path:acme/train:ref_type:branch:ref:main", "jti": OBJECT,
    "namespace_id": "72", "namespace_path": "acme", "project_id": "20", "project_path": "acme/train", "user_id": "1",
    "user_login": "octocat", "user_email": "octocat@example.com", "user_access_level": "developer",
    "user_identities": [{"provider": "github", "extern_uid": "1"}], "pipeline_id": "574", "pipeline_source": "push",
    "job_id": "302", "ref": "main", "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true",
    "groups_direct": ["acme", "team-b"], "environment": "production", "environment_protected": "true",
    "deployment_tier": "production", "runner_id": 1, "runner_environment": "gitlab-hosted",
    "ci_config_ref_uri": "gitlab.com/acme/train//.gitlab-ci.yml@refs/heads/main", "project_visibility": "private",
}  # fmt: skip


@dataclass(frozen=True)
class Provider:
    """An issuer: the values for its entry in the guide, a token's claims, subject and group, and similar tokens."""

    values: dict[str, str]
    claims: dict[str, Any]
    subject: str
    similar: dict[str, dict[str, Any]]
    typ: str | None = "JWT"
    group: str = "team-a"


PROVIDERS = {
    "Amazon Cognito": Provider(
        {"region": "eu-west-1", "user pool": "eu-west-1_AbCdEfGhI", "client id": "1example23456789"},
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
        {"host": "sso.example.com", "realm": "research"},
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
        {"tenant": TENANT, "application": APPLICATION},
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
        {"tenant": TENANT, "application": APPLICATION},
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
        {"domain": "example.okta.com", "server": "default"},
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
        {"tenant": "example.eu", "identifier": "researcher.example.com"},
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
    "GitHub Actions": Provider(
        {},
        GITHUB_CLAIMS,
        "acme/train",
        {
            "for the default audience": {"aud": "https://github.com/acme"},
            "for AWS": {"aud": "sts.amazonaws.com"},
            "of a server of its own": {"iss": "https://github.example.com/_services/token"},
            "of an enterprise": {"iss": f"{GITHUB}/acme"},
            "without an environment": {"environment": None},
            "with an empty environment": {"environment": ""},
            "with a separator in the environment": {"environment": "x@production"},
            "without a repository": {"repository_id": None},
            "with a separator in the repository": {"repository_id": "74@x"},
            "with a list": {"environment": ["production"]},
            "with a boolean": {"repository_id": True},
        },
        group="74@production",
    ),
    "GitLab CI": Provider(
        {},
        GITLAB_CLAIMS,
        "acme/train",
        {
            "for its own API": {"aud": "https://gitlab.com"},
            "of a server of its own": {"iss": "https://gitlab.example.com"},
            "without an environment": {"environment": None},
            "with a separator in the environment": {"environment": "review@x"},
            "with a fraction": {"project_id": 20.5},
        },
        group="20@production",
    ),
    "The EKS cluster": Provider(
        {"region": "eu-west-1", "cluster id": "0123456789ABCDEF0123456789ABCDEF"},
        {
            "iss": EKS, "aud": ["researcher"], "sub": "system:serviceaccount:ci:runner", "jti": "0a1b",
            "kubernetes.io": {
                "namespace": "ci", "node": {"name": "ip-10-0-0-1", "uid": OBJECT}, "pod": {"name": "r", "uid": OBJECT},
                "serviceaccount": {"name": "runner", "uid": OBJECT},
            },
        },
        "system:serviceaccount:ci:runner",
        {
            "for the API server": {"aud": ["https://kubernetes.default.svc"]},
            "for AWS": {"aud": ["sts.amazonaws.com"]},
            "of another cluster": {"iss": EKS[:-1] + "0"},
        },
        typ=None,
        group="system:serviceaccount:ci:runner",
    ),
}  # fmt: skip
"""The issuers, by their headings in docs/operate/identity-providers.md."""


def guide_entry(name: str) -> dict[str, Any]:
    """Return the entry of the guide for the issuer *name*, with the values of its tokens."""
    section = PAGES[PAGE].partition(f"\n### {name}\n")[2]
    text = section.partition("```jsonc\n")[2].partition("```")[0]
    entry: dict[str, Any] = json.loads(
        re.sub(r"<([a-z ]+)>", lambda placeholder: PROVIDERS[name].values[placeholder[1]], text)
    )
    return entry
