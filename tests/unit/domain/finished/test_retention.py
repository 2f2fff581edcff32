"""Tests of the retention and of stuck pending Jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given

from chalicelib.domain.finished.retention import (
    RetentionPolicy,
    Verdict,
    cleanup_verdict,
    is_stuck_pending,
    parse_retention,
    pending_seconds,
    retention,
)
from chalicelib.domain.kubernetes.jobs import Condition, Job, JobSpec, JobStatus, Namespace
from chalicelib.domain.labels import KEEP_LABEL, MANAGED_BY_LABEL, MANAGED_BY_VALUE, RETENTION_ANNOTATION
from tests.support.builders import NOW, ended, finished, job, meta, minutes_ago
from tests.support.kubernetes_objects import objects

if TYPE_CHECKING:
    from datetime import datetime

DAY = 86400
POLICY = RetentionPolicy(retention=7 * DAY, failed_retention=14 * DAY, max_deletions=1000, max_pending=DAY)
PROJECT = Namespace()


def namespace(text: str) -> Namespace:
    """Return the namespace of a Project with the retention *text*."""
    return Namespace(metadata=meta("researcher-team-a", annotations={RETENTION_ANNOTATION: text}))


def days_ago(days: float) -> datetime:
    """Return the time *days* before NOW."""
    return NOW - timedelta(days=days)


class TestCleanupVerdict:
    """Tests of cleanup_verdict."""

    def test_expired(self) -> None:
        """A managed Job expires exactly when its retention has passed since it finished."""
        managed = msgspec.json.decode(msgspec.json.encode(finished(at=days_ago(7))), type=Job)

        assert cleanup_verdict(managed, PROJECT, POLICY, NOW) == "expired"
        assert cleanup_verdict(managed, PROJECT, POLICY, NOW + timedelta(days=1)) == "expired"

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            pytest.param(finished(at=days_ago(7) + timedelta(seconds=1)), "young", id="one second before"),
            pytest.param(finished(at=days_ago(-1)), "young", id="finished in the future"),
            pytest.param(finished("Failed", at=days_ago(13)), "young", id="failed Job"),
            pytest.param(finished(at=days_ago(99), deletion_timestamp=NOW), "beingDeleted", id="being deleted"),
            pytest.param(finished(at=days_ago(99), labels={}), "foreign", id="created with kubectl"),
            pytest.param(
                finished(at=days_ago(99), labels={MANAGED_BY_LABEL: "Helm"}), "foreign", id="managed by another tool"
            ),
            pytest.param(
                finished(at=days_ago(99), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "true"}),
                "kept",
                id="keep label",
            ),
            pytest.param(
                finished(at=days_ago(99), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "yes"}),
                "kept",
                id="keep label yes",
            ),
            pytest.param(
                finished(at=days_ago(99), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "True"}),
                "kept",
                id="keep label True",
            ),
            pytest.param(
                job(labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE}, status=JobStatus(start_time=days_ago(99), active=1)),
                "notFinished",
                id="running",
            ),
            pytest.param(
                job(
                    labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE},
                    creation_timestamp=days_ago(99),
                    spec=JobSpec(suspend=True),
                ),
                "notFinished",
                id="suspended",
            ),
            pytest.param(
                job(
                    labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE},
                    status=JobStatus(conditions=[Condition("Failed", "True")]),
                ),
                "undated",
                id="no finish time",
            ),
            pytest.param(
                finished(at=days_ago(99), annotations={RETENTION_ANNOTATION: "soon"}),
                "unreadableRetention",
                id="invalid retention",
            ),
        ],
    )
    def test_not_expired(self, subject: Job, expected: Verdict) -> None:
        """No other Job is deleted, whatever its age; the verdict is the reason."""
        assert expected == cleanup_verdict(subject, PROJECT, POLICY, NOW)

    def test_keep_label_false(self) -> None:
        """A keep label with the value `false` has no effect."""
        subject = finished(at=days_ago(7), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "false"})

        assert cleanup_verdict(subject, PROJECT, POLICY, NOW) == "expired"

    def test_age_is_the_time_since_the_end(self) -> None:
        """The creation time of a long-running Job does not count."""
        subject = finished(at=days_ago(1), creation_timestamp=days_ago(99))

        assert cleanup_verdict(subject, PROJECT, POLICY, NOW) == "young"

    def test_finish_time_of_a_failed_job(self) -> None:
        """A failed Job has no completionTime, so the time of its condition counts."""
        status = ended("Failed", "BackoffLimitExceeded")
        status.conditions[0].last_transition_time = days_ago(14)

        assert (
            cleanup_verdict(job(labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE}, status=status), PROJECT, POLICY, NOW)
            == "expired"
        )

    @given(objects(Job), objects(Namespace))
    def test_any_job_has_a_verdict(self, subject: Job, project: Namespace) -> None:
        """Only finished Jobs of this API expire, whatever their fields contain."""
        if cleanup_verdict(subject, project, POLICY, NOW) == "expired":
            assert subject.finished
            assert subject.metadata.labels[MANAGED_BY_LABEL] == MANAGED_BY_VALUE


class TestRetention:
    """Tests of retention and parse_retention."""

    @pytest.mark.parametrize(
        ("fields", "project", "expected"),
        [
            pytest.param({}, PROJECT, 7 * DAY, id="deployment"),
            pytest.param({}, namespace("3d"), 3 * DAY, id="Project"),
            pytest.param({"annotations": {RETENTION_ANNOTATION: "60"}}, namespace("3d"), 60, id="Job"),
            pytest.param({"kind": "Failed"}, PROJECT, 14 * DAY, id="deployment, failed Job"),
            pytest.param({"kind": "Failed"}, namespace("3d"), 3 * DAY, id="Project, failed Job"),
            pytest.param({"annotations": {RETENTION_ANNOTATION: "x"}}, namespace("3d"), None, id="Job, invalid"),
            pytest.param({}, namespace("x"), None, id="Project, invalid"),
            pytest.param(
                {"annotations": {RETENTION_ANNOTATION: "60"}},
                namespace("x"),
                60,
                id="Job, with an invalid one of the Project",
            ),
        ],
    )
    def test_precedence(self, fields: dict[str, Any], project: Namespace, expected: int | None) -> None:
        """The Job takes precedence over its Project, and the Project over the deployment, even with invalid values."""
        assert expected == retention(finished(**fields), project, POLICY)

    @pytest.mark.parametrize(("text", "expected"), [("1", 1), ("90s", 90), ("3d", 3 * DAY), ("30d", 30 * DAY)])
    def test_valid_retention(self, text: str, expected: int) -> None:
        """The format is that of ttlAfterFinish: seconds, or a number with a unit."""
        assert expected == parse_retention(text)

    @pytest.mark.parametrize("text", ["", "0", "-1", "3 d", "3d\n", "1w", "1.5h", "31d", "٣d", "9" * 400])
    def test_invalid_retention(self, text: str) -> None:
        """Other formats are invalid, and so are more than 30 days: the TTL controller deletes the Job after 31."""
        assert parse_retention(text) is None


class TestIsStuckPending:
    """Tests of is_stuck_pending and pending_seconds."""

    def test_pending_for_a_day(self) -> None:
        """A Job that could have started a day ago, but has no running pod, is stuck."""
        pending = job(status=JobStatus(start_time=days_ago(1.01), active=1))

        assert is_stuck_pending(pending, POLICY, NOW)
        assert pending_seconds(pending, NOW) == 87_264

    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param(job(status=JobStatus(start_time=days_ago(1))), id="one day"),
            pytest.param(job(status=JobStatus(start_time=days_ago(9), ready=1)), id="running"),
            pytest.param(job(status=JobStatus(start_time=days_ago(9), failed=1)), id="a pod failed"),
            pytest.param(job(status=JobStatus(start_time=days_ago(9), succeeded=1)), id="a pod succeeded"),
            pytest.param(job(spec=JobSpec(suspend=True), creation_timestamp=days_ago(9)), id="suspended"),
            pytest.param(job(creation_timestamp=days_ago(9), deletion_timestamp=NOW), id="deleted"),
            pytest.param(finished(at=minutes_ago(1)), id="finished"),
            pytest.param(finished("Failed", at=days_ago(9)), id="finished without pods"),
            pytest.param(Job(), id="no times"),
        ],
    )
    def test_other_jobs(self, subject: Job) -> None:
        """Jobs that run, have run or must not run are not stuck."""
        assert not is_stuck_pending(subject, POLICY, NOW)

    def test_can_be_disabled(self) -> None:
        """With max_pending 0, no Job is stuck."""
        disabled = RetentionPolicy(retention=1, failed_retention=1, max_deletions=1, max_pending=0)

        assert not is_stuck_pending(job(status=JobStatus(start_time=days_ago(99))), disabled, NOW)

    def test_without_start_time(self) -> None:
        """The creation time counts if no controller has started the Job yet."""
        subject = job(creation_timestamp=days_ago(2))

        assert is_stuck_pending(subject, POLICY, NOW)
        assert pending_seconds(subject, NOW) == 2 * DAY

    def test_without_any_time(self) -> None:
        """Without any time, the Job has been pending for 0 seconds."""
        assert pending_seconds(Job(), NOW) == 0
