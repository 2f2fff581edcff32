"""Uploads in the bucket: which version is read, and which status is stored."""

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
    """Start S3 with the bucket, and return a client as researchers use it."""
    with LocalAws() as aws:
        environment.setenv("AWS_ENDPOINT_URL", aws.url)
        aws.create_bucket(NAME)
        client = boto3.client("s3", **aws.connection)
        yield client
        client.close()


@pytest.fixture
def stored() -> Bucket:
    """Connect to the bucket of a deployment."""
    return _connected()


def _connected() -> Bucket:
    return bucket.connect(deployment(uploads_bucket=NAME, uploads_bucket_owner="123456789012"))


def put(s3: S3Client, body: bytes, **fields: Any) -> Upload:  # noqa: ANN401 - any field
    """Upload *body* and return the Upload of its event."""
    response = s3.put_object(Bucket=NAME, Key=upload(version=None, **fields).key, Body=body)
    return upload(**{"version": response.get("VersionId"), "etag": response["ETag"], **fields})


def enable_versioning(s3: S3Client) -> None:
    """Enable versioning of the bucket."""
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})


class TestRead:
    """Reading an uploaded document."""

    def test_reads_the_version_of_the_event(self, s3: S3Client, stored: Bucket) -> None:
        """The version of the event is read, even if the object was overwritten or deleted since."""
        enable_versioning(s3)
        first, second = put(s3, b"1"), put(s3, b"2")
        s3.delete_object(Bucket=NAME, Key=first.key)

        assert [S3Uploads(stored).read(version) for version in (first, second)] == [b"1", b"2"]

    def test_object_that_was_overwritten_or_deleted(self, s3: S3Client, stored: Bucket) -> None:
        """Without versioning, an overwritten object is superseded and not read; a deleted one is gone."""
        first = put(s3, b"1")
        put(s3, b"2")
        with pytest.raises(SupersededError):
            S3Uploads(stored).read(first)
        s3.delete_object(Bucket=NAME, Key=first.key)

        with pytest.raises(UploadGone, match="Upload it again"):
            S3Uploads(stored).read(first)

    def test_reads_at_most_one_byte_more_than_the_limit(self, s3: S3Client, stored: Bucket) -> None:
        """One more byte shows that the document is too large, whatever size the event has."""
        large = put(s3, b"x" * (2 * MAX_UPLOAD), size=1)

        assert len(S3Uploads(stored).read(large)) == MAX_UPLOAD + 1

    def test_request_has_version_etag_and_owner(self, site: ScriptedServer, environment: pytest.MonkeyPatch) -> None:
        """S3 checks version, ETag and bucket owner."""
        environment.setenv("AWS_ENDPOINT_URL", site.url)
        site.on(f"/{NAME}/submit/team-a/sweep.json", HttpResponse(200, [("ETag", '"1"')], b"{}"))

        S3Uploads(_connected()).read(upload(version="v1", etag='"1"'))

        (request,) = site.requests
        assert request.query == [("versionId", "v1")]
        assert request.values("If-Match") == ['"1"']
        assert request.values("x-amz-expected-bucket-owner") == ["123456789012"]

    @pytest.mark.parametrize(
        ("key", "target"),
        [
            ("submit/team-a/a\nb.json", "/submit/team-a/a%0Ab.json"),
            ("submit/team-a/a+b c%2B.json", "/submit/team-a/a%2Bb%20c%252B.json"),
            ("submit/team-a//é.json", "/submit/team-a//%C3%A9.json"),
            ("submit/team-a/a?b#c\\.json", "/submit/team-a/a%3Fb%23c%5C.json"),
        ],
    )
    def test_key_is_escaped(self, site: ScriptedServer, environment: pytest.MonkeyPatch, key: str, target: str) -> None:
        """No key leads to another object."""
        environment.setenv("AWS_ENDPOINT_URL", site.url)

        with pytest.raises(UploadGone):
            S3Uploads(_connected()).read(upload(key=key))

        assert [request.path for request in site.requests] == [f"/{NAME}{target}"]


class TestWriteStatus:
    """Writing a status."""

    def test_status_is_stored_beside_the_upload(self, s3: S3Client, stored: Bucket) -> None:
        """The status is stored as JSON, with the sequencer of its event."""
        S3Uploads(stored).write_status(upload(sequencer="0A"), b'{"name": "x"}', final=False)

        found = s3.get_object(Bucket=NAME, Key="status/team-a/sweep.json.json")
        assert found["Body"].read() == b'{"name": "x"}'
        assert (found["ContentType"], found["Metadata"]) == ("application/json", {SEQUENCER: "0A"})

    @pytest.mark.parametrize("order", ["ascending", "descending", "at once"])
    @pytest.mark.usefixtures("s3")
    def test_status_of_the_newest_event_stays(self, stored: Bucket, order: str) -> None:
        """The status of the newest event stays, in whatever order the statuses are written."""
        sequencers = ["0A", "0B", "0C", "0D"][:: -1 if order == "descending" else 1]
        uploads = S3Uploads(stored)

        with ThreadPoolExecutor(4 if order == "at once" else 1) as pool:
            list(
                pool.map(
                    lambda sequencer: uploads.write_status(upload(sequencer=sequencer), sequencer.encode(), final=True),
                    sequencers,
                )
            )

        found = stored.find(upload().status_key, 100)
        assert found
        assert (found.body, found.metadata[SEQUENCER]) == (b"0D", "0D")

    @pytest.mark.usefixtures("s3")
    def test_final_status_stays(self, stored: Bucket) -> None:
        """A late delivery does not replace a final status, and a repeated delivery can detect it."""
        uploads = S3Uploads(stored)
        assert not uploads.has_final_status(upload())
        seen = []

        for status, final in ((b"fault", False), (b"fault 2", False), (b"job", True), (b"fault 3", False)):
            uploads.write_status(upload(), status, final=final)
            found = stored.find(upload().status_key, 100)
            seen.append((found and found.body, uploads.has_final_status(upload())))

        assert seen == [(b"fault", False), (b"fault 2", False), (b"job", True), (b"job", True)]
        assert not uploads.has_final_status(upload(sequencer="0B"))

    def test_conflicts_are_retried_a_limited_number_of_times(self) -> None:
        """After the last attempt the error is raised, and the event is delivered again."""
        busy = _BusyBucket()

        with pytest.raises(StorageUnavailable):
            S3Uploads(busy).write_status(upload(), b"{}", final=True)  # type: ignore[arg-type] # the part of a Bucket that is used

        assert busy.puts == ATTEMPTS


class _BusyBucket:
    """A bucket in which every object is changed and deleted between any two requests."""

    def __init__(self) -> None:
        self.puts = 0

    def find(self, key: str, limit: int) -> None:
        """Return None."""

    def put(self, *_: object, replacing: None) -> None:
        """Raise the error of a conflict."""
        assert replacing is None
        self.puts += 1
        raise ObjectChangedError
