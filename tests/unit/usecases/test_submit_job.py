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
from chalicelib.domain.names import ProjectName
from chalicelib.domain.submission.idempotency import IdempotencyKey, UniqueRequest
from chalicelib.usecases.submit_job import ATTEMPTS, Submitted, preview_job, submit_job
from tests.support.builders import ALICE, BOB, NOW, TEAM_A, job, submission
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Manifest


def submitted(
    jobs: FakeJobs, *, key: str | None = None, nonce: str = "nonce", caller: Caller = ALICE, **fields: object
) -> Submitted:
    """What becomes of a submission with *fields*."""
    return submit_job(submission(**fields), UniqueRequest(nonce) if key is None else IdempotencyKey(key), caller, jobs)


def previewed(jobs: FakeJobs, **fields: object) -> Manifest:
    """What would become of Alice's submission with *fields*."""
    return preview_job(submission(**fields), UniqueRequest("nonce"), ALICE, jobs)


SECRET: dict[str, Any] = {"environment": {"TOKEN": {"secret": {"name": "other", "key": "k"}}}}


class TestSecrets:
    """Secrets that the Project does not list."""

    @pytest.mark.parametrize("says", [[], [raising(RefusedByCluster("policy"))], [raising(QuotaExceeded("full"))]])
    def test_are_refused_and_nothing_is_made(self, jobs: FakeJobs, says: list[Callable[[], None]]) -> None:
        """By the variable's place, whatever the cluster says to the Job; a preview says so, too."""
        jobs.before("preview", *says * 2)

        for ask in (submitted, previewed):
            with pytest.raises(InvalidJob) as refused:
                ask(jobs, **SECRET)
            assert [one.pointer for one in refused.value.errors] == ["/environment/TOKEN/secret/name"]
        assert jobs.manifests == []

    def test_of_a_foreign_project_tell_nothing_of_it(self) -> None:
        """Who may not make the Job is answered as without the Secret."""
        for ask in (submitted, previewed):
            with pytest.raises(Forbidden):
                ask(FakeJobs(ProjectName("team-b")), **SECRET)

    def test_that_were_listed_when_the_job_was_made_find_it(self, jobs: FakeJobs) -> None:
        """The same request again is a replay; another one is told that the name is taken."""
        jobs.secrets = frozenset({"other"})
        made = submitted(jobs, name="train-1", **SECRET)
        jobs.secrets = frozenset()

        assert submitted(jobs, name="train-1", **SECRET) == Submitted(made.job, replayed=True)
        assert previewed(jobs, name="train-1", **SECRET)
        with pytest.raises(NameTaken):
            submitted(jobs, name="train-1", gpu=1, **SECRET)


class TestSubmitJob:
    """One request, one Job."""

    def test_job_is_made(self, jobs: FakeJobs) -> None:
        """In the Project, under the name that was asked for; the answer shows it."""
        found = submitted(jobs, name="train-1", gpu=2)

        assert jobs.names(TEAM_A) == ["train-1"]
        assert not found.replayed
        seen = found.job
        assert (seen.project, seen.name, seen.user, seen.status) == ("team-a", "train-1", "alice", "Pending")
        assert seen.requested_gpus == 2

    @pytest.mark.parametrize("shared", [{"name": "train-1"}, {"key": "key"}])
    def test_second_delivery_finds_the_first_ones_job(self, jobs: FakeJobs, shared: dict[str, Any]) -> None:
        """The same name or Idempotency-Key again is answered with the same Job, and says so."""
        first, second = (submitted(jobs, nonce=nonce, **shared) for nonce in ("1", "2"))

        assert len(jobs.manifests) == 1
        assert second == Submitted(first.job, replayed=True)

    @pytest.mark.parametrize(
        "requests", [[{"nonce": "1"}, {"nonce": "2"}], [{"key": "1", "caller": ALICE}, {"key": "1", "caller": BOB}]]
    )
    def test_nothing_says_that_two_requests_are_one(self, jobs: FakeJobs, requests: list[dict[str, Any]]) -> None:
        """They have neither name nor key, or the key is another caller's: each makes a Job."""
        for request in requests:
            submitted(jobs, **request)

        assert len(jobs.names(TEAM_A)) == 2

    def test_256_deliveries_at_once_make_one_job(self, jobs: FakeJobs) -> None:
        """However many come at the same time, one makes the Job and the rest find it."""
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(lambda nonce: submitted(jobs, key="key", nonce=str(nonce)), range(256)))

        assert len(jobs.manifests) == 1
        assert [one.replayed for one in found].count(False) == 1
        assert len({one.job.id for one in found}) == 1

    @pytest.mark.parametrize(
        "asked",
        [
            pytest.param({"gpu": 2}, id="another Job"),
            pytest.param({"caller": BOB}, id="another caller's request, who is not answered with Alice's Job"),
            pytest.param(None, id="a Job of kubectl"),
        ],
    )
    def test_job_of_that_name_is_not_touched(self, jobs: FakeJobs, asked: dict[str, Any] | None) -> None:
        """The name is taken, and a preview tells it, too."""
        if asked is None:
            jobs.hold(TEAM_A, job("train-1"))
        else:
            submitted(jobs, name="train-1", **asked)
        before = dict(jobs.jobs)

        with pytest.raises(NameTaken):
            submitted(jobs, name="train-1")
        with pytest.raises(NameTaken):
            preview_job(submission(name="train-1"), UniqueRequest("nonce"), ALICE, jobs)

        assert jobs.jobs == before

    def test_key_for_another_job_is_a_mistake(self, jobs: FakeJobs) -> None:
        """A key that was used for other content is refused, by a preview, too, and nothing is made."""
        submitted(jobs, key="key")

        with pytest.raises(IdempotencyKeyReused):
            submitted(jobs, key="key", gpu=1)
        with pytest.raises(IdempotencyKeyReused):
            preview_job(submission(gpu=1), IdempotencyKey("key"), ALICE, jobs)

        assert len(jobs.manifests) == 1

    def test_job_that_is_being_deleted_is_waited_for_by_the_caller(self, jobs: FakeJobs) -> None:
        """Even by the one who made it: it will be gone."""
        submitted(jobs, name="train-1")
        jobs.jobs[TEAM_A, "train-1"].metadata.deletion_timestamp = NOW

        with pytest.raises(JobBeingDeleted):
            submitted(jobs, name="train-1")

    def test_after_deletion_the_same_request_makes_a_new_job(self, jobs: FakeJobs) -> None:
        """The promise lasts as long as the Job."""
        first = submitted(jobs, key="key")
        jobs.jobs.clear()

        second = submitted(jobs, key="key")

        assert (first.job.name, False) == (second.job.name, second.replayed)
        assert first.job.id != second.job.id

    def test_name_that_comes_and_goes(self, jobs: FakeJobs) -> None:
        """Taken when we create, gone when we look: create again. After three attempts the caller decides."""

        def take() -> None:
            jobs.hold(TEAM_A, job("train-1"))

        jobs.before("create", *[take] * (2 * ATTEMPTS - 1))
        jobs.before("find", *[jobs.jobs.clear] * (2 * ATTEMPTS - 1))

        with pytest.raises(NameTaken, match="keep creating and deleting"):
            submitted(jobs, name="train-1")
        assert (ATTEMPTS, jobs.manifests) == (3, [])
        assert not submitted(jobs, name="train-1").replayed

    def test_answer_that_got_lost_is_found_by_the_retry(self, jobs: FakeJobs) -> None:
        """The cluster made the Job, the caller saw an error, and sends the same request again."""
        jobs.before("find", raising(ClusterUnavailable("Try again.")))
        submitted(jobs, name="train-1")
        with pytest.raises(ClusterUnavailable):
            submitted(jobs, name="train-1")

        found = submitted(jobs, name="train-1")

        assert found.replayed

    def test_other_teams_project_is_refused(self, jobs: FakeJobs) -> None:
        """Nothing changes in it, and a preview tells nothing of it."""
        with pytest.raises(Forbidden):
            submitted(jobs, project="team-b")
        with pytest.raises(Forbidden):
            preview_job(submission(project="team-b"), UniqueRequest("nonce"), ALICE, jobs)

        assert jobs.jobs == {}

    def test_clusters_refusal_reaches_the_caller(self, jobs: FakeJobs) -> None:
        """A full quota is the answer, not a reason to try again."""
        jobs.before("create", raising(QuotaExceeded("No room.")))

        with pytest.raises(QuotaExceeded):
            submitted(jobs, name="train-1")

        assert jobs.jobs == {}

    def test_bad_key_makes_nothing(self, jobs: FakeJobs) -> None:
        """Not even where a name is given."""
        with pytest.raises(MalformedRequest):
            submitted(jobs, name="train-1", key="")

        assert jobs.jobs == {}


class TestPreviewJob:
    """What would become of a submission."""

    def test_it_is_the_job_that_would_be_submitted(self, jobs: FakeJobs) -> None:
        """The same names, hashes and spec, and what the cluster adds; nothing is made."""
        manifest = preview_job(submission(gpu=1), IdempotencyKey("key"), ALICE, jobs)
        made = dict(jobs.jobs)
        submitted(jobs, key="key", gpu=1)

        assert (made, manifest["metadata"].pop("uid")) == ({}, "uid-of-a-preview")
        assert jobs.manifests == [manifest]

    def test_request_that_was_made_is_shown_as_it_was_sent(self, jobs: FakeJobs) -> None:
        """A submission of it would find its Job, so it is no error."""
        submitted(jobs, key="key", gpu=1)

        assert preview_job(submission(gpu=1), IdempotencyKey("key"), ALICE, jobs) == jobs.manifests[0]
