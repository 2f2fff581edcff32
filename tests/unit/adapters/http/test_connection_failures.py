"""Why a request got no response: every error that urllib3 or a socket raises has a word in the log."""

from __future__ import annotations

import ssl

import pytest
from urllib3 import exceptions

from chalicelib.adapters.http.bounded_body import TooLargeError
from chalicelib.adapters.http.connection_failures import OTHER, REASONS, certificate_problem, failure_reason


def verification_error(code: int) -> ssl.SSLCertVerificationError:
    """What Python raises for a certificate that OpenSSL refused with *code*."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed: secret.example")
    error.verify_code = code
    return error


def subclasses(kind: type[BaseException]) -> set[type[BaseException]]:
    """*kind* and everything below it."""
    return {kind}.union(*(subclasses(one) for one in kind.__subclasses__()))


class TestFailureReason:
    """One word of a closed list."""

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (exceptions.SSLError(verification_error(20)), "tls_verification"),
            (verification_error(20), "tls_verification"),
            (exceptions.SSLError(ssl.SSLError(1, "wrong version number")), "tls_handshake"),
            (exceptions.SSLError("EOF"), OTHER),
            (exceptions.SSLError(), OTHER),
            (exceptions.NewConnectionError(None, "refused"), "connect_failed"),  # type: ignore[arg-type]
            (exceptions.ConnectTimeoutError(), "connect_timeout"),
            (exceptions.ReadTimeoutError(None, "/", "slow"), "read_timeout"),  # type: ignore[arg-type]
            (TimeoutError(), "read_timeout"),
            (TooLargeError(), "response_too_large"),
            (exceptions.IncompleteRead(1, 2), "connection_closed"),
            (exceptions.ProtocolError("aborted"), "connection_closed"),
            (ConnectionResetError(), "connection_closed"),
            (exceptions.HTTPError(), OTHER),
        ],
        ids=lambda value: value if isinstance(value, str) else type(value).__name__,
    )
    def test_of_each_kind(self, error: BaseException, reason: str) -> None:
        """The most exact one."""
        assert failure_reason(error) == reason
        assert reason in REASONS

    @pytest.mark.parametrize("kind", sorted(subclasses(exceptions.HTTPError) | subclasses(OSError), key=str), ids=str)
    def test_of_any_kind(self, kind: type[BaseException]) -> None:
        """Nothing falls through, and no text of the error comes out."""
        assert failure_reason(kind.__new__(kind)) in REASONS


class TestCertificateProblem:
    """What the caller and the operator read."""

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            (10, "has expired"),
            (9, "is not valid yet"),
            (62, "is issued for another host"),
            (64, "is issued for another host"),
            (19, "is not signed by a certificate authority that this API trusts"),
            (20, "is not signed by a certificate authority that this API trusts"),
            (26, "cannot be verified"),
        ],
    )
    def test_is_in_our_words(self, code: int, words: str) -> None:
        """By OpenSSL's code, whether urllib3 wraps the error or not."""
        assert certificate_problem(verification_error(code)) == words
        assert certificate_problem(exceptions.SSLError(verification_error(code))) == words

    def test_of_another_error(self) -> None:
        """It has none of these codes."""
        assert certificate_problem(exceptions.SSLError("EOF")) == "cannot be verified"
