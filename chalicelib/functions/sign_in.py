"""sign_in: GET /sign-in returns how people sign in: the public clients of the token issuers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

import msgspec
from chalice.app import Blueprint

from chalicelib import configuration
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.domain.token_issuer import SignIn, TokenIssuer

routes = Blueprint(__name__)


class SignInIssuer(msgspec.Struct, frozen=True, rename="camel"):
    """A token issuer with a public client."""

    issuer: Annotated[
        str,
        msgspec.Meta(description="The OpenID Connect issuer; its discovery document has the URLs of all endpoints."),
    ]
    client_id: Annotated[
        str,
        msgspec.Meta(description="The client ID for the authorization code flow with PKCE. The client has no secret."),
    ]
    scopes: Annotated[list[str], msgspec.Meta(description="The scopes to request.")]
    redirect_uris: Annotated[
        list[str],
        msgspec.Meta(
            description="The redirect URIs to choose from. If there are none, use any port of `http://127.0.0.1`."
        ),
    ]
    device_flow: Annotated[
        bool, msgspec.Meta(description="Whether the client may use the device authorization grant (RFC 8628).")
    ]

    @classmethod
    def of(cls, issuer: TokenIssuer, client: SignIn) -> Self:
        """Return what is public of *issuer* and its *client*."""
        return cls(
            issuer.issuer, client.client_id, [*client.scopes], [*client.redirect_uris], device_flow=client.device_flow
        )


class SignInDocument(msgspec.Struct, frozen=True):
    """How people sign in."""

    data: Annotated[
        list[SignInIssuer],
        msgspec.Meta(description="The issuers with which people sign in; empty if only Applications have tokens."),
    ]


_EXAMPLE = {
    "data": [
        {
            "issuer": "https://example.okta.com/oauth2/default",
            "clientId": "0oa1b2c3d4",
            "scopes": ["openid", "groups"],
            "redirectUris": [],
            "deviceFlow": True,
        }
    ]
}

OPERATION = Operation(
    summary="Find out how to sign in",
    description=(
        "Returns the token issuers with which people sign in, in a browser or on a terminal. Applications have clients "
        "of their own. No token is required."
    ),
    responses={200: SuccessResponse("The issuers.", SignInDocument, _EXAMPLE)},
    tag="Service",
)


@routes.route(f"{BASE}/sign-in", methods=["GET"], name="sign_in", **ANY_TYPE)
@endpoint(routes, OPERATION)
def sign_in(request: Request) -> Response:
    """Return the issuers of this deployment that are public."""
    del request
    document = SignInDocument(public(configuration.token_issuers(settings())))
    return Response(document, headers={"Cache-Control": "public, max-age=300"})


def public(issuers: Iterable[TokenIssuer]) -> list[SignInIssuer]:
    """Return what is published of *issuers*: nothing of those without a public client."""
    return [SignInIssuer.of(issuer, issuer.sign_in) for issuer in issuers if issuer.sign_in]
