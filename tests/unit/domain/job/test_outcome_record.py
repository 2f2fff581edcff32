"""Tests of the record of how a Job ended, and of what takes it into account."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.job.gpu_usage import Usage, known_usage
from chalicelib.domain.job.outcome import Outcome, outcome
from chalicelib.domain.job.outcome_record import OutcomeRecord, record_annotation, recorded_outcome
from chalicelib.domain.kubernetes.jobs import Condition, Job, JobSpec, JobStatus
from chalicelib.domain.labels import OUTCOME_ANNOTATION, is_reserved_key
from tests.support.builders import NOW, container, exited, finished, job, pod, template

RECORD = {
    "id": "uid-of-train-1",
    "exitCode": 3,
    "failedPod": "train-1-first",
    "gpuSeconds": 90.5,
    "gpuSecondsIsLowerBound": False,
}
POLICY = "Container main for pod researcher-team-a/{} failed with exit code 42 matching FailJob rule at index 0"
CONDITION = "Pod researcher-team-a/{} has condition DisruptionTarget matching FailJob rule at index 0"


def recorded(kind: str = "Failed", **record: object) -> Job:
    """Return a finished Job with 1 GPU and this record."""
    text = msgspec.json.encode({**RECORD, **record}).decode()
    spec = JobSpec(template=template(container(gpus=1)))
    return finished(kind, spec=spec, annotations={OUTCOME_ANNOTATION: text})


class TestRecordedOutcome:
    """Tests of recorded_outcome and record_annotation."""

    @given(
        st.integers(-(2**31), 2**31 - 1) | st.none(),
        st.from_regex("[a-z0-9][-.a-z0-9]{0,252}", fullmatch=True) | st.none(),
        st.floats(0, allow_infinity=False),
        st.booleans(),
    )
    def test_round_trip(self, code: int | None, name: str | None, seconds: float, bound: bool) -> None:
        """What was recorded is read again."""
        record = OutcomeRecord(
            id="uid-of-train-1", exit_code=code, failed_pod=name, gpu_seconds=seconds, gpu_seconds_is_lower_bound=bound
        )
        annotations = record_annotation(record)

        assert recorded_outcome(finished("Failed", annotations=annotations)) == record
        assert is_reserved_key(OUTCOME_ANNOTATION)

    @pytest.mark.parametrize(
        "record",
        [
            pytest.param({"id": "uid-of-another-job"}, id="copied from another Job"),
            pytest.param({"exitCode": "3"}, id="text"),
            pytest.param({"exitCode": 2**31}, id="too large"),
            pytest.param({"gpuSeconds": -1}, id="negative"),
            pytest.param({"failedPod": "<b>"}, id="no name of a pod"),
            pytest.param({"failedPod": "a\n"}, id="a line break"),
            pytest.param({"more": "x" * 1024}, id="too long"),
        ],
    )
    def test_invalid_record(self, record: dict[str, Any]) -> None:
        """A record that this API cannot have written for this Job is ignored."""
        assert recorded_outcome(recorded(**record)) is None

    @pytest.mark.parametrize("text", ["", "null", "[" * 1000, "{}", '{"id": 1e999}'])
    def test_no_record(self, text: str) -> None:
        """Text that is no record is ignored."""
        assert recorded_outcome(finished(annotations={OUTCOME_ANNOTATION: text})) is None

    def test_unfinished_job(self) -> None:
        """A Job that has not finished has no recorded outcome, even if a user wrote one."""
        assert recorded_outcome(job(annotations=recorded().metadata.annotations)) is None


class TestOutcome:
    """The outcome with a record."""

    @pytest.mark.parametrize(
        ("subject", "pods", "expected"),
        [
            pytest.param(recorded(), [], Outcome(3, "train-1-first"), id="without pods"),
            pytest.param(recorded(), [pod("Failed", name="train-1-last", status=exited(143))],
                         Outcome(3, "train-1-first"), id="the deciding pod is gone"),
            pytest.param(recorded(exitCode=None), [], Outcome(None, "train-1-first"), id="unknown exit code"),
            pytest.param(recorded(exitCode=0), [], Outcome(None, "train-1-first"), id="no failure has exit code 0"),
            pytest.param(recorded(exitCode=None, failedPod=None), [pod("Failed", name="a", status=exited(5))],
                         Outcome(5, "a"), id="nothing was recorded"),
            pytest.param(recorded("Complete"), [], Outcome(0), id="succeeded"),
        ],
    )  # fmt: skip
    def test_recorded(self, subject: Job, pods: list[Any], expected: Outcome) -> None:
        """The record counts, except where it contradicts the status of the Job."""
        assert outcome(subject, pods) == expected

    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            (POLICY.format("other"), Outcome(42, "other")),
            (CONDITION.format("other"), Outcome(None, "other")),
            (CONDITION.format("train-1-first"), Outcome(3, "train-1-first")),
        ],
    )
    def test_pod_failure_policy(self, message: str, expected: Outcome) -> None:
        """The pod in the condition decides; its exit code may be recorded."""
        subject = recorded()
        failed = Condition(type="Failed", status="True", reason="PodFailurePolicy", message=message)
        subject.status = JobStatus(conditions=[failed])

        assert outcome(subject, []) == expected


class TestKnownUsage:
    """Tests of known_usage."""

    @pytest.mark.parametrize(
        ("record", "expected"),
        [
            ({}, Usage(90.5, is_lower_bound=False)),
            ({"gpuSecondsIsLowerBound": True}, Usage(90.5, is_lower_bound=True)),
            ({"id": "other"}, Usage(0.0, is_lower_bound=True)),
        ],
    )
    def test_pods_are_gone(self, record: dict[str, Any], expected: Usage) -> None:
        """What was counted while the pods existed is kept; without it the result is a lower bound."""
        subject = recorded(**record)
        subject.status.failed = 1

        assert known_usage(subject, []) == expected

    def test_pods_show_more(self) -> None:
        """A record cannot lower what the remaining pods show."""
        subject = recorded(gpuSeconds=1)
        subject.status.failed = 2
        status = exited(1, at=NOW)
        shown = pod("Failed", node="n", status=status, containers=[container(gpus=1)])
        shown.status.start_time = subject.status.start_time

        assert known_usage(subject, [shown]) == Usage(300.0, is_lower_bound=True)

    def test_all_pods_exist(self) -> None:
        """Then the record is not needed."""
        assert known_usage(recorded(), []) == Usage(0.0, is_lower_bound=False)
