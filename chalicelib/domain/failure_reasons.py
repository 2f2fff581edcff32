"""The reasons of failures of other systems, as a fixed list for the log: `why` of a line is one of them.

A reason is never the text of a library or of another system, which may contain a secret. The system is named in front
of it, as in `sts: access_denied`, except for the cluster.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from chalicelib.domain.errors import ResearcherError

Failure = TypeVar("Failure", bound="ResearcherError")
System = Literal["sts", "issuer", "s3", "eventbridge"]


class FailureReason(StrEnum):
    """Why a request to another system failed; the docstring of each is published, and says what to check."""

    NAME_RESOLUTION = "name_resolution"
    """DNS has no address for the host: the host name in the settings, and the resolver of the VPC."""
    CONNECT_TIMEOUT = "connect_timeout"
    """No TCP connection in time: security groups, network ACLs, and the `publicAccessCidrs` of a public endpoint."""
    NO_ROUTE = "no_route"
    """The network has no route to the host: the route tables of the subnets, and the NAT gateway."""
    CONNECT_FAILED = "connect_failed"
    """The host refused the TCP connection: the port, and whether the server runs."""
    READ_TIMEOUT = "read_timeout"
    """The server accepted the connection and did not respond in time: its load."""
    CONNECTION_CLOSED = "connection_closed"
    """The connection ended before the whole response, or the response is not HTTP: a load balancer or a proxy."""
    CONNECTION_FAILED = "connection_failed"
    """The connection failed in another way."""
    TLS_HANDSHAKE = "tls_handshake"
    """The TLS handshake failed before the certificate was verified: the port, a proxy, or the versions of TLS."""
    TLS_UNKNOWN_AUTHORITY = "tls_verification_unknown_authority"
    """No trusted authority has signed the certificate: `clusterAuthorities`, or a proxy that replaces certificates."""
    TLS_EXPIRED = "tls_verification_expired"
    """The certificate, or one of its chain, has expired."""
    TLS_NOT_YET_VALID = "tls_verification_not_yet_valid"
    """The certificate, or one of its chain, is not valid yet."""
    TLS_WRONG_HOST = "tls_verification_wrong_host"
    """The certificate is issued for another host: the host name in the settings."""
    TLS_VERIFICATION = "tls_verification"
    """The certificate failed another check, such as its key usage or the strength of its key."""
    RESPONSE_TOO_LARGE = "response_too_large"
    """The response exceeds the limit of this API."""
    INVALID_RESPONSE = "invalid_response"
    """The response was cut off, or is not from that system: a proxy, or the endpoint in the settings."""
    CIRCUIT_BREAKER_OPEN = "circuit_breaker_open"
    """Earlier requests of this process failed, and none was sent: see their lines."""
    DEADLINE_EXCEEDED = "deadline_exceeded"
    """The time limit of the request was over before this call."""
    CONFLICT = "conflict"
    """Concurrent writers kept changing the same object; the caller can repeat the request."""
    IMPERSONATION_FORBIDDEN = "impersonation_forbidden"
    """The cluster does not let this API impersonate the caller: the ClusterRoles of `infra/kubernetes`."""
    FORBIDDEN_TO_API = "forbidden_to_api"
    """The cluster does not let this API read Projects: its access entry, and the manifests of `infra/kubernetes`."""
    ACCESS_DENIED = "access_denied"
    """AWS denies the call: the policies of the role, its trust and ExternalId, the bucket, the endpoint or an SCP."""
    THROTTLED = "throttled"
    """AWS throttles the calls of this account."""
    REGION_DISABLED = "region_disabled"
    """AWS STS is not activated in this region: the account settings of IAM."""
    EXPIRED_CREDENTIALS = "expired_credentials"
    """The credentials of the function have expired."""
    INVALID_CREDENTIALS = "invalid_credentials"
    """AWS does not know the credentials of the function, or rejects their signature: the region, and the clock."""
    NO_CREDENTIALS = "no_credentials"
    """The function has no credentials: its execution role."""
    NO_SUCH_BUCKET = "no_such_bucket"
    """The bucket does not exist: `UPLOADS_BUCKET`."""
    WRONG_REGION = "wrong_region"
    """The bucket is in another region than the stack."""
    INVALID_URL = "invalid_url"
    """The URL of the token issuer, or of its keys, is not a URL."""
    INSECURE_URL = "insecure_url"
    """The URL of the token issuer, or of its keys, does not begin with `https://`."""
    INVALID_JSON = "invalid_json"
    """The token issuer's document is not a JSON object: `tokenIssuers`, or a proxy."""
    ISSUER_MISMATCH = "issuer_mismatch"
    """The discovery document names another issuer: `tokenIssuers`."""
    INVALID_KEY_SET = "invalid_key_set"
    """The token issuer's keys are not a JSON Web Key Set, or it is empty."""
    NO_USABLE_KEYS = "no_usable_keys"
    """The token issuer has no key for signatures that has an ID."""


def status_reason(status: int) -> str:
    """Return the reason for a response with an unexpected HTTP *status*, of the system or of a proxy before it."""
    return f"status_{status}"


def note_reason(error: Failure, reason: str, system: System | None = None) -> Failure:
    """Add *reason*, a FailureReason or that of a status, to the log line of *error*, and return it."""
    error.add_note(f"{system}: {reason}" if system else str(reason))
    return error
