"""The fields we read of the cluster's objects."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.domain.kubernetes.jobs import Condition, Job, JobList, Namespace, NamespaceList
from chalicelib.domain.kubernetes.pods import Pod, PodList
from tests.support.builders import NOW, finished, minutes_ago

KINDS = [Job, JobList, Pod, PodList, Namespace, NamespaceList]


def decoded(wire: str, kind: type[Any]) -> Any:  # noqa: ANN401 - an object of that kind
    """The object that *wire*, JSON of the cluster, is."""
    return msgspec.json.decode(wire, type=kind)


class TestObjects:
    """Everything is optional."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_empty_object_is_one(self, kind: type[Any]) -> None:
        """However little the cluster says, it is read."""
        assert kind() == decoded("{}", kind)

    @pytest.mark.parametrize("kind", KINDS)
    def test_unknown_fields_are_skipped(self, kind: type[Any]) -> None:
        """A newer cluster says more; `managedFields` is half of a Job."""
        wire = '{"kind": "X", "metadata": {"managedFields": [{"fieldsV1": {}}], "future": 1}, "future": [{}]}'

        assert kind() == decoded(wire, kind)

    def test_objects_do_not_share_what_they_hold(self) -> None:
        """A label put on one Job is not on the next."""
        one, other = Job(), Job()

        one.metadata.labels["a"] = "b"

        assert not other.metadata.labels

    def test_names_on_the_wire_are_kubernetes(self) -> None:
        """camelCase, and `continue`, which is a word of Python."""
        job = decoded(
            '{"metadata": {"resourceVersion": "7", "creationTimestamp": "2026-11-24T10:00:00Z",'
            ' "ownerReferences": [{"uid": "u"}]},'
            ' "spec": {"template": {"spec": {"nodeName": "n", "containers": [{"resources": {"limits": {"cpu": 1}}}]}}},'
            ' "status": {"startTime": null, "completionTime": "2026-11-24T10:00:00Z"}}',
            Job,
        )
        page = decoded('{"metadata": {"continue": "token"}, "items": [{}]}', JobList)

        meta, spec = job.metadata, job.spec.template.spec
        assert (meta.resource_version, meta.creation_timestamp, meta.owner_references[0].uid) == ("7", NOW, "u")
        assert (spec.node_name, spec.containers[0].resources.limits) == ("n", {"cpu": 1})
        assert (job.status.start_time, job.status.completion_time) == (None, NOW)
        assert (page.metadata.continue_, len(page.items)) == ("token", 1)


class TestCondition:
    """A condition of a Job or a Pod."""

    @pytest.mark.parametrize(("status", "is_true"), [("True", True), ("False", False), ("Unknown", False), ("", False)])
    def test_holds_only_when_true(self, status: str, *, is_true: bool) -> None:
        """Kubernetes writes three states; one of them counts."""
        assert is_true is Condition(status=status).is_true


class TestFinished:
    """Whether a Job has ended."""

    @pytest.mark.parametrize("kind", ["Complete", "Failed"])
    def test_terminal_condition_ends_it(self, kind: str) -> None:
        """Either of the two."""
        end = Condition(type=kind, status="True")

        job = Job()
        job.status.conditions = [Condition(type="Suspended", status="False"), end]

        assert job.finished is end

    @pytest.mark.parametrize(
        ("kind", "status"),
        [("Complete", "False"), ("Failed", "Unknown"), ("Suspended", "True"), ("FailureTarget", "True"), ("", "True")],
    )
    def test_other_conditions_do_not(self, kind: str, status: str) -> None:
        """A Job that is about to fail still has pods, and so GPUs."""
        job = Job()
        job.status.conditions = [Condition(type=kind, status=status)]

        assert job.finished is None

    @pytest.mark.parametrize(
        ("ended", "outcome"),
        [(Job(), None), (finished("Complete"), "Succeeded"), (finished("Failed"), "Failed")],
        ids=["runs", "complete", "failed"],
    )
    def test_outcome_is_told_in_our_words(self, ended: Job, outcome: str | None) -> None:
        """As views, Receipts and announcements tell it; none while it may still run, as every Job begins."""
        assert ended.outcome == outcome
        assert bool(ended.finished_at) is bool(outcome)

    def test_ended_when_it_was_complete(self) -> None:
        """Its condition may be written later; only a complete Job has a time of its own."""
        ended = finished(at=minutes_ago(1))
        ended.status.conditions[0].last_transition_time = NOW

        assert ended.finished_at == finished("Failed", at=minutes_ago(1)).finished_at == minutes_ago(1)
