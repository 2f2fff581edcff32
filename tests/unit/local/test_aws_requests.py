"""Requests to the local AWS that no SDK sends."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import urllib3

from infra.local.aws import LocalAws

ASSUME = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "any", "ExternalId": "x1"}
PRESIGNED = "/?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0"


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "error"),
    [
        pytest.param("POST", "/", urlencode(ASSUME), 403, "MissingAuthenticationToken", id="unsigned"),
        pytest.param("GET", PRESIGNED, "", 403, "IncompleteSignature", id="unverified presigned request"),
        pytest.param(
            "POST",
            "/2015-03-31/functions/none/invocations",
            "{}",
            404,
            "ResourceNotFoundException",
            id="no function",
        ),
    ],
)
def test_error_has_the_format_of_the_service(method: str, target: str, body: str, status: int, error: str) -> None:
    """STS checks each signature, also of a presigned request; Lambda sends the error type in a header."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with LocalAws() as aws, urllib3.PoolManager(retries=False) as pool:
        response = pool.request(method, aws.url + target, body=body, headers=form)

    assert response.status == status
    assert error in response.headers.get("x-amzn-ErrorType", response.data.decode())
