"""The configuration of a stage: what is too long for the environment variables of a function, which hold 4 KiB.

`make package` checks the stage's file and writes it into the zip, where each process reads it once, when it first needs
it. Because each zip belongs to one deployment, a function never sees a configuration of another release.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.token_issuer import Certificate, SignIn, TokenIssuer, check_issuers
from chalicelib.settings import InvalidSettingError

if TYPE_CHECKING:
    from chalicelib.settings import Settings

PACKAGED = Path(__file__).parent / "configuration.json"
"""The file in the zip; CONFIGURATION_FILE names another one."""
PEM = "-----BEGIN CERTIFICATE-----"

SIGN_IN_SCOPE = "researcher-people/sign-in"
"""The scope of people at the stack's own user pool; it is not a group."""
REDIRECT_URI = "http://localhost:8976/callback"
"""The redirect URI of the same: Cognito compares the port as well."""


class Configuration(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """The configuration of one stage."""

    schema_: Annotated[str, msgspec.Meta(description="The JSON Schema of this file, for editors.")] = msgspec.field(
        name="$schema", default=""
    )
    cluster_authorities: Annotated[
        tuple[Certificate, ...],
        msgspec.Meta(
            description=(
                "The certificate authorities of the cluster. To replace one without an outage, deploy the old and the "
                "new one together first."
            ),
            min_length=1,
        ),
    ]
    user_pool_prefix: Annotated[
        str,
        msgspec.Meta(
            description=(
                "The prefix of the stack's own Cognito user pool. With `tokenIssuers`, the stack has a user pool only "
                "if this is set."
            )
        ),
    ] = ""
    token_issuers: Annotated[
        tuple[TokenIssuer, ...], msgspec.Meta(description="The issuers whose access tokens are accepted.")
    ] = ()

    def __post_init__(self) -> None:
        """Check the issuers together; ValueError if a name could belong to two of them."""
        check_issuers([*self.token_issuers, *([self.user_pool("https://user.pool")] if self.has_user_pool else [])])

    @property
    def has_user_pool(self) -> bool:
        """Return whether the stack has its own user pool."""
        return not self.token_issuers or bool(self.user_pool_prefix)

    def user_pool(self, issuer: str, client_id: str = "") -> TokenIssuer:
        """Return the stack's own user pool, with the public client *client_id* for people.

        The groups of an Application are scopes of the resource server `researcher`: Cognito issues only those that it
        is allowed, so one of them is sufficient as the audience. The client of people is shared, so its
        only scope is of another resource server, and their groups are those of the user pool.
        """
        sign_in = SignIn(client_id=client_id, scopes=("openid", SIGN_IN_SCOPE), redirect_uris=(REDIRECT_URI,))
        return TokenIssuer(
            issuer=issuer,
            audiences=("researcher", SIGN_IN_SCOPE.partition("/")[0]),
            audience_claim="scope",
            groups_claims=("scope", "cognito:groups"),
            prefix=self.user_pool_prefix,
            sign_in=sign_in if client_id else None,
        )


@cache
def load(path: str) -> Configuration:
    """Return the configuration in the file *path*, by default that of the zip, read once in each process.

    Raises:
        InvalidSettingError: the file is missing or invalid. The text names the field and never its value.
    """
    try:
        return decode(Path(path or PACKAGED).read_bytes())
    except OSError as error:
        raise InvalidSettingError("the zip has no configuration.json: package the stage with its configuration") from (
            error
        )
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidSettingError(f"configuration.json is invalid: {error}") from error


def token_issuers(settings: Settings) -> tuple[TokenIssuer, ...]:
    """Return the trusted issuers of this deployment; InvalidSettingError if there is none, or names could be mixed."""
    configuration = load(settings.configuration_file)
    issuers = configuration.token_issuers
    if settings.user_pool_issuer:
        issuers = (*issuers, configuration.user_pool(settings.user_pool_issuer, settings.user_pool_client_id))
    try:
        check_issuers(issuers)
    except ValueError as error:
        raise InvalidSettingError(f"configuration.json and the user pool of the stack: {error}") from error
    if not issuers:
        raise InvalidSettingError("no token issuer is configured: add one, or let the stack create a user pool")
    return issuers


def decode(text: bytes) -> Configuration:
    """Return the configuration in *text*; raise msgspec.MsgspecError, with the place, if it is invalid."""
    return msgspec.json.decode(text, type=Configuration)


def pem(certificates: tuple[str, ...]) -> str:
    """Return *certificates* in PEM; raise ValueError if one is neither PEM nor the base64 of it."""
    texts = [each if PEM in each else base64.b64decode(each, validate=True).decode() for each in certificates]
    if any(PEM not in text for text in texts):
        raise ValueError("no certificate in PEM")
    return "\n".join(texts)
