"""The reasons why a request got no response: every error of urllib3 or a socket has one."""

from __future__ import annotations

import errno
import ssl

import pytest
from urllib3 import exceptions

from chalicelib.adapters.http.bounded_body import TooLargeError
from chalicelib.adapters.http.connection_failures import UNTRUSTED, certificate_problem, failure_reason
from chalicelib.domain.failure_reasons import FailureReason


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
            (exceptions.SSLError(verification_error(20)), "tls_verification_unknown_authority"),
            (verification_error(19), "tls_verification_unknown_authority"),
            (verification_error(10), "tls_verification_expired"),
            (verification_error(9), "tls_verification_not_yet_valid"),
            (verification_error(62), "tls_verification_wrong_host"),
            (verification_error(64), "tls_verification_wrong_host"),
            (verification_error(26), "tls_verification"),
            (exceptions.SSLError(ssl.SSLError(1, "wrong version number")), "tls_handshake"),
            (exceptions.SSLError("EOF"), "connection_failed"),
            (exceptions.SSLError(), "connection_failed"),
            (exceptions.NewConnectionError(None, "refused"), "connect_failed"),  # type: ignore[arg-type]
            (exceptions.ConnectTimeoutError(), "connect_timeout"),
            (exceptions.ReadTimeoutError(None, "/", "slow"), "read_timeout"),  # type: ignore[arg-type]
            (TimeoutError(), "read_timeout"),
            (TooLargeError(), "response_too_large"),
            (exceptions.IncompleteRead(1, 2), "connection_closed"),
            (exceptions.ProtocolError("aborted"), "connection_closed"),
            (ConnectionResetError(), "connection_closed"),
            (exceptions.HTTPError(), "connection_failed"),
        ],
        ids=lambda value: value if isinstance(value, str) else type(value).__name__,
    )
    def test_most_specific_reason(self, error: BaseException, reason: str) -> None:
        """The most specific reason is returned."""
        assert failure_reason(error) == reason
        assert (failure_reason(error) in UNTRUSTED) == reason.startswith("tls_verification")

    @pytest.mark.parametrize("code", [errno.ENETUNREACH, errno.EHOSTUNREACH])
    def test_network_without_a_route(self, code: int) -> None:
        """A subnet without a NAT gateway is not a server that refuses connections."""
        error = exceptions.NewConnectionError(None, "secret")  # type: ignore[arg-type]
        error.__cause__ = OSError(code, "No route to host")

        assert failure_reason(error) == "no_route"

    @pytest.mark.parametrize("kind", sorted(subclasses(exceptions.HTTPError) | subclasses(OSError), key=str), ids=str)
    def test_every_error_has_a_reason(self, kind: type[BaseException]) -> None:
        """Every error has a reason of the list, without any text of the error."""
        assert failure_reason(kind.__new__(kind)) in list(FailureReason)


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
