"""The local AWS, asked by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
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


class TestRoles:
    """STS and IAM."""

    def test_role_is_assumed_with_its_external_id(self, aws: LocalAws) -> None:
        """The session has credentials and an ARN of its own."""
        sts = boto3.client("sts", **aws.connection)

        answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="s1", ExternalId="x1")

        assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/researcher-api/s1"
        assert answer["Credentials"]["SecretAccessKey"]
        sts.close()


class TestLife:
    """Start and close."""

    def test_taken_port_is_an_error_of_the_caller(self, aws: LocalAws) -> None:
        """The caller explains it."""
        with pytest.raises(OSError, match="in use"):
            LocalAws().start(urlsplit(aws.url).port or 0)

    def test_url_before_the_start_is_a_mistake(self) -> None:
        """There is none yet."""
        with pytest.raises(RuntimeError, match="started"):
            _ = LocalAws().url

    def test_close_forgets_everything(self) -> None:
        """The next one starts empty."""
        with LocalAws() as first:
            first.create_role("stranger", "x1")

        with LocalAws() as second:
            assert second.create_role("stranger", "x1").endswith(":role/stranger")
