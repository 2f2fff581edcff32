"""Tests of status, reason and cause with situations from Kubernetes, container runtimes, EKS, autoscalers and Kueue.

`cases.jsonl` has one case a line: what the objects have in common is in this module, and a case adds to it as a merge
patch. `cause` lists the accepted causes, `source` is the component or the public report that the facts are from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from chalicelib.domain.diagnosis.causes import Cause
from chalicelib.domain.diagnosis.diagnosis import diagnose
from chalicelib.domain.job.view import view
from chalicelib.domain.kubernetes import lenient_decoding
from chalicelib.domain.kubernetes.events import Event
from chalicelib.domain.kubernetes.jobs import Job
from chalicelib.domain.kubernetes.pods import Pod
from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from tests.unit.domain.diagnosis.agreement import contradictions

CREATED = "2026-11-24T12:00:00Z"
JOB = {
    "metadata": {"name": "train-1", "uid": "j", "creationTimestamp": CREATED},
    "spec": {"parallelism": 1, "completions": 1, "template": {"spec": {"containers": [{"name": "main"}]}}},
    "status": {"startTime": CREATED, "active": 1, "ready": 0},
}
POD = {
    "metadata": {"name": "p", "creationTimestamp": CREATED, "ownerReferences": [{"uid": "j"}]},
    "spec": {"nodeName": "n", "containers": [{"name": "main"}]},
    "status": {"startTime": CREATED, "phase": "Pending"},
}
LINES = (Path(__file__).parent / "cases.jsonl").read_text(encoding="utf-8").splitlines()
CASES: list[dict[str, Any]] = [json.loads(line) for line in LINES]


def objects_of(case: dict[str, Any]) -> tuple[Job, list[Pod], list[Event]]:
    """Return the Job, the pods and the events of *case*."""
    pods = [lenient_decoding.convert(apply_merge_patch(POD, each), Pod) for each in case["pods"]]
    for pod in pods:
        pod.metadata.uid = pod.metadata.name
    events = [lenient_decoding.convert(each, Event) for each in case["events"]]
    return lenient_decoding.convert(apply_merge_patch(JOB, case["job"]), Job), pods, events


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    """The cause is one of the accepted ones; the view has the expected status, reason, exit code and failed pod.

    Before the end of a Job, exit code and pod are null.
    """
    job, pods, events = objects_of(case)

    diagnosis, job_view = diagnose("team-a", job, pods, events), view("team-a", job, pods)

    assert (job_view.status, job_view.reason) == (case["status"], case["reason"])
    assert (job_view.exit_code, job_view.failed_pod) == (case.get("exitCode"), case.get("failedPod"))
    assert diagnosis.cause in case["cause"], diagnosis
    assert contradictions(job, pods, events) == []


def test_every_cause_has_a_case() -> None:
    """The cases cover the closed list, and every case names its source."""
    assert {cause for case in CASES for cause in case["cause"]} == set(get_args(Cause))
    assert all(case["source"] for case in CASES)


def test_every_end_has_an_exit_code() -> None:
    """Each case of a Job whose end is decided says the exit code and the failed pod, or null if they are not known."""
    ended = [case for case in CASES if (job := objects_of(case)[0]).finished or job.ending]

    assert all({"exitCode", "failedPod"} <= case.keys() for case in ended)
