"""What the local S3 tells of new objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.local.aws import LocalAws
from infra.local.s3_notifications import object_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3.client import S3Client

    Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def told() -> Told:
    """Function and event of each call."""
    return []


@pytest.fixture
def s3(told: Told) -> Iterator[S3Client]:
    """S3 with a bucket that tells of what comes below submit/."""
    with LocalAws() as aws, object_events(lambda function, event: told.append((function, event))):
        aws.create_bucket("uploads")
        aws.notify("submit_upload", "uploads", "submit/")
        client = boto3.client("s3", **aws.connection)
        yield client
        client.close()


def test_new_object_is_told(s3: S3Client, told: Told) -> None:
    """As S3 does: with version, tag, size, and a key as forms write it."""
    put = s3.put_object(Bucket="uploads", Key="submit/team-a/ä +.json", Body=b"{}")

    ((function, event),) = told
    (record,) = event["Records"]
    assert function == "submit_upload"
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["userIdentity"] == {"principalId": "AWS:LOCAL"}
    assert record["s3"]["bucket"]["name"] == "uploads"
    assert record["s3"]["object"].items() >= {
        "size": 2, "eTag": put["ETag"].strip('"'), "versionId": put["VersionId"]
    }.items()  # fmt: skip
    assert record["s3"]["object"]["key"] == "submit/team-a/%C3%A4+%2B.json"


def test_copies_and_parts_are_told(s3: S3Client, told: Told) -> None:
    """Whichever way an object comes, in an order; moto tells of assembled parts twice, and S3 promises no better."""
    s3.put_object(Bucket="uploads", Key="elsewhere.json", Body=b"{}")
    s3.copy_object(Bucket="uploads", Key="submit/a/copy.json", CopySource="uploads/elsewhere.json")
    parts = s3.create_multipart_upload(Bucket="uploads", Key="submit/a/parts.json")["UploadId"]
    part = s3.upload_part(Bucket="uploads", Key="submit/a/parts.json", UploadId=parts, PartNumber=1, Body=b"{}")
    s3.complete_multipart_upload(
        Bucket="uploads",
        Key="submit/a/parts.json",
        UploadId=parts,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )

    records = [event["Records"][0] for _, event in told]
    sequencers = [record["s3"]["object"]["sequencer"] for record in records]
    assert [record["eventName"].partition(":")[2] for record in records] == ["Copy", "Put", "CompleteMultipartUpload"]
    assert len({record["s3"]["object"]["versionId"] for record in records}) == 2
    assert sequencers == sorted(set(sequencers))


def test_nothing_else_is_told(s3: S3Client, told: Told) -> None:
    """Neither what is elsewhere, nor what goes; a bucket without versioning has no versions to tell."""
    s3.put_object(Bucket="uploads", Key="status/team-a/a.json.json", Body=b"{}")
    s3.delete_object(Bucket="uploads", Key="submit/team-a/a.json")
    assert told == []

    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket="uploads", Key="submit/team-a/a.json", Body=b"{}")
    assert "versionId" not in told[0][1]["Records"][0]["s3"]["object"]
