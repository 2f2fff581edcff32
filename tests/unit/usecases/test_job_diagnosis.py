"""The events of a Job, and its diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import Forbidden, JobNotFound
from chalicelib.domain.names import JobName, ProjectName
from chalicelib.usecases.job_diagnosis import MAX_PODS_WITH_EVENTS, diagnose_job, job_events
from tests.support.builders import NOW, TEAM_A, TRAIN_1, event, job, meta, minutes_ago, pod, unscheduled
from tests.support.fakes import FakeJobs, FakePods

if TYPE_CHECKING:
    from chalicelib.domain.diagnosis.diagnosis import Diagnosis

TEAM_B = ProjectName("team-b")


def diagnosis(project: ProjectName, name: JobName, jobs: FakeJobs, pods: FakePods) -> Diagnosis:
    """Return the diagnosis of the Job at NOW."""
    return diagnose_job(project, name, NOW, jobs, pods)


USE_CASES = [job_events, diagnosis]


@pytest.fixture
def jobs() -> FakeJobs:
    """Return a cluster with one Job of team A."""
    found = FakeJobs()
    found.hold(TEAM_A, job())
    return found


@pytest.fixture
def pods() -> FakePods:
    """Return its pending pod, and events of both and of other objects."""
    found = FakePods()
    found.pods.append(pod("Pending", status=unscheduled(message="1 Insufficient cpu")))
    found.recorded_events += [
        event("SuccessfulCreate", "Created pod: train-1-abcde", kind="Job", about=meta()),
        event("FailedScheduling", "1 Insufficient cpu"),
        event("Started", about=meta("another-pod")),
        event("SuccessfulCreate", kind="Job", about=meta(uid="uid-of-an-earlier-job")),
    ]
    return found


class TestJobEvents:
    """The events."""

    def test_of_the_job_and_its_pod(self, jobs: FakeJobs, pods: FakePods) -> None:
        """Events of other objects are not returned."""
        found = job_events(TEAM_A, TRAIN_1, jobs, pods).data

        assert {view.reason for view in found} == {"SuccessfulCreate", "FailedScheduling"}
        assert pods.requested_pods == ["train-1-abcde"]

    def test_of_a_deleted_pod(self, jobs: FakeJobs, pods: FakePods) -> None:
        """The Job's events contain its name."""
        pods.pods = []

        assert len(job_events(TEAM_A, TRAIN_1, jobs, pods).data) == 2

    def test_of_the_most_relevant_pods(self, jobs: FakeJobs, pods: FakePods) -> None:
        """Of many pods: the newest that did not succeed, then deleted ones, then the others."""
        ages = range(MAX_PODS_WITH_EVENTS - 2)
        pods.pods = [pod("Failed", name=f"train-1-f{age}", creation_timestamp=minutes_ago(age + 9)) for age in ages]
        pods.pods += [pod("Succeeded", name=f"train-1-s{age}", creation_timestamp=minutes_ago(age)) for age in ages]

        job_events(TEAM_A, TRAIN_1, jobs, pods)

        expected = [*(f"train-1-f{age}" for age in ages), "train-1-abcde", "train-1-s0"]
        assert sorted(expected) == sorted(pods.requested_pods)


class TestDiagnoseJob:
    """The diagnosis."""

    def test_of_its_pod(self, jobs: FakeJobs, pods: FakePods) -> None:
        """The cause is that of the pod."""
        found = diagnosis(TEAM_A, TRAIN_1, jobs, pods)

        assert (found.project, found.name, found.cause) == ("team-a", "train-1", "UnschedulableResources")

    def test_of_events(self, jobs: FakeJobs, pods: FakePods) -> None:
        """Without pods the events have the cause."""
        pods.pods = []
        pods.recorded_events = [event("FailedCreate", "exceeded quota", kind="Job", about=meta())]

        assert diagnosis(TEAM_A, TRAIN_1, jobs, pods).cause == "NoPodsQuota"


@pytest.mark.parametrize("use_case", USE_CASES)
class TestErrors:
    """Errors of both use cases."""

    def test_missing_job(self, pods: FakePods, use_case: type) -> None:
        """No events are read; in another team's Project the error is Forbidden."""
        with pytest.raises(Forbidden):
            use_case(TEAM_B, TRAIN_1, FakeJobs(TEAM_A), pods)
        with pytest.raises(JobNotFound):
            use_case(TEAM_A, TRAIN_1, FakeJobs(), pods)

        assert pods.requested_pods == []
