"""Submit a Job exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.errors import (
    ClusterUnavailable,
    Forbidden,
    IdempotencyKeyReused,
    InvalidJob,
    JobBeingDeleted,
    MalformedRequest,
    NameTaken,
    QuotaExceeded,
    RefusedByCluster,
)
from chalicelib.domain.labels import KEY_LABEL
from chalicelib.domain.names import JobName, ProjectName
from chalicelib.domain.submission.deduplication_key import IdempotencyKey, UniqueRequest
from chalicelib.usecases.submit_job import ATTEMPTS, Submitted, preview_job, submit_job
from tests.support.builders import ALICE, BOB, NOW, TEAM_A, job, submission
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Manifest


def submit(
    jobs: FakeJobs, *, key: str | None = None, nonce: str = "nonce", caller: Caller = ALICE, **fields: object
) -> Submitted:
    """Submit a Job with *fields*."""
    return submit_job(submission(**fields), UniqueRequest(nonce) if key is None else IdempotencyKey(key), caller, jobs)


def preview(jobs: FakeJobs, **fields: object) -> Manifest:
    """Preview Alice's submission with *fields*."""
    return preview_job(submission(**fields), UniqueRequest("nonce"), ALICE, jobs)


SECRET: dict[str, Any] = {"environment": {"TOKEN": {"secret": {"name": "other", "key": "k"}}}}


class TestSecrets:
    """Secrets that the Project does not list."""

    @pytest.mark.parametrize(
        "cluster_errors", [[], [raising(RefusedByCluster("policy"))], [raising(QuotaExceeded("full"))]]
    )
    def test_are_rejected(self, jobs: FakeJobs, cluster_errors: list[Callable[[], None]]) -> None:
        """The error has the path of the variable, whatever the cluster's response is, also for a preview."""
        jobs.before("preview", *cluster_errors * 2)

        for use_case in (submit, preview):
            with pytest.raises(InvalidJob) as raised:
                use_case(jobs, **SECRET)
            assert [each.pointer for each in raised.value.errors] == ["/environment/TOKEN/secret/name"]
        assert jobs.manifests == []

    def test_forbidden_project(self) -> None:
        """A caller without permission gets the same error as without the Secret."""
        for use_case in (submit, preview):
            with pytest.raises(Forbidden):
                use_case(FakeJobs(ProjectName("team-b")), **SECRET)

    def test_job_that_was_created_while_the_secret_was_listed(self, jobs: FakeJobs) -> None:
        """The same request is a replay, and for another one the name is taken."""
        jobs.secrets = frozenset({"other"})
        created = submit(jobs, name="train-1", **SECRET)
        jobs.secrets = frozenset()

        assert submit(jobs, name="train-1", **SECRET) == Submitted(created.job, replayed=True)
        assert preview(jobs, name="train-1", **SECRET)
        with pytest.raises(NameTaken):
            submit(jobs, name="train-1", gpu=1, **SECRET)


class TestSubmitJob:
    """One request creates one Job."""

    def test_job_is_created(self, jobs: FakeJobs) -> None:
        """It has the requested name, and the response contains it."""
        found = submit(jobs, name="train-1", gpu=2)

        assert jobs.names(TEAM_A) == ["train-1"]
        assert not found.replayed
        view = found.job
        assert (view.project, view.name, view.user, view.status) == ("team-a", "train-1", "alice", "Pending")
        assert view.requested_gpus == 2

    @pytest.mark.parametrize("shared", [{"name": "train-1"}, {"key": "key"}])
    def test_second_delivery_returns_the_first_job(self, jobs: FakeJobs, shared: dict[str, Any]) -> None:
        """The same name or Idempotency-Key returns the same Job as a replay."""
        first, second = (submit(jobs, nonce=nonce, **shared) for nonce in ("1", "2"))

        assert len(jobs.manifests) == 1
        assert second == Submitted(first.job, replayed=True)

    @pytest.mark.parametrize(
        "requests", [[{"nonce": "1"}, {"nonce": "2"}], [{"key": "1", "caller": ALICE}, {"key": "1", "caller": BOB}]]
    )
    def test_distinct_requests_create_distinct_jobs(self, jobs: FakeJobs, requests: list[dict[str, Any]]) -> None:
        """Without a name or key, or with the key of another caller, each creates a Job."""
        for request in requests:
            submit(jobs, **request)

        assert len(jobs.names(TEAM_A)) == 2

    @pytest.mark.parametrize("first", [{}, {"jobNamePrefix": "sweep"}])
    @pytest.mark.parametrize("second", [{}, {"jobNamePrefix": "sweep"}, {"jobNamePrefix": "a"}, {"jobNamePrefix": "z"}])
    def test_key_with_a_prefix(self, jobs: FakeJobs, first: dict[str, Any], second: dict[str, Any]) -> None:
        """The name has the prefix; another prefix of the key is refused with its Job, also in a preview."""
        created = submit(jobs, key="key", **first)
        assert created.job.name.startswith(first.get("jobNamePrefix", "job") + "-")

        if first == second:
            assert submit(jobs, key="key", **second) == Submitted(created.job, replayed=True)
            assert preview_job(submission(**second), IdempotencyKey("key"), ALICE, jobs)["kind"] == "Job"
        else:
            with pytest.raises(IdempotencyKeyReused, match=created.job.name):
                submit(jobs, key="key", **second)
            with pytest.raises(IdempotencyKeyReused, match=created.job.name):
                preview_job(submission(**second), IdempotencyKey("key"), ALICE, jobs)
        assert jobs.names(TEAM_A) == [created.job.name]
        assert submit(jobs, key="other", **second).replayed is False

    def test_jobs_of_concurrent_requests_with_other_prefixes(self, jobs: FakeJobs) -> None:
        """Each request finds its own Job again, if both were created at the same time."""

        def submit_another() -> None:
            submit(jobs, key="key", jobNamePrefix="a")

        jobs.before("create", submit_another)
        first = submit(jobs, key="key", jobNamePrefix="b")

        names = [submit(jobs, key="key", jobNamePrefix=prefix).job.name[0] for prefix in "ab"]

        assert (first.job.name[0], names, len(jobs.manifests)) == ("b", ["a", "b"], 2)

    def test_job_of_an_earlier_release(self, jobs: FakeJobs) -> None:
        """A Job that has no label of its key is found by its name."""
        created = submit(jobs, key="key")
        del jobs.jobs[TEAM_A, JobName(created.job.name)].metadata.labels[KEY_LABEL]

        assert submit(jobs, key="key").replayed

    def test_256_concurrent_deliveries_create_one_job(self, jobs: FakeJobs) -> None:
        """One creates the Job, and the others return it."""
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(lambda nonce: submit(jobs, key="key", nonce=str(nonce)), range(256)))

        assert len(jobs.manifests) == 1
        assert [each.replayed for each in found].count(False) == 1
        assert len({each.job.id for each in found}) == 1

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"gpu": 2}, id="another submission"),
            pytest.param({"caller": BOB}, id="another caller"),
            pytest.param(None, id="created with kubectl"),
        ],
    )
    def test_existing_job_is_not_changed(self, jobs: FakeJobs, other: dict[str, Any] | None) -> None:
        """The name is taken, also for a preview."""
        if other is None:
            jobs.hold(TEAM_A, job("train-1"))
        else:
            submit(jobs, name="train-1", **other)
        before = dict(jobs.jobs)

        with pytest.raises(NameTaken):
            submit(jobs, name="train-1")
        with pytest.raises(NameTaken):
            preview_job(submission(name="train-1"), UniqueRequest("nonce"), ALICE, jobs)

        assert jobs.jobs == before

    def test_key_for_another_submission(self, jobs: FakeJobs) -> None:
        """A key that was used for another submission is an error, also for a preview."""
        submit(jobs, key="key")

        with pytest.raises(IdempotencyKeyReused):
            submit(jobs, key="key", gpu=1)
        with pytest.raises(IdempotencyKeyReused):
            preview_job(submission(gpu=1), IdempotencyKey("key"), ALICE, jobs)

        assert len(jobs.manifests) == 1

    def test_job_that_is_being_deleted(self, jobs: FakeJobs) -> None:
        """The caller has to retry later, even if the same request created the Job."""
        submit(jobs, name="train-1")
        jobs.jobs[TEAM_A, "train-1"].metadata.deletion_timestamp = NOW

        with pytest.raises(JobBeingDeleted):
            submit(jobs, name="train-1")

    def test_after_deletion_the_same_request_creates_a_new_job(self, jobs: FakeJobs) -> None:
        """The request is only recognized while the Job exists."""
        first = submit(jobs, key="key")
        jobs.jobs.clear()

        second = submit(jobs, key="key")

        assert (first.job.name, False) == (second.job.name, second.replayed)
        assert first.job.id != second.job.id

    def test_name_that_is_taken_and_freed(self, jobs: FakeJobs) -> None:
        """The name exists at the creation, and not when it is read: the creation is retried three times."""

        def take() -> None:
            jobs.hold(TEAM_A, job("train-1"))

        jobs.before("create", *[take] * (2 * ATTEMPTS - 1))
        jobs.before("find", *[jobs.jobs.clear] * (2 * ATTEMPTS - 1))

        with pytest.raises(NameTaken, match="keep creating and deleting"):
            submit(jobs, name="train-1")
        assert (ATTEMPTS, jobs.manifests) == (3, [])
        assert not submit(jobs, name="train-1").replayed

    def test_retry_after_a_lost_response(self, jobs: FakeJobs) -> None:
        """The cluster created the Job, the caller got an error, and the same request returns the Job."""
        jobs.before("find", raising(ClusterUnavailable("Try again.")))
        submit(jobs, name="train-1")
        with pytest.raises(ClusterUnavailable):
            submit(jobs, name="train-1")

        found = submit(jobs, name="train-1")

        assert found.replayed

    def test_other_teams_project_is_forbidden(self, jobs: FakeJobs) -> None:
        """Nothing is created, and a preview has the same error."""
        with pytest.raises(Forbidden):
            submit(jobs, project="team-b")
        with pytest.raises(Forbidden):
            preview_job(submission(project="team-b"), UniqueRequest("nonce"), ALICE, jobs)

        assert jobs.jobs == {}

    def test_error_of_the_cluster_is_raised(self, jobs: FakeJobs) -> None:
        """An exceeded quota is not retried."""
        jobs.before("create", raising(QuotaExceeded("Full.")))

        with pytest.raises(QuotaExceeded):
            submit(jobs, name="train-1")

        assert jobs.jobs == {}

    def test_invalid_key(self, jobs: FakeJobs) -> None:
        """It is an error even if the request has a name."""
        with pytest.raises(MalformedRequest):
            submit(jobs, name="train-1", key="")

        assert jobs.jobs == {}


class TestPreviewJob:
    """The preview of a submission."""

    def test_it_is_the_job_that_a_submission_creates(self, jobs: FakeJobs) -> None:
        """Name, hashes and spec are the same, with the cluster's additions; nothing is created."""
        manifest = preview_job(submission(gpu=1), IdempotencyKey("key"), ALICE, jobs)
        created = dict(jobs.jobs)
        submit(jobs, key="key", gpu=1)

        assert (created, manifest["metadata"].pop("uid")) == ({}, "uid-of-a-preview")
        assert jobs.manifests == [manifest]

    def test_existing_job_is_shown_as_submitted(self, jobs: FakeJobs) -> None:
        """A submission would return the Job, so it is no error."""
        submit(jobs, key="key", gpu=1)

        assert preview_job(submission(gpu=1), IdempotencyKey("key"), ALICE, jobs) == jobs.manifests[0]
