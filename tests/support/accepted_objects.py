"""Hypothesis strategies for Jobs, pods and events that the API server accepts, with the reasons of a cluster.

In contrast to kubernetes_objects, required fields are set and names are valid, but the combinations are arbitrary.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from chalicelib.domain.diagnosis.pod_causes import END_CAUSES, WAITING_CAUSES
from chalicelib.domain.job.status_reason import DISRUPTIONS
from chalicelib.domain.kubernetes.jobs import Condition, Container, Job, JobSpec, JobStatus, PodSpec, PodTemplate
from chalicelib.domain.kubernetes.pods import (
    ContainerState,
    ContainerStatus,
    Pod,
    PodStatus,
    Running,
    Terminated,
    Waiting,
)
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from tests.support.builders import NOW, container, event, job, meta, pod

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.events import Event

TIMES = st.integers(0, 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
LATER = NOW + timedelta(minutes=71)
"""More than ten minutes after every time of these objects."""
PHASES = st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"])
REASONS = st.sampled_from(
    [
        *WAITING_CAUSES,
        *END_CAUSES,
        "ContainerCreating",
        "ErrImagePull",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "New",
        "OutOfcpu",
    ]
)
COUNTS = st.none() | st.integers(0, 3)
MESSAGES = st.sampled_from(["", "Insufficient cpu", 'secret "a" not found', "exceeded quota", "etcdserver: timed out"])
JOB_ENDS = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet", "Suspended"]
JOB_REASONS = ["BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy", "JobSuspended"]
EVENT_REASONS = (
    "FailedCreate SuccessfulCreate Preempted NodeNotReady TaintManagerEviction FailedMount FailedCreatePodSandBox"
    " FailedScheduling TriggeredScaleUp Nominated NotTriggerScaleUp CreatedWorkload Failed Scheduled"
)


def conditions(types: list[str], reasons: list[str]) -> st.SearchStrategy[list[Condition]]:
    """Return lists of conditions with different *types*, for one of *reasons*."""
    found = st.builds(
        Condition,
        type=st.sampled_from(types),
        status=st.sampled_from(["True", "False"]),
        reason=st.none() | st.sampled_from(reasons),
        message=MESSAGES,
        last_transition_time=TIMES,
    )
    return st.lists(found, max_size=2, unique_by=lambda condition: condition.type)


ENDS = st.builds(Terminated, exit_code=st.sampled_from([0, 1, 137]), reason=REASONS, finished_at=st.none() | TIMES)
STATES = (
    st.builds(ContainerState, waiting=st.builds(Waiting, reason=REASONS, message=MESSAGES))
    | st.builds(ContainerState, running=st.builds(Running, started_at=TIMES))
    | st.builds(ContainerState, terminated=ENDS)
)


def statuses(*names: str) -> st.SearchStrategy[list[ContainerStatus]]:
    """Return the statuses that a kubelet reports for the containers *names*: none yet, or all."""
    each = [
        st.builds(
            ContainerStatus,
            name=st.just(name),
            restart_count=st.integers(0, 3),
            state=STATES,
            last_state=st.builds(ContainerState, terminated=st.none() | ENDS),
        )
        for name in names
    ]
    return st.just([]) | st.tuples(*each).map(list)


@st.composite
def pods_of_jobs(draw: st.DrawFn, name: str = "train-1-a") -> Pod:
    """Return a pod with an init container, and with a second container that was injected."""
    status = PodStatus(
        reason=draw(st.none() | REASONS),
        start_time=draw(st.none() | TIMES),
        conditions=draw(conditions(["PodScheduled", "Ready", "DisruptionTarget"], [*DISRUPTIONS, "Unschedulable"])),
        init_container_statuses=draw(statuses("fetch")),
        container_statuses=draw(statuses("main", "istio-proxy")),
    )
    containers = [Container(name="istio-proxy"), container(gpus=2)]
    containers[1].name = "main"
    return pod(
        draw(PHASES), name=name, status=status, containers=containers, node=draw(st.none() | st.just("n1")),
        creation_timestamp=draw(TIMES), deletion_timestamp=draw(st.none() | TIMES),
    )  # fmt: skip


@st.composite
def lists_of_pods(draw: st.DrawFn) -> list[Pod]:
    """Return up to three pods with different names."""
    return [draw(pods_of_jobs(f"train-1-{name}")) for name in "abc"[: draw(st.integers(0, 3))]]


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """Return a Job in any state."""
    completions = draw(st.none() | st.integers(1, 3))
    spec = JobSpec(
        suspend=draw(st.booleans()),
        completions=completions,
        parallelism=completions if draw(st.booleans()) else draw(st.integers(0, 3)),
        completion_mode=draw(st.sampled_from(["NonIndexed", "Indexed"])) if completions else "NonIndexed",
        template=PodTemplate(spec=PodSpec(subdomain=draw(st.sampled_from(["", "train-1"])), containers=[container()])),
    )
    counts = {name: draw(COUNTS) for name in ("active", "terminating", "ready", "succeeded", "failed")}
    end = conditions(JOB_ENDS, JOB_REASONS)
    status = JobStatus(start_time=draw(st.none() | TIMES), conditions=draw(end), **counts)  # type: ignore[arg-type] # counts
    return job(
        spec=spec, status=status, deletion_timestamp=draw(st.none() | TIMES),
        labels=draw(st.sampled_from([{}, {"kueue.x-k8s.io/queue-name": "gpus"}])),
        annotations=draw(st.sampled_from([{}, {INCOMPLETE_ANNOTATION: ""}])),
    )  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Return an event about the Job, one of its pods, or a pod that is gone."""
    kind, name = draw(st.sampled_from([("Job", "train-1"), ("Pod", "train-1-a"), ("Pod", "train-1-gone")]))
    reason, time = draw(st.sampled_from(EVENT_REASONS.split())), draw(TIMES)
    return event(reason, draw(MESSAGES), kind=kind, about=meta(name), first_timestamp=time, last_timestamp=time)
