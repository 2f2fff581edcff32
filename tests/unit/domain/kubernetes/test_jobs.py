"""Tests of the Kubernetes objects that the API reads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.domain.kubernetes.jobs import Condition, Job, JobList, JobStatus, Namespace, NamespaceList
from chalicelib.domain.kubernetes.pods import Pod, PodList
from tests.support.builders import NOW, finished, minutes_ago

KINDS = [Job, JobList, Pod, PodList, Namespace, NamespaceList]


def decode(wire: str, kind: type[Any]) -> Any:  # noqa: ANN401 - an instance of *kind*
    """Decode the JSON *wire*."""
    return msgspec.json.decode(wire, type=kind)


class TestObjects:
    """Tests of decoding."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_all_fields_are_optional(self, kind: type[Any]) -> None:
        """An empty object is decoded with defaults."""
        assert kind() == decode("{}", kind)

    @pytest.mark.parametrize("kind", KINDS)
    def test_unknown_fields_are_skipped(self, kind: type[Any]) -> None:
        """Fields of newer versions, and `managedFields`, are ignored."""
        wire = '{"kind": "X", "metadata": {"managedFields": [{"fieldsV1": {}}], "future": 1}, "future": [{}]}'

        assert kind() == decode(wire, kind)

    def test_defaults_are_not_shared(self) -> None:
        """A label of one Job does not appear on another."""
        first, second = Job(), Job()

        first.metadata.labels["a"] = "b"

        assert not second.metadata.labels

    def test_field_names(self) -> None:
        """Field names are those of the Kubernetes API, including `continue`, a keyword of Python."""
        job = decode(
            '{"metadata": {"resourceVersion": "7", "creationTimestamp": "2026-11-24T10:00:00Z",'
            ' "ownerReferences": [{"uid": "u"}]},'
            ' "spec": {"template": {"spec": {"nodeName": "n", "containers": [{"resources": {"limits": {"cpu": 1}}}]}}},'
            ' "status": {"startTime": null, "completionTime": "2026-11-24T10:00:00Z"}}',
            Job,
        )
        page = decode('{"metadata": {"continue": "token"}, "items": [{}]}', JobList)

        meta, spec = job.metadata, job.spec.template.spec
        assert (meta.resource_version, meta.creation_timestamp, meta.owner_references[0].uid) == ("7", NOW, "u")
        assert (spec.node_name, spec.containers[0].resources.limits) == ("n", {"cpu": 1})
        assert (job.status.start_time, job.status.completion_time) == (None, NOW)
        assert (page.metadata.continue_, len(page.items)) == ("token", 1)


class TestCondition:
    """Tests of Condition."""

    @pytest.mark.parametrize(("status", "is_true"), [("True", True), ("False", False), ("Unknown", False), ("", False)])
    def test_is_true(self, status: str, *, is_true: bool) -> None:
        """Only the status True is true, not False or Unknown."""
        assert is_true is Condition(status=status).is_true


class TestEnding:
    """Tests of Job.ending."""

    def test_only_before_the_end(self) -> None:
        """The Job controller keeps the condition FailureTarget when it adds Failed."""
        decided = Condition(type="FailureTarget", status="True")
        finished_job = finished("Failed")
        finished_job.status.conditions.insert(0, decided)

        endings = [each.ending for each in (Job(status=JobStatus(conditions=[decided])), finished_job, Job())]

        assert endings == [decided, None, None]


class TestFinished:
    """Tests of the end of a Job."""

    @pytest.mark.parametrize("kind", ["Complete", "Failed"])
    def test_terminal_condition(self, kind: str) -> None:
        """A Job has finished with the condition Complete or Failed."""
        condition = Condition(type=kind, status="True")

        job = Job()
        job.status.conditions = [Condition(type="Suspended", status="False"), condition]

        assert job.finished is condition

    @pytest.mark.parametrize(
        ("kind", "status"),
        [("Complete", "False"), ("Failed", "Unknown"), ("Suspended", "True"), ("FailureTarget", "True"), ("", "True")],
    )
    def test_other_conditions(self, kind: str, status: str) -> None:
        """Other conditions do not finish a Job: with FailureTarget it still has pods."""
        job = Job()
        job.status.conditions = [Condition(type=kind, status=status)]

        assert job.finished is None

    @pytest.mark.parametrize(
        ("subject", "outcome"),
        [(Job(), None), (finished("Complete"), "Succeeded"), (finished("Failed"), "Failed")],
        ids=["running", "complete", "failed"],
    )
    def test_outcome(self, subject: Job, outcome: str | None) -> None:
        """The outcome and the finish time are None until the Job has finished."""
        assert subject.outcome == outcome
        assert bool(subject.finished_at) is bool(outcome)

    def test_finish_time(self) -> None:
        """The finish time is the completion time, or for a failed Job the time of its condition."""
        complete = finished(at=minutes_ago(1))
        complete.status.conditions[0].last_transition_time = NOW

        assert complete.finished_at == finished("Failed", at=minutes_ago(1)).finished_at == minutes_ago(1)
