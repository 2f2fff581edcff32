"""Tell what happened to a Job, and why it is where it is."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Forbidden, JobNotFound
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.job_diagnosis import MAX_PODS_WITH_EVENTS, diagnose_job, job_events
from tests.support.builders import TEAM_A, TRAIN_1, event, job, meta, minutes_ago, pod, unscheduled
from tests.support.fakes import FakeJobs, FakePods

TEAM_B = ProjectName("team-b")
USE_CASES = [job_events, diagnose_job]


@pytest.fixture
def jobs() -> FakeJobs:
    """Team A with one Job."""
    found = FakeJobs()
    found.hold(TEAM_A, job())
    return found


@pytest.fixture
def pods() -> FakePods:
    """Its pod, which waits, and what is told of both."""
    found = FakePods()
    found.pods.append(pod("Pending", status=unscheduled(message="1 Insufficient cpu")))
    found.told += [
        event("SuccessfulCreate", "Created pod: train-1-abcde", kind="Job", about=meta()),
        event("FailedScheduling", "1 Insufficient cpu"),
        event("Started", about=meta("another-pod")),
        event("SuccessfulCreate", kind="Job", about=meta(uid="uid-of-the-former")),
    ]
    return found


class TestJobEvents:
    """What the cluster recorded."""

    def test_of_the_job_and_its_pod(self, jobs: FakeJobs, pods: FakePods) -> None:
        """And of no other objects."""
        found = job_events(TEAM_A, TRAIN_1, jobs, pods).data

        assert {view.reason for view in found} == {"SuccessfulCreate", "FailedScheduling"}
        assert pods.asked_for == ["train-1-abcde"]

    def test_of_a_pod_that_is_gone(self, jobs: FakeJobs, pods: FakePods) -> None:
        """The Job's own events name it."""
        pods.pods = []

        assert len(job_events(TEAM_A, TRAIN_1, jobs, pods).data) == 2

    def test_of_the_pods_that_can_tell_most(self, jobs: FakeJobs, pods: FakePods) -> None:
        """Of very many the newest that did not succeed, then those that are gone, then the others."""
        ages = range(MAX_PODS_WITH_EVENTS - 2)
        pods.pods = [pod("Failed", name=f"train-1-f{age}", creation_timestamp=minutes_ago(age + 9)) for age in ages]
        pods.pods += [pod("Succeeded", name=f"train-1-s{age}", creation_timestamp=minutes_ago(age)) for age in ages]

        job_events(TEAM_A, TRAIN_1, jobs, pods)

        expected = [*(f"train-1-f{age}" for age in ages), "train-1-abcde", "train-1-s0"]
        assert sorted(expected) == sorted(pods.asked_for)


class TestDiagnoseJob:
    """Why the Job is where it is."""

    def test_of_its_pod(self, jobs: FakeJobs, pods: FakePods) -> None:
        """One cause."""
        found = diagnose_job(TEAM_A, TRAIN_1, jobs, pods)

        assert (found.project, found.name, found.cause) == ("team-a", "train-1", "UnschedulableResources")

    def test_of_events(self, jobs: FakeJobs, pods: FakePods) -> None:
        """Where there are no pods they are all there is."""
        pods.pods = []
        pods.told = [event("FailedCreate", "exceeded quota", kind="Job", about=meta())]

        assert diagnose_job(TEAM_A, TRAIN_1, jobs, pods).cause == "NoPodsQuota"


@pytest.mark.parametrize("use_case", USE_CASES)
class TestRefusals:
    """Of both."""

    def test_missing_job(self, pods: FakePods, use_case: type) -> None:
        """Nothing else is asked for; in another team's Project it is not told whether it exists."""
        with pytest.raises(Forbidden):
            use_case(TEAM_B, TRAIN_1, FakeJobs(TEAM_A), pods)
        with pytest.raises(JobNotFound):
            use_case(TEAM_A, TRAIN_1, FakeJobs(), pods)

        assert pods.asked_for == []
