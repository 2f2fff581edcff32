"""The announcement that a Job has finished."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finished.announcement import AnnouncementReport, announced_patch, build_announcement
from chalicelib.domain.finished.cleanup_report import MAX_NAMED, Failure
from chalicelib.domain.kubernetes.jobs import Job, JobSpec
from chalicelib.domain.kubernetes.pods import Pod
from chalicelib.domain.labels import ANNOUNCED_LABEL, USER_ANNOTATION, is_reserved_key
from tests.support.builders import NOW, NOW_MS, TEAM_A, container, exited, finished, pod, template
from tests.support.kubernetes_objects import objects


class TestAnnouncement:
    """What it tells."""

    def test_of_a_job_that_succeeded(self) -> None:
        """What a message to its owner needs; five minutes of two GPUs."""
        spec = JobSpec(template=template(container(gpus=2)))
        job = finished(spec=spec, annotations={USER_ANNOTATION: "alice"})

        found = build_announcement(TEAM_A, job, [], "gpu-east")

        assert msgspec.to_builtins(found) == {
            "id": "uid-of-train-1",
            "project": "team-a",
            "name": "train-1",
            "status": "Succeeded",
            "reason": None,
            "user": "alice",
            "gpuSeconds": 600.0,
            "finishedAt": NOW_MS,
            "cluster": "gpu-east",
        }

    def test_of_a_job_that_failed(self) -> None:
        """Why, by its pods; one that is being deleted has finished all the same."""
        gone = finished("Failed", deletion_timestamp=NOW)

        found = build_announcement(TEAM_A, gone, [pod("Failed", status=exited(137, "OOMKilled"))], "gpu")

        assert (found.status, found.reason) == ("Failed", "OOMKilled")

    @given(objects(Job), st.lists(objects(Pod), max_size=3))
    def test_every_job_has_one(self, odd: Job, pods: list[Pod]) -> None:
        """However odd, so that no Job stops the others' announcements."""
        found = build_announcement(TEAM_A, odd, pods, "gpu")

        assert msgspec.json.decode(msgspec.json.encode(found))["name"] == odd.metadata.name


class TestMark:
    """What keeps a Job from being announced again."""

    def test_is_for_the_job_as_it_was_seen(self) -> None:
        """And for no other one of that name. No caller sets or sees it, or a Job could keep its end to itself."""
        assert is_reserved_key(ANNOUNCED_LABEL)
        assert announced_patch(finished(resource_version="7")) == {
            "metadata": {"uid": "uid-of-train-1", "resourceVersion": "7", "labels": {ANNOUNCED_LABEL: "true"}}
        }


class TestAnnounced:
    """What is told of a run."""

    @pytest.mark.parametrize("failures", [0, 1, MAX_NAMED + 1])
    def test_counts_all_failures_and_names_some(self, failures: int) -> None:
        """As a cleanup does."""
        run = AnnouncementReport(announced=2)
        for number in range(failures):
            run.count_failed(Failure("team-a", f"job-{number}", "forbidden"))

        assert run.counts == {"Announced": 2, "Failed": failures, "Truncated": 0}
        assert len(run.failures) == min(failures, MAX_NAMED)

    def test_log_line_is_json(self) -> None:
        """With each failure's code."""
        run = AnnouncementReport()
        run.count_failed(Failure("team-a", None, "forbidden"))

        assert run.log_fields == {
            "announced": 0,
            "failed": 1,
            "truncated": False,
            "failures": [{"project": "team-a", "name": None, "code": "forbidden"}],
        }
