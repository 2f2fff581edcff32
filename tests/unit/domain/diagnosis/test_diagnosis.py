"""Tests of diagnoses, with objects captured from a real cluster and with constructed ones."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.diagnosis.causes import Cause
from chalicelib.domain.diagnosis.diagnosis import DIAGNOSIS_EXAMPLE, Diagnosis, diagnose
from chalicelib.domain.job.status_reason import MAX_MESSAGE
from chalicelib.domain.job.view import view
from chalicelib.domain.kubernetes.events import Event
from chalicelib.domain.kubernetes.jobs import Condition, Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import Pod
from tests.support.builders import (
    NOW,
    NOW_MS,
    ended,
    event,
    job,
    minutes_ago,
    pod,
    running,
    unscheduled,
    waiting,
)
from tests.support.kubernetes_objects import objects

CAPTURED = sorted((Path(__file__).parent / "captured").glob("*.json"))
STATUSES = {"Terminating", "Succeeded", "Suspended", "Running"}
"""Causes that are also statuses of a Job."""
NOT_CAPTURED = {"QueueRequired", "Incomplete"}
STARTED = minutes_ago(5)


def captured(path: Path) -> tuple[Job, list[Pod], list[Event]]:
    """Return the objects that were captured from a real cluster."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    kinds = (("job", Job), ("pods", list[Pod]), ("events", list[Event]))
    return tuple(msgspec.convert(document[name], kind) for name, kind in kinds)  # type: ignore[return-value] # one of each


def diagnosis_of(subject: Job, pods: list[Pod] | None = None, events: list[Event] | None = None) -> Diagnosis:
    """Return the diagnosis of the Job *subject* in team-a."""
    return diagnose("team-a", subject, pods or [], events or [])


class TestCaptured:
    """Tests with objects that tests/product/test_diagnosis.py captured on a real control plane."""

    @pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
    def test_cause(self, path: Path) -> None:
        """The name of the file is the expected cause; the evidence names the Job or its pod."""
        diagnosis = diagnosis_of(*captured(path))

        assert diagnosis.cause == path.stem.partition("-")[0]
        assert diagnosis.evidence.object.name.startswith("train-1")
        assert all([diagnosis.evidence.field, diagnosis.evidence.message, diagnosis.remedy, diagnosis.since])

    @pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
    def test_agrees_with_the_view(self, path: Path) -> None:
        """The cause does not contradict the status in the view."""
        subject, pods, _ = captured(path)

        assert path.stem not in STATUSES or view("team-a", subject, pods).status == path.stem

    def test_every_cause_is_captured(self) -> None:
        """Every cause was observed on a real cluster; test_cases.py has the others."""
        assert {path.stem.partition("-")[0] for path in CAPTURED} == set(get_args(Cause)) - NOT_CAPTURED


class TestOrder:
    """Tests of the order in which causes are checked."""

    @pytest.mark.parametrize(
        ("subject", "pods", "cause"),
        [
            pytest.param(job(deletion_timestamp=NOW, status=ended("Failed")), [], "Terminating", id="deleted"),
            pytest.param(job(spec=JobSpec(suspend=True), status=ended("Complete")), [], "Succeeded", id="complete"),
            pytest.param(job(spec=JobSpec(suspend=True)), [pod("Running")], "Suspended", id="suspended"),
            pytest.param(
                job(),
                [pod("Pending", status=waiting("ErrImagePull")), pod("Running", status=running())],
                "ImageUnavailable",
                id="one of two pods is running",
            ),
            pytest.param(job(status=JobStatus(ready=1)), [], "Running", id="ready, without known pods"),
            pytest.param(
                job(),
                [pod("Pending"), pod("Pending", status=unscheduled())],
                "Unknown",
                id="one of two pods is unschedulable",
            ),
            pytest.param(job(), [pod("Running", deletion_timestamp=NOW)], "Starting", id="pod is being deleted"),
            pytest.param(job(), [pod("Pending", node="n1")], "Starting", id="on a node"),
            pytest.param(job(), [pod("Unknown")], "NodeLost", id="pod in phase Unknown"),
            pytest.param(job(), [pod("Succeeded")], "Starting", id="between two completions"),
            pytest.param(job(status=JobStatus(start_time=STARTED)), [], "Starting", id="no pods and no events"),
            pytest.param(
                job(status=JobStatus(start_time=STARTED, failed=1)), [], "Starting", id="before the next attempt"
            ),
            pytest.param(job(status=ended("Failed", "BackoffLimitExceeded")), [], "Unknown", id="failed, pods deleted"),
        ],
    )
    def test_first_that_applies(self, subject: Job, pods: list[Pod], cause: str) -> None:
        """Deletion, the end of the Job and suspension take precedence over the state of the pods."""
        assert cause == diagnosis_of(subject, pods).cause

    def test_lost_node_of_a_running_pod(self) -> None:
        """A running pod has lost its node only if it is not ready and an event reports the node."""
        lost, ready = running(), running()
        lost.conditions.append(Condition(type="Ready", status="False", last_transition_time=minutes_ago(1)))
        ready.conditions.append(Condition(type="Ready", status="True"))
        events = [event("NodeNotReady", "Node is not ready")]

        assert diagnosis_of(job(), [pod(status=lost)]).cause == "Running"
        assert diagnosis_of(job(), [pod(status=ready)], events).cause == "Running"
        diagnosis = diagnosis_of(job(), [pod(status=lost)], events)
        assert (diagnosis.cause, diagnosis.since) == ("NodeLost", NOW_MS - 60_000)


class TestOverdue:
    """Tests of Jobs that start for a long time."""

    @pytest.mark.parametrize(
        ("subject", "pods"),
        [
            pytest.param(job(), [], id="created"),
            pytest.param(job(status=JobStatus(start_time=NOW)), [], id="no pods and no events"),
            pytest.param(job(status=JobStatus(start_time=NOW, failed=1)), [], id="before the next attempt"),
            pytest.param(job(), [pod("Pending", node="n1")], id="on a node"),
        ],
    )
    def test_unknown_after_ten_minutes(self, subject: Job, pods: list[Pod]) -> None:
        """A Job does not start normally for ten minutes, even if nothing reports an error."""
        found = [diagnose("team-a", subject, pods, [], NOW + timedelta(minutes=minutes)) for minutes in (9, 11)]

        assert [each.cause for each in found] == ["Starting", "Unknown"]
        assert found[1].evidence.message.endswith("That has been so for 11 minutes.")

    def test_replaced_pods_do_not_start_anew(self) -> None:
        """A Job none of whose pods has run has been starting since its own start, however new its pod is."""
        subject = job(status=JobStatus(start_time=minutes_ago(12), active=1))
        newest = pod("Pending", creation_timestamp=minutes_ago(1))
        ran = pod("Succeeded", creation_timestamp=minutes_ago(11))

        causes = [diagnose("team-a", subject, pods, [], NOW).cause for pods in ([newest], [newest, ran])]

        assert causes == ["Unknown", "Starting"]


class TestWire:
    """Tests of the response."""

    def test_documented_example_is_a_diagnosis(self) -> None:
        """The example in the OpenAPI document is a valid response."""
        assert msgspec.to_builtins(msgspec.convert(DIAGNOSIS_EXAMPLE, Diagnosis)) == DIAGNOSIS_EXAMPLE

    def test_times_are_milliseconds_or_null(self) -> None:
        """`since` is in milliseconds, or null if it is not known."""
        assert diagnosis_of(job(spec=JobSpec(suspend=True))).since is None
        assert diagnosis_of(job(deletion_timestamp=NOW)).since == NOW_MS

    def test_long_message_is_truncated(self) -> None:
        """The length of the message is limited."""
        assert len(diagnosis_of(job(status=ended("Complete", message="m" * 9999))).evidence.message) == MAX_MESSAGE

    @given(objects(Job), st.lists(objects(Pod), max_size=3), st.lists(objects(Event), max_size=3))
    def test_any_job_has_a_diagnosis(self, subject: Job, pods: list[Pod], events: list[Event]) -> None:
        """Any fields of the Job, its pods and their events can be missing or contain any value."""
        wire = msgspec.to_builtins(diagnosis_of(subject, pods, events))

        assert wire["cause"] in get_args(Cause)
        assert msgspec.json.encode(wire)
