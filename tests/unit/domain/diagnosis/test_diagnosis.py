"""Why a Job is where it is: a table of objects as a real cluster had them, and what no cluster was asked for."""

from __future__ import annotations

import json
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
    exited,
    job,
    meta,
    minutes_ago,
    pod,
    running,
    unscheduled,
    waiting,
)
from tests.support.kubernetes_objects import objects

CAPTURED = sorted((Path(__file__).parent / "captured").glob("*.json"))
STATUSES = {"Terminating", "Succeeded", "Suspended", "Running"}
"""Causes that are also what a Job's status says."""
STARTED = minutes_ago(5)


def captured(path: Path) -> tuple[Job, list[Pod], list[Event]]:
    """What a real cluster had."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    kinds = (("job", Job), ("pods", list[Pod]), ("events", list[Event]))
    return tuple(msgspec.convert(found[name], kind) for name, kind in kinds)  # type: ignore[return-value] # one of each


def why(found: Job, pods: list[Pod] | None = None, events: list[Event] | None = None) -> Diagnosis:
    """The diagnosis of the Job in team-a."""
    return diagnose("team-a", found, pods or [], events or [])


def refused(message: str, **fields: Any) -> Event:  # noqa: ANN401 - whatever a field holds
    """An event about a pod that the Job's controller could not make."""
    return event("FailedCreate", message, kind="Job", about=meta(), type="Warning", **fields)


OLD = refused("exceeded quota", first_timestamp=minutes_ago(9), last_timestamp=minutes_ago(8))


class TestCaptured:
    """What tests/product/test_diagnosis.py brought about on a real control plane."""

    @pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
    def test_cause(self, path: Path) -> None:
        """The file's name is the cause; evidence names the Job or its pod."""
        found = why(*captured(path))

        assert found.cause == path.stem.partition("-")[0]
        assert found.evidence.object.name.startswith("train-1")
        assert all([found.evidence.field, found.evidence.message, found.remedy, found.since])

    @pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
    def test_agrees_with_the_view(self, path: Path) -> None:
        """A Job is not one thing here and another there."""
        found, pods, _ = captured(path)

        assert path.stem not in STATUSES or view("team-a", found, pods).status == path.stem

    def test_every_cause(self) -> None:
        """None was only imagined."""
        assert {path.stem.partition("-")[0] for path in CAPTURED} == set(get_args(Cause))


class TestOrder:
    """Of several facts the strongest is the cause."""

    @pytest.mark.parametrize(
        ("found", "pods", "cause"),
        [
            pytest.param(job(deletion_timestamp=NOW, status=ended("Failed")), [], "Terminating", id="deleted"),
            pytest.param(job(spec=JobSpec(suspend=True), status=ended("Complete")), [], "Succeeded", id="complete"),
            pytest.param(job(spec=JobSpec(suspend=True)), [pod("Running")], "Suspended", id="suspended"),
            pytest.param(
                job(),
                [pod("Pending", status=waiting("ErrImagePull")), pod("Running", status=running())],
                "Running",
                id="one of two runs",
            ),
            pytest.param(job(status=JobStatus(ready=1)), [], "Running", id="runs, without pods"),
            pytest.param(
                job(), [pod("Pending"), pod("Pending", status=unscheduled())], "Unknown", id="one of two waits"
            ),
            pytest.param(job(), [pod("Running", deletion_timestamp=NOW)], "Starting", id="its pod goes"),
            pytest.param(job(), [pod("Pending", node="n1")], "Starting", id="on a node"),
            pytest.param(job(), [pod("Unknown")], "NodeLost", id="nobody knows"),
            pytest.param(job(), [pod("Succeeded")], "Starting", id="between two completions"),
            pytest.param(job(status=JobStatus(start_time=STARTED)), [], "Unknown", id="no pods, and no word why"),
            pytest.param(job(status=JobStatus(start_time=STARTED, failed=1)), [], "Starting", id="next try comes"),
            pytest.param(job(status=ended("Failed", "BackoffLimitExceeded")), [], "Unknown", id="failed, pods gone"),
        ],
    )
    def test_is_that_of_the_view(self, found: Job, pods: list[Pod], cause: str) -> None:
        """Deleted, ended, suspended, then what the pods do."""
        assert cause == why(found, pods).cause

    def test_node_that_is_lost_under_a_running_pod(self) -> None:
        """The pod is not ready, and an event says why; one that is merely not ready runs, or is ready again."""
        lost, ready = running(), running()
        lost.conditions.append(Condition(type="Ready", status="False", last_transition_time=minutes_ago(1)))
        ready.conditions.append(Condition(type="Ready", status="True"))
        told = [event("NodeNotReady", "Node is not ready")]

        assert why(job(), [pod(status=lost)]).cause == why(job(), [pod(status=ready)], told).cause == "Running"
        found = why(job(), [pod(status=lost)], told)
        assert (found.cause, found.since) == ("NodeLost", NOW_MS - 60_000)


class TestNoPods:
    """A Job whose pods cannot be made."""

    @pytest.mark.parametrize(
        ("message", "cause"),
        [
            ('pods "x" is forbidden: exceeded quota: room', "NoPodsQuota"),
            ('pods "x" is forbidden: violates PodSecurity', "NoPodsAdmission"),
            ('admission webhook "x" denied the request', "NoPodsAdmission"),
            (None, "NoPodsAdmission"),
        ],
    )
    def test_clusters_words_tell(self, message: str, cause: str) -> None:
        """In the last of the controller's events, since the first."""
        told = [refused("older", first_timestamp=minutes_ago(9), last_timestamp=minutes_ago(8)), refused(message)]

        found = why(job(status=JobStatus(start_time=STARTED)), [], told)

        assert (found.cause, found.evidence.message, found.since) == (cause, message or "", NOW_MS - 9 * 60_000)

    @pytest.mark.parametrize(
        ("active", "told", "cause"),
        [
            pytest.param(0, [event("SuccessfulCreate", kind="Job", about=meta()), OLD], "Unknown", id="made at last"),
            pytest.param(0, [event("Scheduled")], "Unknown", id="no event of the Job"),
            pytest.param(1, [refused("exceeded quota")], "Starting", id="some pods tell what they wait for"),
        ],
    )
    def test_refusal_does_not_count(self, active: int, told: list[Event], cause: str) -> None:
        """One of old, an event of something else, or that there is no room for more pods."""
        assert why(job(status=JobStatus(start_time=STARTED, active=active)), [], told).cause == cause


class TestFailed:
    """A Job that failed, or whose last try did."""

    @pytest.mark.parametrize(
        "status", [ended("Failed", "BackoffLimitExceeded"), JobStatus(start_time=STARTED, failed=2)]
    )
    def test_last_pod_tells(self, status: JobStatus) -> None:
        """Not an earlier one."""
        pods = [
            pod("Failed", status=exited(137, "OOMKilled"), creation_timestamp=minutes_ago(1)),
            pod("Failed", status=exited(1), creation_timestamp=minutes_ago(2)),
        ]

        assert why(job(status=status), pods).cause == "OutOfMemory"

    @pytest.mark.parametrize("status", [ended("Failed"), JobStatus(start_time=STARTED, failed=1)])
    def test_preempted_pod_is_gone_but_for_its_event(self, status: JobStatus) -> None:
        """The last of them, by the scheduler's words."""
        old: dict[str, Any] = {"first_timestamp": minutes_ago(9), "last_timestamp": minutes_ago(8)}
        told = [event("Preempted", "by pod a", **old), event("Preempted", "by pod b")]

        found = why(job(status=status), [], told)

        assert (found.cause, found.evidence.message, found.since) == ("Preempted", "by pod b", NOW_MS)

    @pytest.mark.parametrize(
        ("message", "gone", "cause"),
        [
            ("1 Insufficient cpu", "train-1-gone1", "Preempted"),
            ("persistentvolumeclaim", "train-1-gone1", "VolumeUnavailable"),
            ("Insufficient cpu", "train-1-abcde", "UnschedulableResources"),
        ],
    )
    def test_pod_that_waits_because_another_took_its_room(self, message: str, gone: str, cause: str) -> None:
        """It lacks room because it was preempted; what else it lacks has another cause, or its event is its own."""
        waits = pod("Pending", status=unscheduled(message=message))

        assert why(job(), [waits], [event("Preempted", "by pod a", about=meta(gone))]).cause == cause


class TestWire:
    """How it is answered."""

    def test_documented_example_is_a_diagnosis(self) -> None:
        """The OpenAPI document shows what is really answered."""
        assert msgspec.to_builtins(msgspec.convert(DIAGNOSIS_EXAMPLE, Diagnosis)) == DIAGNOSIS_EXAMPLE

    def test_times_are_milliseconds_or_null(self) -> None:
        """As everywhere in the API."""
        assert why(job(spec=JobSpec(suspend=True))).since is None
        assert why(job(deletion_timestamp=NOW)).since == NOW_MS

    def test_long_message_is_cut(self) -> None:
        """The cluster may say much."""
        assert len(why(job(status=ended("Complete", message="m" * 9999))).evidence.message) == MAX_MESSAGE

    @given(objects(Job), st.lists(objects(Pod), max_size=3), st.lists(objects(Event), max_size=3))
    def test_any_job_has_a_diagnosis(self, found: Job, pods: list[Pod], events: list[Event]) -> None:
        """Whatever stands in the fields of the Job, its pods and their events, or does not."""
        wire = msgspec.to_builtins(why(found, pods, events))

        assert wire["cause"] in get_args(Cause)
        assert msgspec.json.encode(wire)
