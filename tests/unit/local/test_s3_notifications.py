"""The event notifications of the local S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.local.aws import LocalAws
from infra.local.s3_notifications import object_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3.client import S3Client

    Notifications = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def notifications() -> Notifications:
    """Return a list for the notifications: function and event."""
    return []


@pytest.fixture
def s3(notifications: Notifications) -> Iterator[S3Client]:
    """Return an S3 client, with a bucket that notifies of objects below submit/."""
    with LocalAws() as aws, object_events(lambda function, event: notifications.append((function, event))):
        aws.create_bucket("uploads")
        aws.notify("submit_upload", "uploads", "submit/")
        client = boto3.client("s3", **aws.connection)
        yield client
        client.close()


def test_new_object_notifies(s3: S3Client, notifications: Notifications) -> None:
    """The event has version, ETag and size of the object, and its form-encoded key."""
    put = s3.put_object(Bucket="uploads", Key="submit/team-a/ä +.json", Body=b"{}")

    ((function, event),) = notifications
    (record,) = event["Records"]
    assert function == "submit_upload"
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["userIdentity"] == {"principalId": "AWS:LOCAL"}
    assert record["s3"]["bucket"]["name"] == "uploads"
    assert record["s3"]["object"].items() >= {
        "size": 2, "eTag": put["ETag"].strip('"'), "versionId": put["VersionId"]
    }.items()  # fmt: skip
    assert record["s3"]["object"]["key"] == "submit/team-a/%C3%A4+%2B.json"


def test_copies_and_multipart_uploads_notify(s3: S3Client, notifications: Notifications) -> None:
    """Copies and multipart uploads notify in order; moto notifies twice of the latter, as S3's at-least-once may."""
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

    records = [event["Records"][0] for _, event in notifications]
    sequencers = [record["s3"]["object"]["sequencer"] for record in records]
    assert [record["eventName"].partition(":")[2] for record in records] == ["Copy", "Put", "CompleteMultipartUpload"]
    assert len({record["s3"]["object"]["versionId"] for record in records}) == 2
    assert sequencers == sorted(set(sequencers))


def test_other_keys_and_deletions_do_not_notify(s3: S3Client, notifications: Notifications) -> None:
    """Other keys and deletions do not notify; a bucket without versioning has no version IDs."""
    s3.put_object(Bucket="uploads", Key="status/team-a/a.json.json", Body=b"{}")
    s3.delete_object(Bucket="uploads", Key="submit/team-a/a.json")
    assert notifications == []

    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket="uploads", Key="submit/team-a/a.json", Body=b"{}")
    assert "versionId" not in notifications[0][1]["Records"][0]["s3"]["object"]
