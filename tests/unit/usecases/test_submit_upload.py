"""Submit what was uploaded."""

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
READ = AssertionError("a document that its name or its size refuses is not read")
DOWN = ClusterUnavailable("The cluster does not answer.", retry_after=7)


def submitted(
    uploads: FakeUploads, jobs: FakeJobs, *records: Upload | IgnoredRecord
) -> tuple[list[Outcome], list[Any]]:
    """What becomes of *records*, or of everything that is in *uploads*."""
    return submit_uploads(records or list(uploads.documents), "request-1", uploads, jobs)


class TestSubmitted:
    """A good document."""

    def test_makes_a_job(self) -> None:
        """In the folder's Project, named after the file, as the bucket's group and with the uploader's name."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox", "gpu": 2}'})

        ((outcome,), failures) = submitted(uploads, jobs)

        (name,) = jobs.names(TEAM_A)
        assert (outcome, failures) == (Outcome("submitted", upload().key, f"team-a/{name}"), [])
        assert name.startswith("sweep-")
        annotations = jobs.manifests[0]["metadata"]["annotations"]
        assert annotations["researcher.dev/user"] == "s3-researcher-uploads"
        assert annotations["researcher.dev/uploaded-by"] == "AWS:AIDAEXAMPLE"

    def test_second_delivery_asks_nobody(self) -> None:
        """Not even where the Job was deleted since: what was uploaded once is submitted once."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox"}'})
        submitted(uploads, jobs)
        jobs.jobs.clear()

        ((outcome,), _) = submitted(uploads, jobs)

        assert outcome == Outcome("already final", upload().key)
        assert len(jobs.manifests) == 1

    def test_delivery_after_a_lost_status_finds_the_job(self) -> None:
        """The lock is on the cluster; the status, which is the Job's view as over HTTP, only saves the way there."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox"}'})
        uploads.before("write_status", raising(StorageUnavailable("S3 does not answer.")))

        outcomes = [submitted(uploads, jobs) for _ in range(2)]

        assert [one.outcome for ((one,), _) in outcomes] == ["failed", "replayed"]
        assert len(jobs.manifests) == 1
        (name,) = jobs.names(TEAM_A)
        assert (uploads.told()["name"], uploads.told()["links"]) == (name, {"self": f"/jobs/team-a/{name}"})
        assert uploads.has_final_status(upload())

    def test_new_version_is_a_new_submission(self) -> None:
        """And the status is that of the newer, whichever comes first."""
        document = b'{"image": "busybox"}'
        versions = [upload(version=number, sequencer=f"0{number}") for number in "21"]
        jobs, uploads = FakeJobs(), FakeUploads(dict.fromkeys(versions, document))

        submitted(uploads, jobs)

        assert len(jobs.names(TEAM_A)) == 2
        assert uploads.told()["name"] == jobs.manifests[0]["metadata"]["name"]

    def test_same_name_again_is_the_same_job(self) -> None:
        """As over HTTP: a name is a lock, whatever object brings it."""
        document = b'{"image": "busybox", "name": "train-1"}'
        jobs, uploads = FakeJobs(), FakeUploads({upload(): document, upload(key="submit/team-a/b.yaml"): document})

        (outcomes, _) = submitted(uploads, jobs)

        assert [one.outcome for one in outcomes] == ["submitted", "replayed"]


PERMANENT = [
    pytest.param({"key": "submit/team-a/a.txt"}, READ, "malformed_request", id="other files are not read"),
    pytest.param({"size": 5 * 2**30}, READ, "body_too_large", id="five gigabytes are not read"),
    pytest.param({"size": 1}, b" " * 70_000, "body_too_large", id="larger than S3 told"),
    pytest.param({}, b"\x00\x01", "malformed_request", id="binary"),
    pytest.param({}, b'{"image": "busybox", "gpu": "many"}', "invalid_job", id="a wrong field"),
    pytest.param({}, b'{"image": "busybox", "project": "team-b"}', "invalid_job", id="another Project"),
    pytest.param({}, UploadGone("x"), "upload_gone", id="deleted"),
    pytest.param({"project": ProjectName("team-b")}, b'{"image": "busybox"}', "forbidden", id="not bound there"),
]


class TestRefused:
    """A document that no other try makes better."""

    @pytest.mark.parametrize(("fields", "body", "code"), PERMANENT)
    def test_is_told_and_not_tried_again(
        self, fields: dict[str, Any], body: bytes | ResearcherError, code: str
    ) -> None:
        """The status is the problem as HTTP answers it, naming the invocation; nothing is made."""
        one = upload(**fields)
        jobs, uploads = FakeJobs(), FakeUploads({one: body})

        (outcomes, failures) = submitted(uploads, jobs)

        assert (outcomes, failures) == ([Outcome("refused", one.key, why=code)], [])
        assert uploads.told(one)["code"] == code
        assert uploads.told(one)["instance"] == "urn:researcher:request:request-1"
        assert uploads.has_final_status(one)
        assert jobs.manifests == []

    def test_secrets_are_not_repeated(self) -> None:
        """Whoever may read statuses reads no environment."""
        body = json.dumps({"image": "busybox", "gpu": SECRET, "environment": {"TOKEN": [SECRET], "": SECRET}})
        uploads = FakeUploads({upload(): body.encode()})

        submitted(uploads, FakeJobs())

        assert SECRET not in msgspec.json.encode(uploads.told()).decode()


class TestFailed:
    """What another try may mend."""

    def test_is_told_as_to_be_tried_again(self) -> None:
        """So that nobody uploads it a second time, and makes a second Job; the status is the Job's in the end."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox"}'})
        jobs.before("create", raising(DOWN))

        (outcomes, failures) = submitted(uploads, jobs)

        assert outcomes == [Outcome("failed", upload().key, why="cluster_unavailable")]
        assert failures == [DOWN]
        assert uploads.told()["detail"] == f"The cluster does not answer. {RETRIED}"
        assert not uploads.has_final_status(upload())

        submitted(uploads, jobs)
        assert uploads.told()["name"] == jobs.names(TEAM_A)[0]

    def test_name_on_its_way_out_is_waited_for(self) -> None:
        """A conflict that says when to come back."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): b'{"image": "busybox", "name": "train-1"}'})
        jobs.hold(TEAM_A, job("train-1", deletion_timestamp=NOW))

        (_, failures) = submitted(uploads, jobs)

        assert [one.code for one in failures] == ["job_being_deleted"]

    @pytest.mark.parametrize("body", [b'{"image": "busybox"}', b"no JSON"])
    @pytest.mark.parametrize("method", ["has_final_status", "read", "write_status"])
    def test_silent_bucket_is_a_failure(self, method: str, body: bytes) -> None:
        """Whichever call it does not answer, for a refusal, too: somebody waits for the status."""
        jobs, uploads = FakeJobs(), FakeUploads({upload(): body})
        uploads.before(method, raising(StorageUnavailable("S3 does not answer.")))

        (outcomes, failures) = submitted(uploads, jobs)

        assert outcomes == [Outcome("failed", upload().key, why="storage_unavailable")]
        assert len(failures) == 1

    def test_does_not_stop_the_rest(self) -> None:
        """Each record is on its own."""
        keys = [f"submit/team-a/{number}.json" for number in range(3)]
        jobs, uploads = FakeJobs(), FakeUploads({upload(key=key): b'{"image": "busybox"}' for key in keys})
        jobs.before("create", raising(DOWN))

        (outcomes, failures) = submitted(uploads, jobs)

        assert [one.outcome for one in outcomes] == ["failed", "submitted", "submitted"]
        assert len(failures) == 1


class TestLeftAlone:
    """What is nobody's submission."""

    @pytest.mark.parametrize(
        ("record", "outcome"),
        [
            pytest.param(upload(), Outcome("superseded", upload().key), id="overwritten"),
            pytest.param(
                IgnoredRecord("another bucket", "x"), Outcome("ignored", "x", why="another bucket"), id="no upload"
            ),
        ],
    )
    def test_has_no_status(self, record: Upload | IgnoredRecord, outcome: Outcome) -> None:
        """Nor is it a failure."""
        uploads = FakeUploads({upload(): SupersededError()})

        assert submitted(uploads, FakeJobs(), record) == ([outcome], [])
        assert uploads.statuses == {}
