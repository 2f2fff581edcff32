"""Uploads in the bucket: the version that is read, and whose status stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import pytest

from chalicelib.adapters.aws import bucket
from chalicelib.adapters.aws.bucket import ObjectChangedError
from chalicelib.adapters.aws.uploads import ATTEMPTS, S3Uploads
from chalicelib.domain.errors import StorageUnavailable, UploadGone
from chalicelib.domain.uploads.s3_event import MAX_UPLOAD, SupersededError
from chalicelib.domain.uploads.status import SEQUENCER
from infra.local.aws import LocalAws
from infra.local.wire import HttpResponse
from tests.support.builders import deployment, upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from types_boto3_s3.client import S3Client

    from chalicelib.adapters.aws.bucket import Bucket
    from chalicelib.domain.uploads.s3_event import Upload
    from tests.support.scripted_server import ScriptedServer

NAME = "researcher-uploads"


pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def s3(environment: pytest.MonkeyPatch) -> Iterator[S3Client]:
    """S3 with the bucket, as researchers use it."""
    with LocalAws() as aws:
        environment.setenv("AWS_ENDPOINT_URL", aws.url)
        aws.create_bucket(NAME)
        client = boto3.client("s3", **aws.connection)
        yield client
        client.close()


@pytest.fixture
def stored() -> Bucket:
    """The bucket of a deployment."""
    return _connected()


def _connected() -> Bucket:
    return bucket.connect(deployment(uploads_bucket=NAME, uploads_bucket_owner="123456789012"))


def put(s3: S3Client, body: bytes, **fields: Any) -> Upload:  # noqa: ANN401 - whatever a field holds
    """What S3 tells of an object with *body*, without a version."""
    told = upload(version=None, **fields)
    answer = s3.put_object(Bucket=NAME, Key=told.key, Body=body)
    return upload(**{"version": answer.get("VersionId"), "etag": answer["ETag"], **fields})


def versioned(s3: S3Client) -> None:
    """The bucket keeps versions from now on."""
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})


class TestRead:
    """The document."""

    def test_is_the_version_that_was_told(self, s3: S3Client, stored: Bucket) -> None:
        """What was put over it, or deleted, since is another event's matter."""
        versioned(s3)
        first, second = put(s3, b"1"), put(s3, b"2")
        s3.delete_object(Bucket=NAME, Key=first.key)

        assert [S3Uploads(stored).read(one) for one in (first, second)] == [b"1", b"2"]

    def test_is_gone_where_it_was_overwritten_or_deleted(self, s3: S3Client, stored: Bucket) -> None:
        """The uploader is told, should they look. Without versions a newer one is never taken for the older."""
        first = put(s3, b"1")
        put(s3, b"2")
        with pytest.raises(SupersededError):
            S3Uploads(stored).read(first)
        s3.delete_object(Bucket=NAME, Key=first.key)

        with pytest.raises(UploadGone, match="Upload it again"):
            S3Uploads(stored).read(first)

    def test_is_not_read_beyond_what_is_taken(self, s3: S3Client, stored: Bucket) -> None:
        """One byte more tells that it is too large, whatever size was told."""
        large = put(s3, b"x" * (2 * MAX_UPLOAD), size=1)

        assert len(S3Uploads(stored).read(large)) == MAX_UPLOAD + 1

    def test_names_version_etag_and_owner(self, site: ScriptedServer, environment: pytest.MonkeyPatch) -> None:
        """What S3 compares before it sends a byte."""
        environment.setenv("AWS_ENDPOINT_URL", site.url)
        site.on(f"/{NAME}/submit/team-a/sweep.json", HttpResponse(200, [("ETag", '"1"')], b"{}"))

        S3Uploads(_connected()).read(upload(version="v1", etag='"1"'))

        (asked,) = site.asked
        assert asked.query == [("versionId", "v1")]
        assert asked.values("If-Match") == ['"1"']
        assert asked.values("x-amz-expected-bucket-owner") == ["123456789012"]

    @pytest.mark.parametrize(
        ("key", "target"),
        [
            ("submit/team-a/a\nb.json", "/submit/team-a/a%0Ab.json"),
            ("submit/team-a/a+b c%2B.json", "/submit/team-a/a%2Bb%20c%252B.json"),
            ("submit/team-a//é.json", "/submit/team-a//%C3%A9.json"),
            ("submit/team-a/a?b#c\\.json", "/submit/team-a/a%3Fb%23c%5C.json"),
        ],
    )
    def test_is_at_its_key_to_the_letter(
        self, site: ScriptedServer, environment: pytest.MonkeyPatch, key: str, target: str
    ) -> None:
        """No odd key leads to another object."""
        environment.setenv("AWS_ENDPOINT_URL", site.url)

        with pytest.raises(UploadGone):
            S3Uploads(_connected()).read(upload(key=key))

        assert [asked.path for asked in site.asked] == [f"/{NAME}{target}"]


class TestTell:
    """The status."""

    def test_is_beside_the_upload(self, s3: S3Client, stored: Bucket) -> None:
        """As JSON, of whichever event it tells."""
        S3Uploads(stored).write_status(upload(sequencer="0A"), b'{"name": "x"}', final=False)

        found = s3.get_object(Bucket=NAME, Key="status/team-a/sweep.json.json")
        assert found["Body"].read() == b'{"name": "x"}'
        assert (found["ContentType"], found["Metadata"]) == ("application/json", {SEQUENCER: "0A"})

    @pytest.mark.parametrize("order", ["ascending", "descending", "at once"])
    @pytest.mark.usefixtures("s3")
    def test_newest_event_stays(self, stored: Bucket, order: str) -> None:
        """In whatever order events come, and their statuses are written."""
        sequencers = ["0A", "0B", "0C", "0D"][:: -1 if order == "descending" else 1]
        uploads = S3Uploads(stored)

        with ThreadPoolExecutor(4 if order == "at once" else 1) as pool:
            list(
                pool.map(lambda one: uploads.write_status(upload(sequencer=one), one.encode(), final=True), sequencers)
            )

        found = stored.find(upload().status_key, 100)
        assert found
        assert (found.body, found.metadata[SEQUENCER]) == (b"0D", "0D")

    @pytest.mark.usefixtures("s3")
    def test_last_word_about_an_event_stays(self, stored: Bucket) -> None:
        """What a late delivery meets is no news; by what it settles a redelivery knows that nothing is to do."""
        uploads = S3Uploads(stored)
        assert not uploads.has_final_status(upload())
        seen = []

        for status, final in ((b"fault", False), (b"fault 2", False), (b"job", True), (b"fault 3", False)):
            uploads.write_status(upload(), status, final=final)
            found = stored.find(upload().status_key, 100)
            seen.append((found and found.body, uploads.has_final_status(upload())))

        assert seen == [(b"fault", False), (b"fault 2", False), (b"job", True), (b"job", True)]
        assert not uploads.has_final_status(upload(sequencer="0B"))

    def test_gives_up_where_others_never_stop(self) -> None:
        """The event is tried again, in peace."""
        busy = _BusyBucket()

        with pytest.raises(StorageUnavailable):
            S3Uploads(busy).write_status(upload(), b"{}", final=True)  # type: ignore[arg-type] # what of a Bucket is used

        assert busy.puts == ATTEMPTS


class _BusyBucket:
    """A bucket whose objects are changed, and gone again, between any two calls."""

    def __init__(self) -> None:
        self.puts = 0

    def find(self, key: str, limit: int) -> None:
        """Nothing."""

    def put(self, *_: object, replacing: None) -> None:
        """Somebody was faster."""
        assert replacing is None
        self.puts += 1
        raise ObjectChangedError
