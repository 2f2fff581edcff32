"""The reasons why a request got no response: every error of urllib3 or a socket has one."""

from __future__ import annotations

import ssl

import pytest
from urllib3 import exceptions

from chalicelib.adapters.http.bounded_body import TooLargeError
from chalicelib.adapters.http.connection_failures import OTHER, REASONS, certificate_problem, failure_reason


def verification_error(code: int) -> ssl.SSLCertVerificationError:
    """Return Python's error for a certificate that OpenSSL rejected with *code*."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed: secret.example")
    error.verify_code = code
    return error


def subclasses(kind: type[BaseException]) -> set[type[BaseException]]:
    """Return *kind* and all its subclasses."""
    return {kind}.union(*(subclasses(subclass) for subclass in kind.__subclasses__()))


class TestFailureReason:
    """One reason of a fixed list."""

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
    def test_most_specific_reason(self, error: BaseException, reason: str) -> None:
        """The most specific reason is returned."""
        assert failure_reason(error) == reason
        assert reason in REASONS

    @pytest.mark.parametrize("kind", sorted(subclasses(exceptions.HTTPError) | subclasses(OSError), key=str), ids=str)
    def test_every_error_has_a_reason(self, kind: type[BaseException]) -> None:
        """Every error has a reason of the list, without any text of the error."""
        assert failure_reason(kind.__new__(kind)) in REASONS


class TestCertificateProblem:
    """The description for the caller and the operators."""

    @pytest.mark.parametrize(
        ("code", "problem"),
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
    def test_is_selected_by_the_verification_code(self, code: int, problem: str) -> None:
        """The description depends on OpenSSL's code, whether urllib3 wraps the error or not."""
        assert certificate_problem(verification_error(code)) == problem
        assert certificate_problem(exceptions.SSLError(verification_error(code))) == problem

    def test_of_another_error(self) -> None:
        """An error without a known code has a general description."""
        assert certificate_problem(exceptions.SSLError("EOF")) == "cannot be verified"
