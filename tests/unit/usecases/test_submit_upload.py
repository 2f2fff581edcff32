"""Submit uploads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from chalicelib.domain.errors import ClusterUnavailable, StorageUnavailable, UploadGone
from chalicelib.domain.names import ProjectName
from chalicelib.domain.uploads.s3_event import IgnoredRecord, SupersededError, Upload
from chalicelib.usecases.submit_upload import RETRIED, Outcome, submit_uploads
from tests.support.builders import NOW, TEAM_A, job, upload
from tests.support.fakes import FakeJobs, FakeUploads, raising

if TYPE_CHECKING:
    from chalicelib.domain.errors import ResearcherError

SECRET = "hf_canary4711"
UNEXPECTED_READ = AssertionError("a document with an invalid name or size must not be read")
UNAVAILABLE = ClusterUnavailable("The cluster does not answer.", retry_after=7)


def submit(uploads: FakeUploads, jobs: FakeJobs, *records: Upload | IgnoredRecord) -> tuple[list[Outcome], list[Any]]:
    """Submit *records*, or all documents in *uploads*."""
    return submit_uploads(records or list(uploads.documents), "request-1", uploads, jobs)


class TestSubmitted:
    """A valid document."""

    def test_creates_a_job(self) -> None:
        """It is created in the folder's Project, named after the file, as the group of the bucket."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox", "gpu": 2}'})

        ((outcome,), failures) = submit(uploads, jobs)

        (name,) = jobs.names(TEAM_A)
        assert (outcome, failures) == (Outcome("submitted", upload().key, f"team-a/{name}"), [])
        assert name.startswith("sweep-")
        annotations = jobs.manifests[0]["metadata"]["annotations"]
        assert annotations["researcher.dev/user"] == "s3-researcher-uploads"
        assert annotations["researcher.dev/uploaded-by"] == "AWS:AIDAEXAMPLE"

    def test_second_delivery_is_skipped(self) -> None:
        """An object is submitted once, even if its Job was deleted since."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox"}'})
        submit(uploads, jobs)
        jobs.jobs.clear()

        ((outcome,), _) = submit(uploads, jobs)

        assert outcome == Outcome("already final", upload().key)
        assert len(jobs.manifests) == 1

    def test_delivery_after_a_lost_status_returns_the_job(self) -> None:
        """The Job's name prevents a second Job. The status is the view of the Job."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox"}'})
        uploads.before("write_status", raising(StorageUnavailable("S3 does not answer.")))

        outcomes = [submit(uploads, jobs) for _ in range(2)]

        assert [invalid.outcome for ((invalid,), _) in outcomes] == ["failed", "replayed"]
        assert len(jobs.manifests) == 1
        (name,) = jobs.names(TEAM_A)
        assert (uploads.status()["name"], uploads.status()["links"]) == (name, {"self": f"/jobs/team-a/{name}"})
        assert uploads.has_final_status(upload())

    def test_new_version_is_a_new_submission(self) -> None:
        """The status is that of the newer version, in whatever order they are delivered."""
        document = b'{"image": "busybox"}'
        versions = [upload(version=number, sequencer=f"0{number}") for number in "21"]
        jobs, uploads = FakeJobs(), FakeUploads(dict.fromkeys(versions, document))

        submit(uploads, jobs)

        assert len(jobs.names(TEAM_A)) == 2
        assert uploads.status()["name"] == jobs.manifests[0]["metadata"]["name"]

    def test_same_name_is_the_same_job(self) -> None:
        """As over HTTP, a name is used once, whatever object contains it."""
        document = b'{"image": "busybox", "name": "train-1"}'
        jobs, uploads = FakeJobs(), FakeUploads({upload(): document, upload(key="submit/team-a/b.yaml"): document})

        (outcomes, _) = submit(uploads, jobs)

        assert [invalid.outcome for invalid in outcomes] == ["submitted", "replayed"]


PERMANENT = [
    pytest.param(
        {"key": "submit/team-a/a.txt"}, UNEXPECTED_READ, "malformed_request", id="wrong file type is not read"
    ),
    pytest.param({"size": 5 * 2**30}, UNEXPECTED_READ, "body_too_large", id="large object is not read"),
    pytest.param({"size": 1}, b" " * 70_000, "body_too_large", id="larger than in the event"),
    pytest.param({}, b"\x00\x01", "malformed_request", id="binary"),
    pytest.param({}, b'{"image": "busybox", "gpu": "many"}', "invalid_job", id="invalid field"),
    pytest.param({}, b'{"image": "busybox", "project": "team-b"}', "invalid_job", id="another Project"),
    pytest.param({}, UploadGone("x"), "upload_gone", id="deleted"),
    pytest.param({"project": ProjectName("team-b")}, b'{"image": "busybox"}', "forbidden", id="no permission"),
]


class TestRejected:
    """A document for which a retry is useless."""

    @pytest.mark.parametrize(("fields", "body", "code"), PERMANENT)
    def test_status_is_final(self, fields: dict[str, Any], body: bytes | ResearcherError, code: str) -> None:
        """The status is the problem that HTTP would return, with the id of the invocation; nothing is created."""
        invalid = upload(**fields)
        jobs, uploads = FakeJobs(), FakeUploads({invalid: body})

        (outcomes, failures) = submit(uploads, jobs)

        assert (outcomes, failures) == ([Outcome("refused", invalid.key, why=code)], [])
        assert uploads.status(invalid)["code"] == code
        assert uploads.status(invalid)["instance"] == "urn:researcher:request:request-1"
        assert uploads.has_final_status(invalid)
        assert jobs.manifests == []

    def test_secrets_are_not_repeated(self) -> None:
        """The status does not contain values of the document."""
        body = json.dumps({"image": "busybox", "gpu": SECRET, "environment": {"TOKEN": [SECRET], "": SECRET}})
        uploads = FakeUploads({upload(): body.encode()})

        submit(uploads, FakeJobs())

        assert SECRET not in msgspec.json.encode(uploads.status()).decode()


class TestFailed:
    """Failures that a retry may resolve."""

    def test_status_announces_the_retry(self) -> None:
        """The user need not upload it again, which would create a second Job; the final status is that of the Job."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox"}'})
        jobs.before("create", raising(UNAVAILABLE))

        (outcomes, failures) = submit(uploads, jobs)

        assert outcomes == [Outcome("failed", upload().key, why="cluster_unavailable")]
        assert failures == [UNAVAILABLE]
        assert uploads.status()["detail"] == f"The cluster does not answer. {RETRIED}"
        assert not uploads.has_final_status(upload())

        submit(uploads, jobs)
        assert uploads.status()["name"] == jobs.names(TEAM_A)[0]

    def test_name_that_is_being_deleted(self) -> None:
        """A conflict with a Retry-After is retried."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox", "name": "train-1"}'})
        jobs.hold(TEAM_A, job("train-1", deletion_timestamp=NOW))

        (_, failures) = submit(uploads, jobs)

        assert [invalid.code for invalid in failures] == ["job_being_deleted"]

    @pytest.mark.parametrize("body", [b'{"image": "busybox"}', b"not JSON"])
    @pytest.mark.parametrize("method", ["has_final_status", "read", "write_status"])
    def test_unavailable_bucket_is_a_failure(self, method: str, body: bytes) -> None:
        """The event is retried after a failure of any request to the bucket, also for an invalid document."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): body})
        uploads.before(method, raising(StorageUnavailable("S3 does not answer.")))

        (outcomes, failures) = submit(uploads, jobs)

        assert outcomes == [Outcome("failed", upload().key, why="storage_unavailable")]
        assert len(failures) == 1

    def test_does_not_stop_the_rest(self) -> None:
        """Records are independent."""
        keys = [f"submit/team-a/{number}.json" for number in range(3)]
        jobs, uploads = FakeJobs(), FakeUploads({upload(key=key): b'{"image": "busybox"}' for key in keys})
        jobs.before("create", raising(UNAVAILABLE))

        (outcomes, failures) = submit(uploads, jobs)

        assert [invalid.outcome for invalid in outcomes] == ["failed", "submitted", "submitted"]
        assert len(failures) == 1


class TestSkipped:
    """Records that are not submitted."""

    @pytest.mark.parametrize(
        ("record", "outcome"),
        [
            pytest.param(upload(), Outcome("superseded", upload().key), id="overwritten"),
            pytest.param(
                IgnoredRecord("another bucket", "x"), Outcome("ignored", "x", why="another bucket"), id="not an upload"
            ),
        ],
    )
    def test_has_no_status(self, record: Upload | IgnoredRecord, outcome: Outcome) -> None:
        """It is not a failure."""
        uploads = FakeUploads({upload(): SupersededError()})

        assert submit(uploads, FakeJobs(), record) == ([outcome], [])
        assert uploads.statuses == {}
