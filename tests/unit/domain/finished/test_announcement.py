"""Tests of the announcement of finished Jobs."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finished.announcement import AnnouncementReport, announced_patch, build_announcement
from chalicelib.domain.finished.cleanup_report import MAX_NAMED, Failure
from chalicelib.domain.kubernetes.annotations import MAX_ANNOTATIONS
from chalicelib.domain.kubernetes.jobs import Job, JobSpec
from chalicelib.domain.kubernetes.pods import Pod
from chalicelib.domain.labels import ANNOUNCED_LABEL, OUTCOME_ANNOTATION, USER_ANNOTATION, is_reserved_key
from tests.support.builders import NOW, NOW_MS, TEAM_A, container, exited, finished, pod, template
from tests.support.kubernetes_objects import objects


class TestBuildAnnouncement:
    """Tests of build_announcement."""

    def test_succeeded_job(self) -> None:
        """The announcement contains what a notification to the user needs."""
        spec = JobSpec(template=template(container(gpus=2)))
        job = finished(spec=spec, annotations={USER_ANNOTATION: "alice"})

        announcement = build_announcement(TEAM_A, job, [], "gpu-east")

        assert msgspec.to_builtins(announcement) == {
            "id": "uid-of-train-1",
            "project": "team-a",
            "name": "train-1",
            "status": "Succeeded",
            "reason": None,
            "exitCode": 0,
            "failedPod": None,
            "user": "alice",
            "gpuSeconds": 0.0,
            "gpuSecondsIsLowerBound": False,
            "finishedAt": NOW_MS,
            "cluster": "gpu-east",
        }

    def test_failed_job(self) -> None:
        """The reason is that of its pods; a finished Job that is being deleted is announced, too."""
        deleted = finished("Failed", deletion_timestamp=NOW)

        announcement = build_announcement(TEAM_A, deleted, [pod("Failed", status=exited(137, "OOMKilled"))], "gpu")

        assert (announcement.status, announcement.reason) == ("Failed", "OOMKilled")

    def test_record_of_a_user_is_ignored(self) -> None:
        """A record that exists before the announcement was not written by this API."""
        text = '{"id":"uid-of-train-1","exitCode":1,"failedPod":"x","gpuSeconds":1000.0,"gpuSecondsIsLowerBound":false}'

        announcement = build_announcement(TEAM_A, finished("Failed", annotations={OUTCOME_ANNOTATION: text}), [], "gpu")

        assert (announcement.exit_code, announcement.failed_pod) == (None, None)

    @given(objects(Job), st.lists(objects(Pod), max_size=3))
    def test_any_job_has_an_announcement(self, job: Job, pods: list[Pod]) -> None:
        """No Job, whatever its fields contain, prevents the announcement of other Jobs."""
        announcement = build_announcement(TEAM_A, job, pods, "gpu")

        assert msgspec.json.decode(msgspec.json.encode(announcement))["name"] == job.metadata.name


class TestAnnouncedPatch:
    """Tests of announced_patch."""

    def test_only_for_the_unchanged_job(self) -> None:
        """The patch is rejected if the Job was changed or replaced; users cannot set the label."""
        assert is_reserved_key(ANNOUNCED_LABEL)
        job = finished(resource_version="7")
        assert announced_patch(job, build_announcement(TEAM_A, job, [], "gpu")) == {
            "metadata": {
                "uid": "uid-of-train-1",
                "resourceVersion": "7",
                "labels": {ANNOUNCED_LABEL: "true"},
                "annotations": {
                    OUTCOME_ANNOTATION: '{"id":"uid-of-train-1","exitCode":0,"failedPod":null,"gpuSeconds":0.0,'
                    '"gpuSecondsIsLowerBound":false}'
                },
            }
        }

    def test_full_annotations(self) -> None:
        """A Job whose annotations are as large as the API server permits is labelled without a record."""
        job = finished(annotations={"a": "x" * (MAX_ANNOTATIONS - 1)})

        patch = announced_patch(job, build_announcement(TEAM_A, job, [], "gpu"))

        assert patch["metadata"].keys() == {"uid", "resourceVersion", "labels"}


class TestAnnouncementReport:
    """Tests of AnnouncementReport."""

    @pytest.mark.parametrize("failures", [0, 1, MAX_NAMED + 1])
    def test_failures(self, failures: int) -> None:
        """All failures are counted, and up to MAX_NAMED are listed."""
        report = AnnouncementReport(announced=2)
        for number in range(failures):
            report.count_failed(Failure("team-a", f"job-{number}", "forbidden"))

        assert report.counts == {"Announced": 2, "Failed": failures, "Truncated": 0}
        assert len(report.failures) == min(failures, MAX_NAMED)

    def test_log_line_is_json(self) -> None:
        """The log fields contain each failure with its error code."""
        report = AnnouncementReport()
        report.count_failed(Failure("team-a", None, "forbidden"))

        assert report.log_fields == {
            "announced": 0,
            "failed": 1,
            "truncated": False,
            "failures": [{"project": "team-a", "name": None, "code": "forbidden"}],
        }
