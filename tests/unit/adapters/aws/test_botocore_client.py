"""The botocore clients: time-outs, retries, and the reasons of failed calls."""

from __future__ import annotations

import socket
import ssl

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError
from urllib3 import exceptions as urllib3_exceptions

from chalicelib.adapters.aws.botocore_client import call_failure_reason, client

URL = "https://s3.secret.example"
NO_ADDRESS = urllib3_exceptions.NameResolutionError("secret", None, socket.gaierror(-2, "x"))  # type: ignore[arg-type]


class TestClient:
    """A client of any service."""

    def test_has_short_timeouts_and_one_retry(self) -> None:
        """A call takes at most 8 s, which is what a request that reads a Receipt has left after its deadline."""
        config = client("s3", "eu-west-1").meta.config

        assert (config.connect_timeout, config.read_timeout) == (1, 3)
        assert config.retries == {"total_max_attempts": 2, "mode": "standard"}


def certificate_error(code: int) -> urllib3_exceptions.SSLError:
    """Return urllib3's error for a certificate that OpenSSL rejected with *code*."""
    error = ssl.SSLCertVerificationError(1, "secret")
    error.verify_code = code
    return urllib3_exceptions.SSLError(error)


def client_error(code: str, status: int) -> exceptions.ClientError:
    """Return botocore's error for a response with this *code* and HTTP *status*."""
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(response, "GetObject")  # type: ignore[arg-type]


class TestCallFailureReason:
    """The reason of each error of botocore."""

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (exceptions.EndpointConnectionError(endpoint_url=URL, error=NO_ADDRESS), "name_resolution"),
            (
                exceptions.ConnectTimeoutError(endpoint_url=URL, error=urllib3_exceptions.ConnectTimeoutError()),
                "connect_timeout",
            ),
            (exceptions.ReadTimeoutError(endpoint_url=URL, error=TimeoutError()), "read_timeout"),
            (exceptions.SSLError(endpoint_url=URL, error=certificate_error(10)), "tls_verification_expired"),
            (
                exceptions.ConnectionClosedError(endpoint_url=URL, error=urllib3_exceptions.ProtocolError()),
                "connection_closed",
            ),
            (exceptions.NoCredentialsError(), "no_credentials"),
            (exceptions.ConnectionClosedError(endpoint_url=URL), "connection_failed"),
            (client_error("SlowDown", 503), "throttled"),
            (client_error("407", 407), "status_407"),
            (ConnectionResetError("secret"), "connection_closed"),
            (ResponseParserError("secret"), "invalid_response"),
            (KeyError("secret"), "invalid_response"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_most_specific_reason(self, error: Exception, reason: str) -> None:
        """The cause that botocore wraps, the code of AWS, or else the HTTP status."""
        assert call_failure_reason(error) == reason
