"""List the indexes of a Job."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import JobNotFound
from chalicelib.domain.job.index_list import IndexQuery
from chalicelib.domain.kubernetes.jobs import Condition, JobSpec, JobStatus
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION
from chalicelib.usecases.job_indexes import IndexPage, job_indexes
from tests.support.builders import TEAM_A, TRAIN_1, exited, job, pod
from tests.support.fakes import FakeJobs, FakePods


@pytest.fixture
def cluster() -> tuple[FakeJobs, FakePods]:
    """Return a failed Job with three indexes: 0 has succeeded, 1 has failed, 2 was not finished."""
    jobs, pods = FakeJobs(), FakePods()
    status = JobStatus(completed_indexes="0", conditions=[Condition(type="Failed", status="True")])
    jobs.hold(TEAM_A, job(spec=JobSpec(completion_mode="Indexed", completions=3), status=status))
    annotations = {COMPLETION_INDEX_ANNOTATION: "1"}
    pods.pods = [pod("Failed", name="train-1-1-a", status=exited(3), annotations=annotations)]
    return jobs, pods


def test_page(cluster: tuple[FakeJobs, FakePods]) -> None:
    """Each index has its status and the pods that the cluster still has."""
    page = job_indexes(TEAM_A, TRAIN_1, IndexQuery(limit=2), *cluster)

    found = [(each.index, each.status, each.exit_code, each.pod) for each in page.data]
    assert found == [(0, "succeeded", 0, None), (1, "failed", 3, "train-1-1-a")]
    assert page.next_page_token == "2"


def test_pods_of_an_earlier_job(cluster: tuple[FakeJobs, FakePods]) -> None:
    """A pod of an earlier Job with the same name, whose owner has another UID, shows nothing."""
    cluster[1].pods[0].metadata.owner_references[0].uid = "uid-of-an-earlier-job"

    assert job_indexes(TEAM_A, TRAIN_1, IndexQuery(status="failed"), *cluster) == IndexPage([])


def test_missing_job() -> None:
    """A Job that does not exist has no indexes."""
    with pytest.raises(JobNotFound):
        job_indexes(TEAM_A, TRAIN_1, IndexQuery(), FakeJobs(), FakePods())
