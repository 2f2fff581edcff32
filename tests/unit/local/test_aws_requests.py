"""Requests to the local AWS that no SDK would send."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from infra.local.aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """An AWS with one role."""
    with LocalAws() as aws:
        aws.create_role("researcher-api", "x1")
        yield aws


ROLE = "arn:aws:iam::123456789012:role/researcher-api"


class TestIdentity:
    """Who asks STS."""

    def test_unsigned_request_is_denied(self, aws: LocalAws) -> None:
        """Even with the right external id."""
        form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": ROLE, "ExternalId": "x1"}
        request = urllib.request.Request(aws.url, urlencode(form).encode())  # noqa: S310 - loopback

        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(request, timeout=30)  # noqa: S310 - loopback

        with refusal.value:
            assert refusal.value.code == 403
            assert b"MissingAuthenticationToken" in refusal.value.read()

    def test_unverified_identity_is_refused(self, aws: LocalAws) -> None:
        """A presigned request is STS's, not S3's, and its signature is looked at."""
        query = "Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0"

        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"{aws.url}/?{query}", timeout=30)  # noqa: S310 - loopback

        with refusal.value:
            assert b"IncompleteSignature" in refusal.value.read()

    def test_function_that_there_is_not_is_said_so(self, aws: LocalAws) -> None:
        """As Lambda says it: with its own error type in a header."""
        request = urllib.request.Request(f"{aws.url}/2015-03-31/functions/none/invocations", b"{}")  # noqa: S310 - loopback

        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(request, timeout=30)  # noqa: S310 - loopback

        with refusal.value:
            assert refusal.value.code == 404
            assert refusal.value.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"
