"""Receipts in the bucket: what is stored once, what is found again, and who comes last."""

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
NEWEST = latest_key("team-a", "train-1")


class SharedBucket(Bucket):
    """A bucket in which somebody else acts just before each of the next writes."""

    def __init__(self, name: str, owner: str, client: object) -> None:
        super().__init__(name, owner, client)
        self.before: list[Callable[[], None]] = []

    def put(
        self, key: str, body: bytes, metadata: Mapping[str, str] | None = None, *, replacing: StoredObject | None
    ) -> None:
        """Stores *body*, after the other one."""
        if self.before:
            self.before.pop(0)()
        super().put(key, body, metadata, replacing=replacing)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """S3 on loopback."""
    with LocalAws() as aws:
        aws.create_bucket(NAME)
        yield aws


@pytest.fixture
def bucket(aws: LocalAws) -> Iterator[SharedBucket]:
    """The deployment's bucket, empty."""
    s3 = boto3.client("s3", **aws.connection)
    yield SharedBucket(NAME, "", s3)
    for stored in s3.list_objects_v2(Bucket=NAME).get("Contents", []):
        s3.delete_object(Bucket=NAME, Key=stored["Key"])
    s3.close()


def kept(uid: str = "uid-1", made: datetime = NOW) -> Receipt:
    """The Receipt of a Job that was *made* then."""
    job = finished(uid=uid, creation_timestamp=made)
    return build_receipt(TEAM_A, msgspec.to_builtins(job), [], None)


def at(bucket: Bucket, key: str) -> bytes:
    """What is stored there."""
    found = bucket.find(key, LIMIT)
    assert found
    return found.body


def raced() -> None:
    """What S3 says to one of two writes at once."""
    raise ObjectChangedError


class TestStore:
    """What is kept."""

    def test_second_time_changes_nothing(self, bucket: SharedBucket) -> None:
        """Two runs store the same Job's; what the first wrote stays, its log above all: by its day, and its name."""
        S3Receipts(bucket).store(kept())

        S3Receipts(bucket).store(msgspec.structs.replace(kept(), log="gone"))

        assert at(bucket, object_key(kept())) == at(bucket, NEWEST) == msgspec.json.encode(kept())

    def test_large_specification_is_left_out(self, bucket: SharedBucket) -> None:
        """What became of the Job is found again, whatever somebody wrote into it."""
        large = msgspec.structs.replace(kept(), spec={"a": "x" * LIMIT}, submission={"a": "b"})

        S3Receipts(bucket).store(large)

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == msgspec.structs.replace(large, spec=None, submission=None)

    @pytest.mark.parametrize("made", [NOW, minutes_ago(-1)])
    def test_later_job_of_the_name_is_the_newest(self, bucket: SharedBucket, made: datetime) -> None:
        """Of two in one second, too: the second was made when the first was gone. Both stay by their day."""
        S3Receipts(bucket).store(kept())

        S3Receipts(bucket).store(kept("uid-2", made))

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == kept("uid-2", made)
        assert at(bucket, object_key(kept()))

    def test_earlier_job_of_the_name_is_not(self, bucket: SharedBucket) -> None:
        """A slow run comes after a fast one."""
        S3Receipts(bucket).store(kept("uid-2"))

        S3Receipts(bucket).store(kept("uid-1", minutes_ago(5)))

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == kept("uid-2")
        assert at(bucket, object_key(kept("uid-1", minutes_ago(5))))

    def test_who_comes_in_between_is_looked_at(self, bucket: SharedBucket) -> None:
        """A later Job's Receipt, stored while this one was, stays the newest."""
        other = S3Receipts(Bucket(NAME, "", bucket._client))  # noqa: SLF001 - the same S3
        bucket.before = [lambda: None, lambda: other.store(kept("uid-2", minutes_ago(-1)))]

        S3Receipts(bucket).store(kept())

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == kept("uid-2", minutes_ago(-1))

    def test_unreadable_one_is_replaced(self, bucket: SharedBucket) -> None:
        """Somebody wrote there by hand."""
        bucket.put(NEWEST, b"{", replacing=None)

        S3Receipts(bucket).store(kept())

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) == kept()

    def test_lost_race_is_run_again(self, bucket: SharedBucket) -> None:
        """S3 refuses both of two writes at once: neither may be taken for stored. Lost for good, the Job stays."""
        bucket.before = [raced] * (ATTEMPTS + 1)

        with pytest.raises(StorageUnavailable):
            S3Receipts(bucket).store(kept())
        S3Receipts(bucket).store(kept())

        assert at(bucket, object_key(kept()))


class TestFind:
    """What is left of a Job that is gone."""

    @pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b"\xff", b"x" * (LIMIT + 1)])
    def test_unreadable_one_is_none(self, bucket: SharedBucket, body: bytes) -> None:
        """It is told as if there were none of that name, as where there never was."""
        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) is None
        bucket.put(NEWEST, body, replacing=None)

        assert S3Receipts(bucket).find(TEAM_A, TRAIN_1) is None
