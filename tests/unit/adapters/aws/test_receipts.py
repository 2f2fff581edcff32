"""Receipts in the bucket: stored once, found again, and replaced only by later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import msgspec
import pytest

from chalicelib.adapters.aws.bucket import Bucket, ObjectChangedError
from chalicelib.adapters.aws.receipts import ATTEMPTS, S3Receipts
from chalicelib.domain.errors import StorageUnavailable
from chalicelib.domain.finished.receipt import Receipt, build_receipt, latest_key, object_key
from infra.local.aws import LocalAws
from tests.support.builders import NOW, TEAM_A, TRAIN_1, finished, minutes_ago

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from chalicelib.adapters.aws.bucket import StoredObject

NAME = "researcher-uploads"
LIMIT = 2**20
LATEST = latest_key("team-a", "train-1")


class SharedBucket(Bucket):
    """A bucket in which another client writes just before each of the next writes."""

    def __init__(self, name: str, owner: str, client: object) -> None:
        super().__init__(name, owner, client)
        self.before: list[Callable[[], None]] = []

    def put(
        self, key: str, body: bytes, metadata: Mapping[str, str] | None = None, *, replacing: StoredObject | None
    ) -> None:
        """Store *body* after the write of the other client."""
        if self.before:
            self.before.pop(0)()
        super().put(key, body, metadata, replacing=replacing)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """Start S3 on loopback."""
    with LocalAws() as aws:
        aws.create_bucket(NAME)
        yield aws


@pytest.fixture
def bucket(aws: LocalAws) -> Iterator[SharedBucket]:
    """Return the deployment's bucket, empty."""
    s3 = boto3.client("s3", **aws.connection)
    yield SharedBucket(NAME, "", s3)
    for stored in s3.list_objects_v2(Bucket=NAME).get("Contents", []):
        s3.delete_object(Bucket=NAME, Key=stored["Key"])
    s3.close()


def receipt_of(uid: str = "uid-1", created_at: datetime = NOW) -> Receipt:
    """Return the Receipt of a Job that was created at this time."""
    job = finished(uid=uid, creation_timestamp=created_at)
    return build_receipt(TEAM_A, msgspec.to_builtins(job), [], None)


def body_at(bucket: Bucket, key: str) -> bytes:
    """Return the body of the object."""
    found = bucket.find(key, LIMIT)
    assert found
    return found.body


def conflict() -> None:
    """Raise the error of a conflict between concurrent writes."""
    raise ObjectChangedError


class TestStore:
    """Storing Receipts."""

    def test_receipt_is_stored_once(self, bucket: SharedBucket) -> None:
        """A second run does not replace the Receipt of the first one, neither by date nor by name."""
        S3Receipts(bucket).store(receipt_of())

        S3Receipts(bucket).store(msgspec.structs.replace(receipt_of(), log="gone"))

        assert body_at(bucket, object_key(receipt_of())) == body_at(bucket, LATEST) == msgspec.json.encode(receipt_of())

    def test_large_specification_is_left_out(self, bucket: SharedBucket) -> None:
        """The Receipt of a Job with a very large specification is stored without it."""
        large = msgspec.structs.replace(receipt_of(), spec={"a": "x" * LIMIT}, submission={"a": "b"})

        S3Receipts(bucket).store(large)

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == msgspec.structs.replace(large, spec=None, submission=None)

    @pytest.mark.parametrize("created_at", [NOW, minutes_ago(-1)])
    def test_later_job_of_the_name_is_the_latest(self, bucket: SharedBucket, created_at: datetime) -> None:
        """A later Job replaces the latest Receipt of its name, also within the same second. Both stay by date."""
        S3Receipts(bucket).store(receipt_of())

        S3Receipts(bucket).store(receipt_of("uid-2", created_at))

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == receipt_of("uid-2", created_at)
        assert body_at(bucket, object_key(receipt_of()))

    def test_earlier_job_of_the_name_is_not_the_latest(self, bucket: SharedBucket) -> None:
        """A slow run does not replace the latest Receipt with an earlier one."""
        S3Receipts(bucket).store(receipt_of("uid-2"))

        S3Receipts(bucket).store(receipt_of("uid-1", minutes_ago(5)))

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == receipt_of("uid-2")
        assert body_at(bucket, object_key(receipt_of("uid-1", minutes_ago(5))))

    def test_concurrent_write_is_read_again(self, bucket: SharedBucket) -> None:
        """A later Job's Receipt that was stored in between stays the latest."""
        other = S3Receipts(Bucket(NAME, "", bucket._client))  # noqa: SLF001 - the same S3
        bucket.before = [lambda: None, lambda: other.store(receipt_of("uid-2", minutes_ago(-1)))]

        S3Receipts(bucket).store(receipt_of())

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == receipt_of("uid-2", minutes_ago(-1))

    def test_unreadable_receipt_is_replaced(self, bucket: SharedBucket) -> None:
        """An object that is not a Receipt is replaced."""
        bucket.put(LATEST, b"{", replacing=None)

        S3Receipts(bucket).store(receipt_of())

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == receipt_of()

    def test_conflict_is_retried(self, bucket: SharedBucket) -> None:
        """S3 may reject both of two concurrent writes. After the last attempt an error is raised, and the Job stays."""
        bucket.before = [conflict] * (ATTEMPTS + 1)

        with pytest.raises(StorageUnavailable):
            S3Receipts(bucket).store(receipt_of())
        S3Receipts(bucket).store(receipt_of())

        assert body_at(bucket, object_key(receipt_of()))


class TestFind:
    """Reading the Receipt of a Job that was deleted."""

    @pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b"\xff", b"x" * (LIMIT + 1)])
    def test_unreadable_receipt_is_none(self, bucket: SharedBucket, body: bytes) -> None:
        """An object that is not a Receipt is the same as none."""
        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) is None
        bucket.put(LATEST, body, replacing=None)

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) is None
