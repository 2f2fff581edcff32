"""Properties of everything that the API reports about a Job: its parts do not contradict each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.kubernetes.pods import Pod
from tests.support import accepted_objects
from tests.support.builders import job, minutes_ago
from tests.unit.domain.diagnosis.agreement import contradictions
from tests.unit.domain.diagnosis.test_cases import CASES, objects_of

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job

PODS_AND_EVENTS = st.tuples(accepted_objects.lists_of_pods(), st.lists(accepted_objects.events(), max_size=2))
PARTS = [objects_of(case) for case in CASES]
JOBS = st.sampled_from([job for job, _, _ in PARTS])
PODS = st.lists(st.sampled_from([pod for _, pods, _ in PARTS for pod in pods]), max_size=4)
EVENTS = st.lists(st.sampled_from([event for _, _, events in PARTS for event in events]), max_size=3)
LATER = datetime(2026, 11, 24, 12, 31, tzinfo=UTC) + timedelta(minutes=11)
"""More than ten minutes after every time in the cases."""


def distinct(pods: list[Pod]) -> list[Pod]:
    """Return *pods* with different names, of which the first keeps its UID, to which events refer."""
    wires = [msgspec.to_builtins(pod, builtin_types=()) for pod in pods]
    copies = [msgspec.convert(wire, Pod) for wire in wires]
    for number, copy in enumerate(copies[1:]):
        copy.metadata.name = copy.metadata.uid = f"pod-{number}"
    return copies


@given(JOBS, PODS.map(distinct), EVENTS, st.sampled_from([None, LATER]))
def test_reports_agree(subject: Job, pods: list[Pod], events: list[Event], now: datetime | None) -> None:
    """Combinations of the situations in cases.jsonl."""
    assert contradictions(subject, pods, events, now) == []


@given(accepted_objects.jobs(), PODS_AND_EVENTS, st.sampled_from([None, accepted_objects.LATER]))
def test_reports_of_any_job_agree(subject: Job, objects: tuple[list[Pod], list[Event]], now: datetime | None) -> None:
    """Any states of a Job, its pods and their containers, also those in which no cluster was seen."""
    assert contradictions(subject, *objects, now) == []


def test_contradictions_are_found() -> None:
    """The check finds a cause that has been fine for too long, so that the properties mean something."""
    subject = job()

    found = contradictions(subject, [], [], minutes_ago(-9))
    assert found == ["cause Starting of a Job that has not been running for ten minutes"]
