"""The reason why a request got no response; the response to the caller says only that the server is unavailable."""

from __future__ import annotations

import errno
import ssl
from typing import Final

from urllib3 import exceptions

from chalicelib.adapters.http.bounded_body import TooLargeError
from chalicelib.domain.failure_reasons import FailureReason

_REASONS: tuple[tuple[type[BaseException], FailureReason], ...] = (
    (ssl.SSLError, FailureReason.TLS_HANDSHAKE),
    (exceptions.NameResolutionError, FailureReason.NAME_RESOLUTION),
    (exceptions.NewConnectionError, FailureReason.CONNECT_FAILED),
    (exceptions.ConnectTimeoutError, FailureReason.CONNECT_TIMEOUT),
    (exceptions.TimeoutError, FailureReason.READ_TIMEOUT),
    (TimeoutError, FailureReason.READ_TIMEOUT),
    (TooLargeError, FailureReason.RESPONSE_TOO_LARGE),
    (exceptions.IncompleteRead, FailureReason.CONNECTION_CLOSED),
    (exceptions.ProtocolError, FailureReason.CONNECTION_CLOSED),
    (OSError, FailureReason.CONNECTION_CLOSED),
)
"""The first matching row applies, so a subclass comes before its base class."""

_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH)

# OpenSSL's codes: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_CHECKS: dict[int, FailureReason] = {
    **dict.fromkeys((2, 7, 18, 19, 20, 21), FailureReason.TLS_UNKNOWN_AUTHORITY),
    9: FailureReason.TLS_NOT_YET_VALID,
    10: FailureReason.TLS_EXPIRED,
    **dict.fromkeys((62, 64), FailureReason.TLS_WRONG_HOST),
}
_PROBLEMS = {
    FailureReason.TLS_UNKNOWN_AUTHORITY: "is not signed by a certificate authority that this API trusts",
    FailureReason.TLS_NOT_YET_VALID: "is not valid yet",
    FailureReason.TLS_EXPIRED: "has expired",
    FailureReason.TLS_WRONG_HOST: "is issued for another host",
}
UNTRUSTED: Final = frozenset(_PROBLEMS) | {FailureReason.TLS_VERIFICATION}
"""The server's certificate cannot be verified. A retry is useless until a certificate or a setting changes."""


def failure_reason(error: BaseException) -> FailureReason:
    """Return the reason of *error*, which urllib3 or a socket raised."""
    cause = _tls_error(error) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _CHECKS.get(getattr(cause, "verify_code", 0), FailureReason.TLS_VERIFICATION)
    if getattr(error.__cause__, "errno", None) in _NO_ROUTE:
        return FailureReason.NO_ROUTE
    return next((reason for kind, reason in _REASONS if isinstance(cause, kind)), FailureReason.CONNECTION_FAILED)


def certificate_problem(error: BaseException) -> str:
    """Return what is wrong with the certificate of an UNTRUSTED failure, as the predicate of a sentence."""
    return _PROBLEMS.get(failure_reason(error), "cannot be verified")


def _tls_error(error: BaseException) -> BaseException | None:
    """Return the error of the ssl module that urllib3 wraps, or None."""
    inner = error.args[0] if isinstance(error, exceptions.SSLError) and error.args else error
    return inner if isinstance(inner, ssl.SSLError) else None
