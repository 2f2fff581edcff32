"""The reason why a request got no response, as one of a fixed list of codes for the log; never the text of a library.

The response to the caller says only that the server is unavailable; the log needs the reason.
"""

from __future__ import annotations

import ssl
from typing import Final

from urllib3 import exceptions

from chalicelib.adapters.http.bounded_body import TooLargeError

TLS_VERIFICATION: Final = "tls_verification"
"""The server's certificate cannot be verified. A retry is useless until a certificate or a setting changes."""

READ_TIMEOUT: Final = "read_timeout"

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, TLS_VERIFICATION),
    (ssl.SSLError, "tls_handshake"),
    (exceptions.NameResolutionError, "name_resolution"),
    (exceptions.NewConnectionError, "connect_failed"),
    (exceptions.ConnectTimeoutError, "connect_timeout"),
    (exceptions.TimeoutError, READ_TIMEOUT),
    (TimeoutError, READ_TIMEOUT),
    (TooLargeError, "response_too_large"),
    (exceptions.IncompleteRead, "connection_closed"),
    (exceptions.ProtocolError, "connection_closed"),
    (OSError, "connection_closed"),
)
"""The first matching row applies, so a subclass comes before its base class."""
OTHER: Final = "connection_failed"
REASONS = frozenset({reason for _, reason in _REASONS} | {OTHER})

# OpenSSL's codes: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_UNKNOWN_AUTHORITY = (2, 7, 18, 19, 20, 21)
_CERTIFICATE_PROBLEMS = {
    **dict.fromkeys(_UNKNOWN_AUTHORITY, "is not signed by a certificate authority that this API trusts"),
    9: "is not valid yet",
    10: "has expired",
    **dict.fromkeys((62, 64), "is issued for another host"),
}


def failure_reason(error: BaseException) -> str:
    """Return one of REASONS for *error*, which urllib3 or a socket raised."""
    cause = _tls_error(error) or error
    return next((reason for kind, reason in _REASONS if isinstance(cause, kind)), OTHER)


def certificate_problem(error: BaseException) -> str:
    """Return what is wrong with the certificate of a TLS_VERIFICATION failure, as the predicate of a sentence."""
    return _CERTIFICATE_PROBLEMS.get(getattr(_tls_error(error), "verify_code", 0), "cannot be verified")


def is_unknown_authority(error: BaseException) -> bool:
    """Return whether *error* is a TLS_VERIFICATION failure that another certificate authority might not have."""
    return getattr(_tls_error(error), "verify_code", 0) in _UNKNOWN_AUTHORITY


def _tls_error(error: BaseException) -> BaseException | None:
    """Return the error of the ssl module that urllib3 wraps, or None."""
    inner = error.args[0] if isinstance(error, exceptions.SSLError) and error.args else error
    return inner if isinstance(inner, ssl.SSLError) else None
