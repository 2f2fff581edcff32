"""A trusted token issuer: which of its tokens are accepted, and whom their claims name.

Each issuer has a prefix for its groups and subjects. No prefix begins another one, and only an issuer that is alone has
none, so a name belongs to one issuer: no token makes its caller a member of another issuer's group.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from chalicelib.domain.access_token import ALGORITHMS, Algorithm
from chalicelib.domain.group_template import GroupTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

Text = Annotated[str, msgspec.Meta(min_length=1)]
Scope = Annotated[str, msgspec.Meta(pattern=r"^[!#-\[\]-~]+$(?!\n)")]
"""A scope token of RFC 6749, 3.3."""
Certificate = Annotated[
    str,
    msgspec.Meta(
        description="A certificate in PEM, or the base64 of one, as DescribeCluster returns it.",
        min_length=1,
    ),
]
_PRIVATE = frozenset({"d", "dp", "dq", "k", "oth", "p", "q", "qi"})
"""The members of private and symmetric keys (RFC 7518, 6)."""
GROUPS_CLAIMS = ("groups",)

_URL = re.compile(
    r"(https://[A-Za-z0-9.:\[\]-]+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?)"
    r"(/[A-Za-z0-9._~%:@!$&'()*+,;=/-]*)?"
)
_PREFIX = re.compile(r"([A-Za-z0-9][A-Za-z0-9._@|:+=/~-]{0,31})?")


class PublicKeys(msgspec.Struct, frozen=True, omit_defaults=True):
    """A JSON Web Key Set (RFC 7517)."""

    keys: Annotated[
        tuple[dict[str, Any], ...],
        msgspec.Meta(description="The public keys, each with its `kid`, as the issuer publishes them.", min_length=1),
    ]

    def __post_init__(self) -> None:
        """Check that there are only public keys; ValueError has no value of them."""
        if any(key.keys() & _PRIVATE for key in self.keys):
            raise ValueError("keySet must have public keys only: it has a private or symmetric one")


class SignIn(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The public client of an issuer, with which people sign in."""

    client_id: Annotated[
        Text, msgspec.Meta(description="The client for the authorization code flow with PKCE; it has no secret.")
    ]
    scopes: Annotated[
        tuple[Scope, ...],
        msgspec.Meta(description="The scopes to request, so that the token has the audience.", min_length=1),
    ] = ("openid",)
    redirect_uris: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            description="The redirect URIs to choose from; if there are none, the issuer accepts any port of loopback."
        ),
    ] = ()
    device_flow: Annotated[
        bool,
        msgspec.Meta(description="The client may use the device authorization grant (RFC 8628), for terminals."),
    ] = False

    def __post_init__(self) -> None:
        """Check what the types do not say; ValueError names the field and never its value."""
        if not all(_URL.fullmatch(each) for each in self.redirect_uris):
            raise ValueError("redirectUris must be https URLs without a query; http is accepted only for loopback")


class TokenIssuer(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """An OpenID Connect issuer whose access tokens are accepted."""

    issuer: Annotated[
        str,
        msgspec.Meta(description="The `iss` of its tokens, and the URL below which its discovery document is."),
    ]
    audiences: Annotated[
        tuple[Text, ...], msgspec.Meta(description="The accepted values of the audience claim.", min_length=1)
    ]
    audience_claim: Annotated[
        Text,
        msgspec.Meta(
            description=(
                "For Cognito's access tokens, which have no `aud`: `scope` (the resource server's identifier) or "
                "`client_id`."
            )
        ),
    ] = "aud"
    subject_claim: Annotated[
        Text,
        msgspec.Meta(
            description="The claim that names the caller, shown as a Job's `user` and in the cluster's audit log."
        ),
    ] = "sub"
    groups_claims: Annotated[
        tuple[Text, ...],
        msgspec.Meta(
            description="The claims with groups: lists of groups, or strings of scopes such as Cognito's `scope`."
        ),
    ] = GROUPS_CLAIMS
    scope_prefix: Annotated[Text, msgspec.Meta(description="The prefix of scopes that are groups.")] = "researcher/"
    group_template: Annotated[
        str,
        msgspec.Meta(
            description=(
                "In place of `groupsClaims`: one group that is made of claims, such as "
                "`{repository_id}@{environment}`. A token without one of them is refused."
            )
        ),
    ] = ""
    prefix: Annotated[
        str,
        msgspec.Meta(
            description=(
                "Precedes the groups and the subject of each token: with `github:`, a Project names the group "
                "`github:acme/train`. Required if there is another issuer; none may begin another."
            )
        ),
    ] = ""
    algorithms: Annotated[
        tuple[Algorithm, ...],
        msgspec.Meta(description="The accepted algorithms of signatures; by default all.", min_length=1),
    ] = ALGORITHMS

    authorities: Annotated[
        tuple[Certificate, ...],
        msgspec.Meta(
            description="The certificate authorities of an issuer with a private one, in place of the public ones."
        ),
    ] = ()
    key_set: Annotated[
        PublicKeys | None,
        msgspec.Meta(
            description=(
                "The keys of an issuer that the functions cannot reach: they send it no request. A new key needs a "
                "deployment."
            )
        ),
    ] = None
    sign_in: Annotated[
        SignIn | None,
        msgspec.Meta(description="Marks the issuer public: `GET /sign-in` and the OpenAPI document name its client."),
    ] = None

    def __post_init__(self) -> None:
        """Check what the types do not say; ValueError names the field and never its value."""
        if not _URL.fullmatch(self.issuer):
            raise ValueError("issuer must be an https URL without a query; http is accepted only for loopback")
        if not _PREFIX.fullmatch(self.prefix) or self.prefix.startswith("s3-"):
            raise ValueError("prefix must begin with a letter or digit, have up to 32 characters, and not begin s3-")
        if self.group_template and self.groups_claims != GROUPS_CLAIMS:
            raise ValueError("groupsClaims and groupTemplate must not both be set")
        if self.key_set and self.authorities:
            raise ValueError("authorities and keySet must not both be set: with keySet no request is sent")
        if self.group_template:
            self.template()

    def template(self) -> GroupTemplate | None:
        """Return the group template, or None if groups are claims."""
        return _template(self.group_template) if self.group_template else None


@cache
def _template(text: str) -> GroupTemplate:
    return GroupTemplate.parse(text)


def check_issuers(issuers: Sequence[TokenIssuer]) -> None:
    """Raise ValueError if a name could belong to two of *issuers*."""
    if len({each.issuer.rstrip("/") for each in issuers}) < len(issuers):
        raise ValueError("issuers must not have the same issuer twice")
    if len(issuers) > 1 and not all(each.prefix for each in issuers):
        raise ValueError("issuers must have a prefix each, because there is more than one")
    for one in issuers:
        if any(other is not one and other.prefix.startswith(one.prefix) for other in issuers):
            raise ValueError("issuers must not have a prefix that begins the prefix of another one")
