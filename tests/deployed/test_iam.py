"""The IAM gate: the verification of signatures, and the evaluation of policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from infra.local.aws_requests import ACCOUNT
from tests.deployed.iam import IamGate
from tests.deployed.policies import AccessRequest, covers

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUST = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}'
BUCKET = "uploads"
ALL: dict[str, Any] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
ALLOWED = f"arn:aws:s3:::{BUCKET}/submit/*"


@pytest.fixture
def gate() -> IamGate:
    """Return a gate with one role, which may read below submit/."""
    gate = IamGate()
    gate.policies["reader"] = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": ALLOWED}
    ]
    return gate


@pytest.fixture
def aws(gate: IamGate) -> Iterator[LocalAws]:
    """Start AWS behind the gate, with one object."""
    with LocalAws(guard=gate.guard) as aws:
        aws.create_bucket(BUCKET)
        boto3.client("s3", **aws.connection).put_object(Bucket=BUCKET, Key="submit/ä +1", Body=b"1")
        boto3.client("iam", **aws.connection).create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
        yield aws


def client_of(aws: LocalAws, service: str, **changed: str) -> Any:  # noqa: ANN401 - boto3 has no types for it
    """Return a client with the credentials of the role, some of them *changed*."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/reader"
    credentials = boto3.client("sts", **aws.connection).assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    session = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    client: Any = boto3.client(service, **aws.connection | session | changed)
    return client


def error_code(call: Any, **arguments: object) -> str:  # noqa: ANN401 - a method of a client
    """Return the error code of *call*, which must be denied."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


class TestGate:
    """The calls that the gate allows."""

    def test_allows_only_granted_calls(self, aws: LocalAws, gate: IamGate) -> None:
        """Other actions and objects are denied, and S3 hides missing objects unless the bucket may be listed."""
        s3, listing = client_of(aws, "s3"), {"Effect": "Allow", "Action": "s3:ListBucket"}

        assert s3.get_object(Bucket=BUCKET, Key="submit/ä +1")["Body"].read() == b"1"
        assert gate.calls == [("reader", "s3:GetObject", f"arn:aws:s3:::{BUCKET}/submit/ä +1", True)]
        assert error_code(s3.put_object, Bucket=BUCKET, Key="submit/x", Body="1") == "AccessDenied"
        assert error_code(s3.get_object, Bucket=BUCKET, Key="receipts/x") == "AccessDenied"
        assert error_code(s3.list_objects_v2, Bucket=BUCKET) == "AccessDenied"
        assert len(gate.denied()) == 3
        assert error_code(s3.get_object, Bucket=BUCKET, Key="submit/none") == "AccessDenied"
        gate.policies["reader"].append(listing | {"Resource": f"arn:aws:s3:::{BUCKET}"})
        assert error_code(s3.get_object, Bucket=BUCKET, Key="submit/none") == "NoSuchKey"

    def test_condition_applies_to_all_events(self, aws: LocalAws, gate: IamGate) -> None:
        """If one event of a call is not allowed, the whole call is denied."""
        bus = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
        condition = {"StringEquals": {"events:source": "mine", "events:detail-type": "done"}}
        gate.policies["reader"] = [
            {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus, "Condition": condition}
        ]
        events, event = client_of(aws, "events"), {"Source": "mine", "DetailType": "done", "Detail": "{}"}

        assert events.put_events(Entries=[event])["FailedEntryCount"] == 0
        assert error_code(events.put_events, Entries=[event, event | {"Source": "aws.ec2"}]) == "AccessDenied"
        assert error_code(events.list_rules) == "AccessDenied"

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"aws_secret_access_key": "x" * 40}, "SignatureDoesNotMatch"),
            ({"aws_session_token": "x"}, "InvalidClientTokenId"),
            ({"aws_access_key_id": "ASIAXXXXXXXXXXXXXXXX"}, "InvalidClientTokenId"),
        ],
    )
    def test_forged_signature(self, aws: LocalAws, gate: IamGate, changed: dict[str, str], code: str) -> None:
        """A request that is not signed with the secret of the session is rejected."""
        assert error_code(client_of(aws, "s3", **changed).get_object, Bucket=BUCKET, Key="submit/ä +1") == code
        assert gate.calls == []


@pytest.mark.parametrize(
    ("statement", "covered"),
    [
        ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "a/*"}, True),
        ({"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": ["b", "a/1"]}, True),
        ({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "a/*"}, False),
        ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "a"}, False),
        ({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "a/*"}, False),
        (ALL | {"Condition": {"Null": {"x": "true"}}}, False),
        (ALL | {"Condition": {"StringEquals": {"x": ["1", "2"]}}}, True),
        (ALL | {"Condition": {"StringEquals": {"x": "2"}}}, False),
        (ALL | {"Condition": {"StringEquals": {"y": "1"}}}, False),
    ],
)
def test_covers(statement: dict[str, Any], covered: bool) -> None:
    """A statement allows its actions on its resources, and nothing if it has an unsupported condition."""
    assert covers(statement, AccessRequest("s3:GetObject", "a/1", {"x": frozenset({"1"})})) is covered
