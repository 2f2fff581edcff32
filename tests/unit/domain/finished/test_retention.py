"""What the cleanup may delete, and what it leaves alone."""

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
RULES = RetentionPolicy(retention=7 * DAY, failed_retention=14 * DAY, max_deletions=1000, max_pending=DAY)
PROJECT = Namespace()


def namespace(text: str) -> Namespace:
    """A Project whose finished Jobs stay as long as *text* says."""
    return Namespace(metadata=meta("researcher-team-a", annotations={RETENTION_ANNOTATION: text}))


def days_ago(days: float) -> datetime:
    """That long before NOW."""
    return NOW - timedelta(days=days)


class TestVerdict:
    """Whether a Job may go."""

    def test_past_its_retention_it_may(self) -> None:
        """A finished Job of ours, a week after its end to the second, and later."""
        ours = msgspec.json.decode(msgspec.json.encode(finished(at=days_ago(7))), type=Job)

        assert cleanup_verdict(ours, PROJECT, RULES, NOW) == "expired"
        assert cleanup_verdict(ours, PROJECT, RULES, NOW + timedelta(days=1)) == "expired"

    @pytest.mark.parametrize(
        ("kept", "expected"),
        [
            pytest.param(finished(at=days_ago(7) + timedelta(seconds=1)), "young", id="a second too early"),
            pytest.param(finished(at=days_ago(-1)), "young", id="finished in the future"),
            pytest.param(finished("Failed", at=days_ago(13)), "young", id="failed ones stay longer"),
            pytest.param(finished(at=days_ago(99), deletion_timestamp=NOW), "beingDeleted", id="goes already"),
            pytest.param(finished(at=days_ago(99), labels={}), "foreign", id="made with kubectl"),
            pytest.param(finished(at=days_ago(99), labels={MANAGED_BY_LABEL: "Helm"}), "foreign", id="made by others"),
            pytest.param(
                finished(at=days_ago(99), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "true"}),
                "kept",
                id="somebody wants it",
            ),
            pytest.param(
                finished(at=days_ago(99), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "yes"}),
                "kept",
                id="in other words",
            ),
            pytest.param(
                finished(at=days_ago(99), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "True"}),
                "kept",
                id="with a capital letter",
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
                id="nobody knows when it ended",
            ),
            pytest.param(
                finished(at=days_ago(99), annotations={RETENTION_ANNOTATION: "soon"}),
                "unreadableRetention",
                id="asks oddly",
            ),
        ],
    )
    def test_anything_else_stays(self, kept: Job, expected: Verdict) -> None:
        """However old it is; the verdict says why."""
        assert expected == cleanup_verdict(kept, PROJECT, RULES, NOW)

    def test_keeping_can_be_taken_back(self) -> None:
        """By `false`, as by taking the label away."""
        back = finished(at=days_ago(7), labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE, KEEP_LABEL: "false"})

        assert cleanup_verdict(back, PROJECT, RULES, NOW) == "expired"

    def test_age_counts_from_the_end(self) -> None:
        """A Job that was made long ago and ran for long is young."""
        long = finished(at=days_ago(1), creation_timestamp=days_ago(99))

        assert cleanup_verdict(long, PROJECT, RULES, NOW) == "young"

    def test_failed_job_ends_with_its_condition(self) -> None:
        """It has no completionTime."""
        status = ended("Failed", "BackoffLimitExceeded")
        status.conditions[0].last_transition_time = days_ago(14)

        assert (
            cleanup_verdict(job(labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE}, status=status), PROJECT, RULES, NOW)
            == "expired"
        )

    @given(objects(Job), objects(Namespace))
    def test_every_job_has_one(self, odd: Job, project: Namespace) -> None:
        """However odd; and only a finished Job of ours ever expires."""
        if cleanup_verdict(odd, project, RULES, NOW) == "expired":
            assert odd.finished
            assert odd.metadata.labels[MANAGED_BY_LABEL] == MANAGED_BY_VALUE


class TestRetention:
    """How long a finished Job stays."""

    @pytest.mark.parametrize(
        ("fields", "project", "expected"),
        [
            pytest.param({}, PROJECT, 7 * DAY, id="the deployment's"),
            pytest.param({}, namespace("3d"), 3 * DAY, id="the Project's"),
            pytest.param({"annotations": {RETENTION_ANNOTATION: "60"}}, namespace("3d"), 60, id="its own"),
            pytest.param({"kind": "Failed"}, PROJECT, 14 * DAY, id="the deployment's for failed ones"),
            pytest.param({"kind": "Failed"}, namespace("3d"), 3 * DAY, id="the Project's for failed ones, too"),
            pytest.param({"annotations": {RETENTION_ANNOTATION: "x"}}, namespace("3d"), None, id="its own, unreadable"),
            pytest.param({}, namespace("x"), None, id="the Project's, unreadable"),
            pytest.param(
                {"annotations": {RETENTION_ANNOTATION: "60"}}, namespace("x"), 60, id="its own before an unreadable one"
            ),
        ],
    )
    def test_goes_by_who_is_nearest(self, fields: dict[str, Any], project: Namespace, expected: int | None) -> None:
        """The Job, then its Project, then the deployment; what cannot be read is not passed over."""
        assert expected == retention(finished(**fields), project, RULES)

    @pytest.mark.parametrize(("text", "expected"), [("1", 1), ("90s", 90), ("3d", 3 * DAY), ("30d", 30 * DAY)])
    def test_is_read_as_ttl_after_finish_is(self, text: str, expected: int) -> None:
        """Seconds, or a number with a unit."""
        assert expected == parse_retention(text)

    @pytest.mark.parametrize("text", ["", "0", "-1", "3 d", "3d\n", "1w", "1.5h", "31d", "٣d", "9" * 400])
    def test_is_not_guessed(self, text: str) -> None:
        """Beyond 30 days neither: the cluster itself deletes after 31."""
        assert parse_retention(text) is None


class TestPending:
    """Jobs that wait for too long."""

    def test_is_told_after_a_day(self) -> None:
        """It could have started, and has not."""
        waits = job(status=JobStatus(start_time=days_ago(1.01), active=1))

        assert is_stuck_pending(waits, RULES, NOW)
        assert pending_seconds(waits, NOW) == 87_264

    @pytest.mark.parametrize(
        "fine",
        [
            pytest.param(job(status=JobStatus(start_time=days_ago(1))), id="not yet"),
            pytest.param(job(status=JobStatus(start_time=days_ago(9), ready=1)), id="runs"),
            pytest.param(job(status=JobStatus(start_time=days_ago(9), failed=1)), id="has run, badly"),
            pytest.param(job(status=JobStatus(start_time=days_ago(9), succeeded=1)), id="has run, well"),
            pytest.param(job(spec=JobSpec(suspend=True), creation_timestamp=days_ago(9)), id="is suspended"),
            pytest.param(job(creation_timestamp=days_ago(9), deletion_timestamp=NOW), id="is being deleted"),
            pytest.param(finished(at=minutes_ago(1)), id="has finished"),
            pytest.param(finished("Failed", at=days_ago(9)), id="has finished without a pod"),
            pytest.param(Job(), id="nobody knows since when"),
        ],
    )
    def test_any_other_job_is_fine(self, fine: Job) -> None:
        """It runs, has run, or is not meant to."""
        assert not is_stuck_pending(fine, RULES, NOW)

    def test_can_be_switched_off(self) -> None:
        """By 0."""
        never = RetentionPolicy(retention=1, failed_retention=1, max_deletions=1, max_pending=0)

        assert not is_stuck_pending(job(status=JobStatus(start_time=days_ago(99))), never, NOW)

    def test_counts_from_its_making(self) -> None:
        """Where no controller has started it yet."""
        unseen = job(creation_timestamp=days_ago(2))

        assert is_stuck_pending(unseen, RULES, NOW)
        assert pending_seconds(unseen, NOW) == 2 * DAY

    def test_is_nothing_where_nobody_knows_since_when(self) -> None:
        """No time is made up."""
        assert pending_seconds(Job(), NOW) == 0
