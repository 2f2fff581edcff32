"""The IAM gate: who signed what, and whether a policy allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from infra.local.aws_requests import ACCOUNT
from tests.deployed.iam import IamGate
from tests.deployed.policies import Asked, covers

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUST = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}'
BUCKET = "uploads"
ALL: dict[str, Any] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
ALLOWED = f"arn:aws:s3:::{BUCKET}/submit/*"


@pytest.fixture
def gate() -> IamGate:
    """A gate that knows one role, which may read what was submitted."""
    gate = IamGate()
    gate.policies["reader"] = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": ALLOWED}
    ]
    return gate


@pytest.fixture
def aws(gate: IamGate) -> Iterator[LocalAws]:
    """AWS behind it, with one object."""
    with LocalAws(guard=gate.guard) as aws:
        aws.create_bucket(BUCKET)
        boto3.client("s3", **aws.connection).put_object(Bucket=BUCKET, Key="submit/ä +1", Body=b"1")
        boto3.client("iam", **aws.connection).create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
        yield aws


def client_of(aws: LocalAws, service: str, **changed: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """The service as the role reaches it, with *changed* credentials."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/reader"
    given = boto3.client("sts", **aws.connection).assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    session = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    client: Any = boto3.client(service, **aws.connection | session | changed)
    return client


def refusal(call: Any, **arguments: object) -> str:  # noqa: ANN401 - a method of a client
    """The code with which the *call* is refused."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


class TestGate:
    """What passes."""

    def test_lets_pass_what_is_granted_and_nothing_else(self, aws: LocalAws, gate: IamGate) -> None:
        """Another action, another object, or one that nobody foresaw is refused; S3 hides what is not there."""
        s3, listing = client_of(aws, "s3"), {"Effect": "Allow", "Action": "s3:ListBucket"}

        assert s3.get_object(Bucket=BUCKET, Key="submit/ä +1")["Body"].read() == b"1"
        assert gate.calls == [("reader", "s3:GetObject", f"arn:aws:s3:::{BUCKET}/submit/ä +1", True)]
        assert refusal(s3.put_object, Bucket=BUCKET, Key="submit/x", Body="1") == "AccessDenied"
        assert refusal(s3.get_object, Bucket=BUCKET, Key="receipts/x") == "AccessDenied"
        assert refusal(s3.list_objects_v2, Bucket=BUCKET) == "AccessDenied"
        assert len(gate.denied()) == 3
        assert refusal(s3.get_object, Bucket=BUCKET, Key="submit/none") == "AccessDenied"
        gate.policies["reader"].append(listing | {"Resource": f"arn:aws:s3:::{BUCKET}"})
        assert refusal(s3.get_object, Bucket=BUCKET, Key="submit/none") == "NoSuchKey"

    def test_lets_events_pass_by_their_source(self, aws: LocalAws, gate: IamGate) -> None:
        """Of a call all events, or none of them."""
        bus = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
        condition = {"StringEquals": {"events:source": "mine", "events:detail-type": "done"}}
        gate.policies["reader"] = [
            {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus, "Condition": condition}
        ]
        events, mine = client_of(aws, "events"), {"Source": "mine", "DetailType": "done", "Detail": "{}"}

        assert events.put_events(Entries=[mine])["FailedEntryCount"] == 0
        assert refusal(events.put_events, Entries=[mine, mine | {"Source": "aws.ec2"}]) == "AccessDenied"
        assert refusal(events.list_rules) == "AccessDenied"

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"aws_secret_access_key": "x" * 40}, "SignatureDoesNotMatch"),
            ({"aws_session_token": "x"}, "InvalidClientTokenId"),
            ({"aws_access_key_id": "ASIAXXXXXXXXXXXXXXXX"}, "InvalidClientTokenId"),
        ],
    )
    def test_refuses_a_forged_signature(self, aws: LocalAws, gate: IamGate, changed: dict[str, str], code: str) -> None:
        """Whoever does not hold the session's secret is not its role."""
        assert refusal(client_of(aws, "s3", **changed).get_object, Bucket=BUCKET, Key="submit/ä +1") == code
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
    """A statement allows its actions on its resources, and nothing by a condition that is not looked at."""
    assert covers(statement, Asked("s3:GetObject", "a/1", {"x": frozenset({"1"})})) is covered
